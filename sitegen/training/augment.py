"""Small changes of position, size, brightness and contrast that leave a radiograph what it is."""

from dataclasses import dataclass
from math import pi

import torch
from torch import Generator, Tensor
from torch.nn import functional


@dataclass(frozen=True)
class AugmentSettings:
    """The largest changes, each drawn evenly from minus to plus its value."""

    rotation: float = 10.0  # degrees
    shift: float = 0.06  # of the side
    scale: float = 0.12
    brightness: float = 0.1  # of the input's range
    contrast: float = 0.2


def augment(images: Tensor, settings: AugmentSettings, black: float, white: float, generator: Generator) -> Tensor:
    """Return changed copies of images [N, C, H, W] with values in `black`..`white`; outside pixels repeat the border.

    Every image is changed on its own, in position by bilinear interpolation. Values stay in `black`..`white`.
    """
    moved = functional.grid_sample(
        images, _grid(images, settings, generator), padding_mode="border", align_corners=False
    )
    count = len(images)
    middle, span = (black + white) / 2, white - black
    contrast = 1 + settings.contrast * _even(count, generator).view(-1, 1, 1, 1)
    brightness = settings.brightness * span * _even(count, generator).view(-1, 1, 1, 1)
    return ((moved - middle) * contrast + middle + brightness).clamp(black, white)


def _grid(images: Tensor, settings: AugmentSettings, generator: Generator) -> Tensor:
    count = len(images)
    angle = settings.rotation * pi / 180 * _even(count, generator)
    scale = 1 + settings.scale * _even(count, generator)
    shift = (
        2 * settings.shift * torch.stack([_even(count, generator), _even(count, generator)], dim=1)
    )  # side is 2 here
    cosine, sine = angle.cos() * scale, angle.sin() * scale
    turn = torch.stack([torch.stack([cosine, -sine], 1), torch.stack([sine, cosine], 1)], 1)
    matrices = torch.cat([turn, shift.unsqueeze(2)], dim=2)
    return functional.affine_grid(matrices, list(images.shape), align_corners=False)


def _even(count: int, generator: Generator) -> Tensor:
    return torch.rand(count, generator=generator) * 2 - 1
