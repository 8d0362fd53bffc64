"""From styles to an image: maps of 4x4 to the image's side, each adding to an image that grows with them.

The skip generator of Karras et al. 2020a, section 4.1. An image is the sum of what every side's maps say of it.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Generator, Tensor, nn

from sitegen.networks.stylegan2.filters import Upsample
from sitegen.networks.stylegan2.modulation import StyledConv, ToImage
from sitegen.networks.stylegan2.settings import GeneratorShape

Noise = Sequence[Tensor]
"""A tensor [1 or N, 1, side, side] for each convolution, from the smallest side on."""


class FirstBlock(nn.Module):
    """The learned constant of 4x4, one convolution, and the first image."""

    def __init__(self, shape: GeneratorShape) -> None:
        super().__init__()
        side, clamp = shape.sides[0], shape.clamp
        width = shape.width(side)
        self.const = nn.Parameter(torch.randn(width, side, side))
        self.conv1 = StyledConv(width, width, shape.style, side, False, clamp)
        self.to_image = ToImage(width, shape.channels, shape.style, clamp)

    def forward(self, styles: Sequence[Tensor], noise: Sequence[Tensor | None]) -> tuple[Tensor, Tensor]:
        """Return maps and image of two w [N, style] and one noise."""
        maps = self.const.unsqueeze(0).expand(len(styles[0]), -1, -1, -1)
        maps = self.conv1(maps, styles[0], noise[0])
        return maps, self.to_image(maps, styles[1])


class Block(nn.Module):
    """Two convolutions, the first of which doubles the side, and their share of the image."""

    def __init__(self, shape: GeneratorShape, before: int, side: int) -> None:
        super().__init__()
        width, clamp = shape.width(side), shape.clamp
        self.conv0 = StyledConv(shape.width(before), width, shape.style, side, True, clamp)
        self.conv1 = StyledConv(width, width, shape.style, side, False, clamp)
        self.to_image = ToImage(width, shape.channels, shape.style, clamp)
        self.upsample = Upsample(shape.channels)

    def forward(
        self, maps: Tensor, image: Tensor, styles: Sequence[Tensor], noise: Sequence[Tensor | None]
    ) -> tuple[Tensor, Tensor]:
        """Return maps and image of twice the side, of three w [N, style] and two noises."""
        maps = self.conv0(maps, styles[0], noise[0])
        maps = self.conv1(maps, styles[1], noise[1])
        grown: Tensor = self.upsample(image) + self.to_image(maps, styles[2])
        return maps, grown


class Synthesis(nn.Module):
    """Images [N, channels, side, side], about -1..1, of w [N, layers, style]."""

    def __init__(self, shape: GeneratorShape) -> None:
        super().__init__()
        self.shape, self.first = shape, FirstBlock(shape)
        self.blocks = nn.ModuleList(Block(shape, before, side) for before, side in pairwise(shape.sides))

    def forward(self, w: Tensor, noise: Noise | None = None) -> Tensor:
        """Return images of w and noise; None is no noise. The image layer of a block takes the next block's first w."""
        styles = w.unbind(1)
        given: Sequence[Tensor | None] = [None] * len(self.noise_shapes) if noise is None else noise
        maps: Tensor
        image: Tensor
        maps, image = self.first(styles[:2], given[:1])
        for number, block in enumerate(self.blocks):
            at = 2 * number + 1
            maps, image = block(maps, image, styles[at : at + 3], given[at : at + 2])
        return image

    @property
    def noise_shapes(self) -> list[tuple[int, int, int, int]]:
        """The shapes of one image's noise."""
        sides = self.shape.sides
        return [(1, 1, side, side) for side in (sides[0], *(side for side in sides[1:] for _ in range(2)))]

    def constant_noise(self) -> list[Tensor]:
        """Return the noise that is kept with the weights, which gives the same w the same image."""
        return [part.noise_const for part in self.modules() if isinstance(part, StyledConv)]

    def random_noise(self, count: int, generator: Generator | None = None) -> list[Tensor]:
        """Return new noise for `count` images, drawn on the device of the generator, or of the weights."""
        own = self.first.const.device
        device = generator.device if generator else own
        drawn = (torch.randn((count, *shape[1:]), generator=generator, device=device) for shape in self.noise_shapes)
        return [each.to(own) for each in drawn]
