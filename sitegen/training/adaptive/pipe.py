"""The whole pipe, and the probability that follows how sure the discriminator is of its training images."""

from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from sitegen.training.adaptive.colouring import coloured, draw_colouring
from sitegen.training.adaptive.corrupting import cut_out, noisy
from sitegen.training.adaptive.filtering import draw_strengths, filtered
from sitegen.training.adaptive.parts import GROUPS, OF_COLOURS, Part
from sitegen.training.adaptive.placing import draw_placing
from sitegen.training.adaptive.warping import rearranged, warped

_BLIT, _GEOMETRY, _COLOUR = (frozenset(GROUPS[name]) for name in ("blit", "geometry", "colour"))


@dataclass(frozen=True)
class Pipe:
    """What may happen to images before the discriminator sees them. It can be differentiated in the images twice."""

    parts: frozenset[Part]

    def __call__(self, images: Tensor, chance: float, generator: Generator) -> Tensor:
        """Return images [N, C, side, side] in -1..1, each changed by each part with the probability `chance`.

        It is computed with 32 bits: mixed precision would move points by parts of a pixel.
        """
        if chance <= 0:
            return images
        with torch.autocast(images.device.type, enabled=False):
            return self._changed(images.float(), chance, generator)

    def _changed(self, images: Tensor, chance: float, generator: Generator) -> Tensor:
        parts = self.parts - OF_COLOURS if images.shape[1] == 1 else self.parts
        for group, change in ((_BLIT, rearranged), (_GEOMETRY, warped)):
            if parts & group:
                where = draw_placing(len(images), images.shape[-1], chance, parts & group, generator)
                images = change(images, where)
        if parts & _COLOUR:
            images = coloured(images, draw_colouring(len(images), chance, parts, generator))
        if "filter" in parts:
            images = filtered(images, draw_strengths(len(images), chance, generator))
        if "noise" in parts:
            images = noisy(images, chance, generator)
        return cut_out(images, chance, generator) if "cutout" in parts else images


@dataclass
class Adaptation:
    """The probability, and what it follows: the mean sign of logits of training images (Karras et al. 2020b, eq. 1).

    After every `every` steps it moves towards where that mean is `target`, so that it could go from 0 to 1 within
    `images` images. `target` None leaves it as it is.
    """

    chance: float
    target: float | None = None
    every: int = 4
    images: int = 500_000
    signs: float = 0.0
    seen: int = 0
    steps: int = 0

    def note(self, logits: Tensor) -> None:
        """Take in a batch's logits of training images."""
        if self.target is None:
            return
        self.signs += float(torch.sign(logits.detach().float()).sum())
        self.seen += len(logits)

    @property
    def sureness(self) -> float:
        """The mean sign since the last adjustment, -1..1; 0 before anything was seen."""
        return self.signs / self.seen if self.seen else 0.0

    def step(self, sureness: float, batch: int) -> None:
        """End a step over `batch` images; `sureness` is that of all processes."""
        self.steps += 1
        if self.target is None or self.steps % self.every:
            return
        move = batch * self.every / self.images
        self.chance = max(0.0, self.chance + (move if sureness > self.target else -move))
        self.signs, self.seen = 0.0, 0
