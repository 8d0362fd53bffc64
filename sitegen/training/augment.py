"""Small changes of position, size, brightness and contrast that leave a radiograph what it is."""

from dataclasses import dataclass
from math import pi
from typing import Annotated

import torch
from pydantic import Field
from torch import Generator, Tensor
from torch.nn import functional

from sitegen.settings.reading import STRICT

Degrees = Annotated[float, Field(ge=0, le=180)]
Share = Annotated[float, Field(ge=0, lt=1)]
Chance = Annotated[float, Field(ge=0, le=1)]


@dataclass(frozen=True)
class AugmentSettings:
    """The largest changes, each drawn evenly from minus to plus its value; zoom and flip happen by chance."""

    __pydantic_config__ = STRICT
    rotation: Degrees = 10.0
    shift: Share = 0.06  # of the side
    scale: Share = 0.12
    brightness: Chance = 0.1  # of the input's range
    contrast: Chance = 0.2
    gamma: Annotated[float, Field(ge=0, le=2)] = 0.0  # of the exponent's logarithm: greys between black and white move
    sharpness: Annotated[float, Field(ge=0, le=2)] = 0.0  # 1: from wholly smoothed to twice the fine detail
    zoom: Annotated[float, Field(ge=1)] = 1.0  # how many times larger an image gets that is zoomed
    zoom_chance: Chance = 0.5
    flip_chance: Chance = 0.0  # left and right exchanged: off, since hearts have a side


def placement(rotation: float, shift: float, scale: float) -> AugmentSettings:
    """Return settings that move, turn and scale, and leave brightness and contrast alone."""
    return AugmentSettings(rotation, shift, scale, brightness=0.0, contrast=0.0)


LEVELS: dict[str, AugmentSettings] = {
    "none": placement(0, 0, 0),
    "15° / 5 % / 5 %": placement(15, 0.05, 0.05),
    "30° / 10 % / 10 %": placement(30, 0.10, 0.10),
    "45° / 15 % / 15 %": placement(45, 0.15, 0.15),
}
"""Rising rotation, translation and scaling, for training and for testing. The first and the last are those of Cohen et
al. 2020 (table 1); the steps between are even."""


@dataclass(frozen=True)
class Changes:
    """What is to happen to each of N images: where its points come from, contrast and brightness."""

    placement: Tensor  # [N, 2, 3], as torch's affine_grid takes it
    contrast: Tensor  # [N], factors around the middle grey
    brightness: Tensor  # [N], in shares of the range from black to white
    gamma: Tensor | None = None  # [N], exponents of greys in 0..1
    sharpness: Tensor | None = None  # [N], how much of the difference to the smoothed image is added

    def of(self, part: Tensor | slice) -> "Changes":
        """Return the changes of some of the images."""
        return Changes(
            self.placement[part],
            self.contrast[part],
            self.brightness[part],
            None if self.gamma is None else self.gamma[part],
            None if self.sharpness is None else self.sharpness[part],
        )


def augment(images: Tensor, settings: AugmentSettings, black: float, white: float, generator: Generator) -> Tensor:
    """Return changed copies of images [N, C, H, W] with values in `black`..`white`; see `draw_changes`, `changed`."""
    return changed(images, draw_changes(len(images), settings, generator), black, white)


def draw_changes(count: int, settings: AugmentSettings, generator: Generator) -> Changes:
    """Return changes for `count` images, each its own.

    All draws come from `generator`, on the CPU wherever the images are, and so are the same on every device.
    """
    return Changes(
        _placement(count, settings, generator),
        1 + settings.contrast * _even(count, generator),
        settings.brightness * _even(count, generator),
        (settings.gamma * _even(count, generator)).exp() if settings.gamma else None,
        settings.sharpness * _even(count, generator) if settings.sharpness else None,
    )


def changed(images: Tensor, changes: Changes, black: float, white: float) -> Tensor:
    """Return images [N, C, H, W] with values in `black`..`white`, changed, and within that range again.

    Positions between pixels are bilinear; what comes from outside repeats the border. Sharpness is changed as by an
    unsharp mask: the difference to the mean of 3 x 3 neighbours, in part taken away or added once more.
    """
    grid = functional.affine_grid(changes.placement.to(images), list(images.shape), align_corners=False)
    moved = functional.grid_sample(images, grid, padding_mode="border", align_corners=False)
    middle, span = (black + white) / 2, white - black
    if changes.sharpness is not None:
        padded = functional.pad(moved, (1, 1, 1, 1), mode="replicate")
        moved = moved + _each(changes.sharpness, moved) * (moved - functional.avg_pool2d(padded, 3, stride=1))
    if changes.gamma is not None:
        moved = ((moved - black) / span).clamp(0, 1) ** _each(changes.gamma, moved) * span + black
    contrast, brightness = _each(changes.contrast, moved), _each(changes.brightness, moved)
    return ((moved - middle) * contrast + middle + span * brightness).clamp(black, white)


def _each(values: Tensor, images: Tensor) -> Tensor:
    """One value an image [N], shaped to work on images [N, C, H, W]."""
    return values.view(-1, 1, 1, 1).to(images)


def _placement(count: int, settings: AugmentSettings, generator: Generator) -> Tensor:
    angle = settings.rotation * pi / 180 * _even(count, generator)
    scale = 1 + settings.scale * _even(count, generator)
    shift = (
        2 * settings.shift * torch.stack([_even(count, generator), _even(count, generator)], dim=1)
    )  # side is 2 here
    # What is off draws nothing, so that adding it left the numbers of older recipes as they were.
    if settings.zoom > 1:
        scale = torch.where(_happens(settings.zoom_chance, count, generator), scale / settings.zoom, scale)
    cosine, sine = angle.cos() * scale, angle.sin() * scale
    turn = torch.stack([torch.stack([cosine, -sine], 1), torch.stack([sine, cosine], 1)], 1)
    if settings.flip_chance > 0:
        turn[_happens(settings.flip_chance, count, generator), :, 0] *= -1
    return torch.cat([turn, shift.unsqueeze(2)], dim=2)


def _even(count: int, generator: Generator) -> Tensor:
    return torch.rand(count, generator=generator) * 2 - 1


def _happens(chance: float, count: int, generator: Generator) -> Tensor:
    return torch.rand(count, generator=generator) < chance
