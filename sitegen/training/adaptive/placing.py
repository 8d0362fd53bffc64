"""Where an image's points come from: the pipe's changes of place as matrices [N, 3, 3], in pixels from the centre.

A matrix maps a point of the changed image to the point of the old one, so that the change that happens first is the
first factor of a product.
"""

from collections.abc import Callable
from math import pi

import torch
from torch import Generator, Tensor

from sitegen.training.adaptive.parts import MOVE, SCALE, SHIFT, Part


def draw_placing(count: int, side: int, chance: float, parts: frozenset[Part], generator: Generator) -> Tensor:
    """Return matrices [N, 3, 3] on the generator's device; each part happens to each image with `chance`."""
    return _Drawing(count, side, chance, parts, generator).matrices()


class _Drawing:
    """The draws of one batch."""

    def __init__(self, count: int, side: int, chance: float, parts: frozenset[Part], generator: Generator) -> None:
        self._count, self._side, self._chance, self._parts = count, side, chance, parts
        self._source = generator

    def matrices(self) -> Tensor:
        """In the paper's order: flip, quarter-turn, shift, scale, turn, stretch, turn, move."""
        steps: list[tuple[Part, float, Callable[[], Tensor]]] = [
            ("flip", self._chance, self._flip),
            ("quarter-turn", self._chance, self._quarter),
            ("shift", self._chance, self._shift),
            ("scale", self._chance, lambda: self._scaling(even=True)),
            ("turn", 1 - (1 - self._chance) ** 0.5, lambda: self._turning(self._spread(pi))),
            ("stretch", self._chance, lambda: self._scaling(even=False)),
            ("turn", 1 - (1 - self._chance) ** 0.5, lambda: self._turning(self._spread(pi))),
            ("move", self._chance, self._move),
        ]
        made = self._same()
        for part, chance, draw in steps:
            if part in self._parts:
                happens = self._even() < chance
                made = made @ torch.where(happens[:, None, None], draw(), self._same())
        return made

    def _flip(self) -> Tensor:
        sign = 1 - 2 * (self._even() < 0.5).float()
        return self._diagonal(sign, torch.ones_like(sign))

    def _quarter(self) -> Tensor:
        return self._turning((self._even() * 4).floor() * (pi / 2)).round()

    def _shift(self) -> Tensor:
        return self._moving((self._spread(SHIFT) * self._side).round(), (self._spread(SHIFT) * self._side).round())

    def _move(self) -> Tensor:
        return self._moving(self._normal(MOVE * self._side), self._normal(MOVE * self._side))

    def _scaling(self, even: bool) -> Tensor:
        factor = self._normal(SCALE).exp()
        return self._diagonal(1 / factor, 1 / factor if even else factor)

    def _same(self) -> Tensor:
        return torch.eye(3, device=self._source.device).repeat(self._count, 1, 1)

    def _diagonal(self, across: Tensor, down: Tensor) -> Tensor:
        return torch.diag_embed(torch.stack([across, down, torch.ones_like(across)], 1))

    def _turning(self, angle: Tensor) -> Tensor:
        cos, sin, zero, one = angle.cos(), angle.sin(), torch.zeros_like(angle), torch.ones_like(angle)
        return torch.stack([cos, -sin, zero, sin, cos, zero, zero, zero, one], 1).reshape(-1, 3, 3)

    def _moving(self, across: Tensor, down: Tensor) -> Tensor:
        made = self._same()
        made[:, 0, 2], made[:, 1, 2] = -across, -down
        return made

    def _even(self) -> Tensor:
        return torch.rand(self._count, generator=self._source, device=self._source.device)

    def _spread(self, most: float) -> Tensor:
        return (2 * self._even() - 1) * most

    def _normal(self, deviation: float) -> Tensor:
        return torch.randn(self._count, generator=self._source, device=self._source.device) * deviation
