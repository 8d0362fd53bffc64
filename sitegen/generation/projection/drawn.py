"""What projection needs of a trained generator: its latents' mean and deviation, its noise inputs, and what it draws.

The deviation is that of the latents of 10,000 random inputs of the mapping network, as in Karras et al. 2020.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

RANGE = (-1.0, 1.0)  # black and white of what generators draw


class Draws(Protocol):
    """Draws images [N, C, side, side] from latents [N, layers, length] and noise [N, 1, h, w] for each noise input."""

    def __call__(self, latents: Tensor, noise: Sequence[Tensor]) -> Tensor:
        """Return the images, about -1 for black and 1 for white."""


@dataclass(frozen=True)
class Drawn:
    """A generator as projection takes it: `mean` is a latent [length], `deviation` one number for all of it.

    `sides` are those of its noise inputs, in their order. `network` holds the weights that `draw` uses.
    """

    network: nn.Module
    draw: Draws
    mean: Tensor
    deviation: float
    layers: int
    sides: tuple[int, ...]
    channels: int
    side: int

    @property
    def length(self) -> int:
        """How many values a latent has."""
        return len(self.mean)

    @property
    def noise_values(self) -> int:
        """How many values all noise inputs have together."""
        return sum(side**2 for side in self.sides)

    @property
    def values(self) -> int:
        """How many values are free in a projection."""
        return self.layers * self.length + self.noise_values


def split(parameters: Tensor, drawn: Drawn) -> tuple[Tensor, list[Tensor]]:
    """Return the offsets of latents [N, layers, length] from their mean, and the noise inputs, of all free values.

    `parameters` is [N, values]: latents row by row, then the noise inputs.
    """
    latents = drawn.layers * drawn.length
    offsets = parameters[:, :latents].reshape(-1, drawn.layers, drawn.length)
    parts = torch.split(parameters[:, latents:], [side**2 for side in drawn.sides], dim=1)
    return offsets, [part.reshape(-1, 1, side, side) for part, side in zip(parts, drawn.sides, strict=True)]


def latents_of(offsets: Tensor, drawn: Drawn, tied: Tensor | float) -> Tensor:
    """Return latents [N, layers, length]: where `tied` is 1 all rows are the first one, where it is 0 each its own."""
    return drawn.mean + tied * offsets[:, :1] + (1 - tied) * offsets


def noise_regularity(noise: Sequence[Tensor]) -> Tensor:
    """Return [N]: how much neighbours in the noise inputs say of each other, at all scales down to 8 x 8.

    Karras et al. 2020, appendix D: the squared means of each value times its neighbour's, across and down, of the
    input and of its averages over 2 x 2, times 2 so that their variance stays 1. A smaller input has its own scale.
    """
    total = torch.zeros(len(noise[0]), dtype=noise[0].dtype)
    for each in noise:
        while True:
            for axis in (2, 3):
                total = total + (each * torch.roll(each, 1, axis)).mean((1, 2, 3)).square()
            if each.shape[2] <= 8:
                break
            each = 2 * torch.nn.functional.avg_pool2d(each, 2)
    return total


def normalised(noise: Tensor) -> Tensor:
    """Return a noise input [N, ...] with mean 0 and variance 1 of each."""
    axes = tuple(range(1, noise.ndim))
    centred = noise - noise.mean(axes, keepdim=True)
    return centred / centred.square().mean(axes, keepdim=True).sqrt()
