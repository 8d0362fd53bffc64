"""A trained generator as projection takes it."""

import torch
from torch import Tensor

from sitegen.generation.projection.drawn import RANGE, Drawn
from sitegen.networks.stylegan2.trained import TrainedGenerator
from sitegen_runtime.bundle.model import NetworkInput

_INPUTS, _SEED = 10_000, 123
_BATCH = 500


def drawn_of(trained: TrainedGenerator, label: int | None = None) -> Drawn:
    """Return what projection needs of a generator; of one with classes, the latents' mean is that of all or of one.

    The mean and the deviation are those of 10,000 random inputs, the same ones each time (Karras et al. 2020,
    appendix D).
    """
    generator, shape = trained.generator, trained.shape
    latents = _latents(trained, label)
    mean = latents.mean(0)
    deviation = float((latents - mean).square().sum(1).mean().sqrt())
    sides = tuple(each[-1] for each in generator.synthesis.noise_shapes)
    return Drawn(
        generator.synthesis,
        generator.synthesis,
        mean.float(),
        deviation,
        shape.layers,
        sides,
        shape.channels,
        shape.side,
    )


@torch.no_grad()
def _latents(trained: TrainedGenerator, label: int | None) -> Tensor:
    """Latents [inputs, length] in double precision, so that their order does not matter."""
    shape = trained.shape
    drawn = torch.Generator().manual_seed(_SEED)
    z = torch.randn((_INPUTS, shape.latent), generator=drawn)
    classes = None
    if shape.classes:
        which = torch.randint(shape.classes, (_INPUTS,), generator=drawn) if label is None else label
        classes = torch.zeros(_INPUTS, shape.classes)
        classes[torch.arange(_INPUTS), which] = 1.0
    parts = [
        trained.generator.mapping(z[at : at + _BATCH], None if classes is None else classes[at : at + _BATCH])
        for at in range(0, _INPUTS, _BATCH)
    ]
    return torch.cat(parts).double()


def image_of(drawn: Drawn) -> NetworkInput:
    """Return how images become what a generator is compared with: the centred square, from -1 to 1."""
    return NetworkInput(
        name="image",
        shape=(1, drawn.channels, drawn.side, drawn.side),
        colour="grey" if drawn.channels == 1 else "rgb",
        fraction=1.0,
        range=RANGE,
        mean=(0.0,) * drawn.channels,
        std=(1.0,) * drawn.channels,
    )
