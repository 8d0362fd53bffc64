"""How fast StyleGAN2 trains here, beside a plain PyTorch loop of the same networks.

    python benchmarks/generator_training.py [--side 32] [--steps 16] [--rounds 6]

The plain loop below is written straight from the papers' formulas: same networks, losses, penalties, optimisers and
running average, same order of random numbers, no checkpoints, no figures, no watch, no augmentation. Both start from
the same weights, and the program stops where they do not end with the same ones to 1e-5. CPU time of the steps
alone, in one process; in each round both run, in turns first; ratios are within a round.
"""

import argparse
import tempfile
from copy import deepcopy
from math import sqrt
from pathlib import Path
from time import process_time

import numpy as np
import torch
from median_interval import median_interval
from torch import Tensor
from torch.nn import functional

from sitegen.networks.stylegan2.discriminator import StyleDiscriminator
from sitegen.networks.stylegan2.generator import StyleGenerator
from sitegen.training.generator.drawing import seeded
from sitegen.training.generator.fit import Fitting, GeneratorWatch, fit_generator
from sitegen.training.generator.images import TrainingImages
from sitegen.training.generator.settings import GeneratorFile, generator_file
from sitegen.training.launch import make_fabric


def main() -> None:
    """Measure, and print a line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", type=int, default=32)
    parser.add_argument("--steps", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=6)
    asked = parser.parse_args()
    file = generator_file(
        {
            "name": "benchmark",
            "preset": "small",
            "images": {"places": ["."]},
            "network": {"side": asked.side},
            "training": {"images": asked.steps * 16},
            "augment": {"mode": "none"},
            "snapshots": {"every": 10**9, "save_every": 10**9, "columns": 1},
        }
    )
    pixels = np.random.default_rng(0).integers(0, 256, (256, 1, asked.side, asked.side), np.uint8)
    images = TrainingImages(pixels, np.zeros(256, np.int64), (), (), "random")
    ratios, rates = [], []
    for number in range(-1, asked.rounds):
        pair = [_sitegen, _plain][:: 1 if number % 2 else -1]
        done = {run.__name__: run(file, images) for run in pair}
        (ours, our_weights), (plain, plain_weights) = done["_sitegen"], done["_plain"]
        apart = max(float((a - b).abs().max()) for a, b in zip(our_weights, plain_weights, strict=True))
        if apart > 1e-5:
            raise SystemExit(f"the two loops end {apart:g} apart")
        if number >= 0:  # the first does not count
            ratios.append(ours / plain)
            rates.append(asked.steps * 16 / ours)
    print(
        f"{np.median(rates):.1f} images in a second of CPU; time / plain loop {median_interval(ratios).text(3)}, "
        f"{asked.rounds} rounds of {asked.steps} steps at {asked.side} pixels; last weights {apart:.1g} apart"
    )


class _Silent(GeneratorWatch):
    """Notes when steps begin and end, and keeps the running average's weights."""

    def begun(self, progress: object) -> None:
        """Note the time."""
        self.began = process_time()

    def step(self, images: int) -> None:
        """Note the time."""
        self.ended = process_time()

    def kept(self, network: StyleGenerator, discriminator: StyleDiscriminator, progress: object) -> None:
        """Copy them."""
        self.weights = [weight.detach().clone() for weight in network.parameters()]


def _sitegen(file: GeneratorFile, images: TrainingImages) -> tuple[float, list[Tensor]]:
    watch = _Silent()
    with tempfile.TemporaryDirectory() as place:
        asked = Fitting(file, images, make_fabric("32"), Path(place) / "training.pt", watch)
        fit_generator(asked)
        return watch.ended - watch.began, watch.weights


def _plain(file: GeneratorFile, images: TrainingImages) -> tuple[float, list[Tensor]]:
    """The loop: every line is one of the papers'."""
    settings, shape = file.training, file.network
    torch.manual_seed(settings.seed)
    g, d = StyleGenerator(shape).train(), StyleDiscriminator(shape).train()
    average = deepcopy(g).requires_grad_(False)
    of_g = torch.optim.Adam(g.parameters(), lr=settings.learning_rate * 4 / 5, betas=(0.0, 0.99 ** (4 / 5)), eps=1e-8)
    of_d = torch.optim.Adam(
        d.parameters(), lr=settings.learning_rate * 16 / 17, betas=(0.0, 0.99 ** (16 / 17)), eps=1e-8
    )
    subset = np.sort(np.random.default_rng(settings.seed).permutation(len(images.pixels)))
    order = subset[np.random.default_rng([settings.seed, 0]).permutation(len(subset))]
    batch, mean = settings.batch, torch.zeros(())

    def styles(count: int, source: torch.Generator) -> Tensor:
        one, two = (
            g.mapping(torch.randn((count, shape.latent), generator=source)).unsqueeze(1).expand(-1, shape.layers, -1)
            for _ in range(2)
        )
        cut = torch.randint(1, shape.layers, (count,), generator=source)
        mixed = torch.rand(count, generator=source) < settings.mixing
        late = torch.arange(shape.layers) >= cut[:, None]
        return torch.where((late & mixed[:, None])[:, :, None], two, one)

    began = process_time()
    for step in range(-(-settings.images // batch)):
        source = seeded(torch.device("cpu"), settings.seed, step, 0)
        at = [order[n % len(order)] for n in range(step * batch, step * batch + batch)]
        real = torch.from_numpy(images.pixels[at]).float() / 127.5 - 1
        d.requires_grad_(False)
        w = styles(batch, source)
        loss = functional.softplus(-d(g.synthesis(w, g.synthesis.random_noise(batch, source)))).mean()
        g.mapping.w_avg.copy_(torch.lerp(w[:, 0].detach().mean(0), g.mapping.w_avg, 0.995))
        _down(of_g, loss)
        d.requires_grad_(True)
        if step % 4 == 0:
            w = styles(batch // 2, source)
            made = g.synthesis(w, g.synthesis.random_noise(batch // 2, source))
            product = (made * torch.randn(made.shape, generator=source)).sum() / sqrt(made[0, 0].numel())
            lengths = torch.autograd.grad(product, w, create_graph=True)[0].square().sum(2).mean(1).sqrt()
            mean = torch.lerp(lengths.detach().mean(), mean, 0.99)
            _down(of_g, (lengths - mean).square().mean() * settings.path_length * 4)
        with torch.no_grad():
            made = g.synthesis(styles(batch, source), g.synthesis.random_noise(batch, source))
        of_made, of_real = d(made), d(real)
        _down(of_d, functional.softplus(-of_real).mean() + functional.softplus(of_made).mean())
        if step % 16 == 0:
            real.requires_grad_(True)
            slope = torch.autograd.grad(d(real).sum(), real, create_graph=True)[0]
            _down(of_d, slope.square().sum((1, 2, 3)).mean() * (settings.r1 / 2) * 16)
        half = min(settings.average, (step + 1) * batch * settings.average_begin)
        with torch.no_grad():
            for mine, theirs in zip(average.parameters(), g.parameters(), strict=True):
                mine.lerp_(theirs, 1 - 0.5 ** (batch / half))
    return process_time() - began, list(average.parameters())


def _down(optimiser: torch.optim.Adam, loss: Tensor) -> None:
    optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    optimiser.step()


if __name__ == "__main__":
    main()
