"""One step of both networks: each learns from a batch, and now and then from its regularisation.

Regularisation is lazy (Karras et al. 2020a, appendix B): computed every few steps, as many times as strong, and with
Adam's rates adjusted to the steps that are more. It is computed with 32 bits, also where all else is mixed. R1 is of
the training images as they are, through changes drawn anew, as in the code that came with Karras et al. 2020b.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from lightning_fabric import Fabric
from torch import Generator, Tensor, nn

from sitegen.networks.stylegan2.discriminator import StyleDiscriminator
from sitegen.networks.stylegan2.generator import StyleGenerator
from sitegen.training.adaptive.pipe import Pipe
from sitegen.training.generator.drawing import Batch, Deck
from sitegen.training.generator.losses import (
    discriminator_loss,
    generator_loss,
    next_mean,
    path_lengths,
    path_penalty,
    r1_penalty,
)
from sitegen.training.generator.settings import TrainingSettings

BETAS = (0.0, 0.99)
EPSILON = 1e-8
_HALVED = 2  # path lengths are of half a batch


@dataclass(frozen=True)
class Networks:
    """Both networks with their optimisers."""

    generator: StyleGenerator
    discriminator: StyleDiscriminator
    of_generator: torch.optim.Adam
    of_discriminator: torch.optim.Adam


def make_optimiser(network: nn.Module, rate: float, every: int) -> torch.optim.Adam:
    """Return Adam for what learns of a network that is regularised in every `every`-th step, 0 for never."""
    share = every / (every + 1) if every else 1.0
    betas = (BETAS[0] ** share, BETAS[1] ** share)
    learning = [weight for weight in network.parameters() if weight.requires_grad]
    return torch.optim.Adam(learning, lr=rate * share, betas=betas, eps=EPSILON)


class Stepper:
    """Takes steps. `path_mean` is the running mean of path lengths, which goes with the networks' weights."""

    def __init__(self, networks: Networks, deck: Deck, pipe: Pipe, settings: TrainingSettings, fabric: Fabric) -> None:
        self.networks, self.deck, self.pipe, self.settings, self.fabric = networks, deck, pipe, settings, fabric
        self.path_mean = torch.zeros((), device=fabric.device)

    def step(self, number: int, batch: Batch, chance: float, source: Generator) -> tuple[dict[str, Tensor], Tensor]:
        """Take step `number` of both networks; return the figures and the logits of real images."""
        figures = {"generator_loss": self._generate(len(batch.images), chance, source)}
        if self.settings.path_length and number % self.settings.path_length_every == 0:
            figures["path_length"] = self._straighten(max(1, len(batch.images) // _HALVED), source)
        figures["discriminator_loss"], of_real = self._discriminate(batch, chance, source)
        if self.settings.r1 and number % self.settings.r1_every == 0:
            figures["r1"] = self._flatten(batch, chance, source)
        return figures, of_real

    def _generate(self, count: int, chance: float, source: Generator) -> Tensor:
        nets = self.networks
        with _held(nets.discriminator), self.fabric.autocast():
            made, label, w = self._made(count, source)
            loss = generator_loss(nets.discriminator(self.pipe(made, chance, source), label).float())
        nets.generator.mapping.follow(self._together(w.detach().float().mean(0, keepdim=True)))
        return self._descend(loss, nets.of_generator)

    def _straighten(self, count: int, source: Generator) -> Tensor:
        nets = self.networks
        label = self.deck.classes(count, source)
        w = self._styles(count, label, source)
        lengths = path_lengths(
            nets.generator.synthesis, w, nets.generator.synthesis.random_noise(count, source), source
        )
        mean = next_mean(self.path_mean, self._together(lengths.detach().mean().reshape(1)))
        weight = self.settings.path_length * self.settings.path_length_every
        self._descend(path_penalty(lengths, mean, weight), nets.of_generator)
        self.path_mean = mean
        return lengths.detach().mean()

    def _discriminate(self, batch: Batch, chance: float, source: Generator) -> tuple[Tensor, Tensor]:
        nets = self.networks
        with self.fabric.autocast():
            with torch.no_grad():
                made, label, _ = self._made(len(batch.images), source)
                made, seen = (self.pipe(each, chance, source) for each in (made.float(), batch.images))
            of_made, of_real = nets.discriminator(made, label).float(), nets.discriminator(seen, batch.label).float()
            loss = discriminator_loss(of_real, of_made)
        return self._descend(loss, nets.of_discriminator), of_real.detach()

    def _flatten(self, batch: Batch, chance: float, source: Generator) -> Tensor:
        nets = self.networks

        def logits_of(images: Tensor) -> Tensor:
            logits: Tensor = nets.discriminator(self.pipe(images, chance, source), batch.label)
            return logits

        penalty = r1_penalty(logits_of, batch.images, self.settings.r1)
        self._descend(penalty * self.settings.r1_every, nets.of_discriminator)
        return penalty.detach()

    def _made(self, count: int, source: Generator) -> tuple[Tensor, Tensor | None, Tensor]:
        """Images of random styles and noise, the classes that they were asked for, and the first w of each."""
        label = self.deck.classes(count, source)
        w = self._styles(count, label, source)
        synthesis = self.networks.generator.synthesis
        return synthesis(w, synthesis.random_noise(count, source)), label, w[:, 0]

    def _styles(self, count: int, label: Tensor | None, source: Generator) -> Tensor:
        """w [N, layers, style]; by chance those from a random layer on are of another z (Karras et al. 2019, 3.1)."""
        generator = self.networks.generator
        shape = generator.shape
        first = generator.styles(self._z(count, source), label)
        if not self.settings.mixing:
            return first
        second = generator.styles(self._z(count, source), label)
        cut = torch.randint(1, shape.layers, (count,), generator=source, device=source.device)
        mixed = torch.rand(count, generator=source, device=source.device) < self.settings.mixing
        late = torch.arange(shape.layers, device=source.device) >= cut[:, None]
        return torch.where((late & mixed[:, None])[:, :, None], second, first)

    def _z(self, count: int, source: Generator) -> Tensor:
        latent = self.networks.generator.shape.latent
        return torch.randn((count, latent), generator=source, device=source.device)

    def _descend(self, loss: Tensor, optimiser: torch.optim.Adam) -> Tensor:
        """Take a step down the mean of all processes' gradients; return this process's loss."""
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        weights = [weight for group in optimiser.param_groups for weight in group["params"]]
        self._average(weight.grad for weight in weights if weight.grad is not None)
        optimiser.step()
        return loss.detach()

    def _average(self, gradients: Iterable[Tensor]) -> None:
        if self.fabric.world_size == 1:
            return
        own = list(gradients)
        flat = self._together(torch.cat([each.flatten() for each in own]))
        for each, mean in zip(own, torch.split(flat, [each.numel() for each in own]), strict=True):
            each.copy_(mean.view_as(each))

    def _together(self, values: Tensor) -> Tensor:
        """The mean over processes."""
        return values if self.fabric.world_size == 1 else self.fabric.all_reduce(values, reduce_op="mean")  # type: ignore[return-value]


@contextmanager
def _held(network: nn.Module) -> Iterator[None]:
    """Let gradients go through a network, and keep none for its weights."""
    learns = [weight for weight in network.parameters() if weight.requires_grad]
    for weight in learns:
        weight.requires_grad_(False)
    try:
        yield
    finally:
        for weight in learns:
            weight.requires_grad_(True)
