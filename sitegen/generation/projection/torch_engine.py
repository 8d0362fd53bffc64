"""Projection by PyTorch: several images at once, on the CPU or a card. It follows no graph, and so checks that way.

Every image has the same random numbers, so that what comes out does not depend on the batch that it was in.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sitegen.generation.projection.drawn import Drawn, noise_regularity
from sitegen.generation.projection.losses import NOISE_WEIGHT, pixel_distance
from sitegen_runtime.projection import schedule
from sitegen_runtime.projection.loop import SKETCHES
from sitegen_runtime.projection.schedule import ONE, Wish

Values = NDArray[np.float32]
Distance = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Fitted:
    """What N projections came to: images [N, C, side, side], latents [N, layers, length], all noise [N, values], and
    the distances [steps + 1, N] at each step and at the end. `frames` are drawings on the way, where asked for."""

    images: Values
    latents: Values
    noise: Values
    distances: Values
    frames: Sequence[Values] = ()


def fit(
    drawn: Drawn,
    images: Values,
    wish: Wish,
    *,
    distance: Distance = pixel_distance,
    device: str = "cpu",
    tell: Callable[[int], None] | None = None,
    frames: bool = False,
) -> Fitted:
    """Return the reconstructions of images [N, C, side, side], values from -1 to 1. `tell` hears of each step.

    With `frames`, up to SKETCHES drawings on the way are kept.
    """
    drawn.network.to(device)
    wanted = torch.from_numpy(images).to(device)
    free = _Free(drawn, len(images), wish, device)
    # Moments and rates as in `schedule`; PyTorch's own Adam, and its own gradient.
    adam = torch.optim.Adam(free.tensors, schedule.RATE, betas=(schedule.FIRST, schedule.SECOND), eps=schedule.EPSILON)
    distances: list[Tensor] = []
    kept: list[Values] = []
    every = max(1, wish.steps // SKETCHES)
    for step in range(wish.steps):
        for group in adam.param_groups:
            group["lr"] = schedule.rate(step, wish.steps)
        made = drawn.draw(free.jittered(schedule.jitter(step, wish.steps)), free.noise)
        away = distance(made, wanted)
        loss = away.sum() + NOISE_WEIGHT * noise_regularity(free.noise).sum()
        slopes = torch.autograd.grad(loss, free.tensors)  # of what is free alone, not of the weights
        for tensor, slope in zip(free.tensors, slopes, strict=True):
            tensor.grad = slope
        adam.step()
        free.normalise()
        distances.append(away.detach())
        if frames and step % every == 0:
            kept.append(made.detach().cpu().numpy())
        if tell:
            tell(step)
    with torch.no_grad():
        latents = free.latents()
        made = drawn.draw(latents, free.noise)
        distances.append(distance(made, wanted))
        noise = torch.cat([each.flatten(1) for each in free.noise], 1)
    drawn.network.to("cpu")
    parts = [each.detach().cpu().numpy() for each in (made, latents, noise, torch.stack(distances))]
    return Fitted(parts[0], parts[1], parts[2], parts[3], kept)


class _Free:
    """The tensors that are fitted, and the random numbers."""

    def __init__(self, drawn: Drawn, count: int, wish: Wish, device: str) -> None:
        self._drawn, self._count, self._device = drawn, count, device
        self._random = schedule.Draws(wish, (drawn.layers, drawn.length))
        self._mean = drawn.mean.to(device)
        rows = 1 if wish.space == ONE else drawn.layers
        self._latents = self._mean.repeat(count, rows, 1).requires_grad_()
        values = torch.tensor(self._random.noise(drawn.noise_values), device=device)
        parts = torch.split(values, [side**2 for side in drawn.sides])
        self.noise = [
            part.reshape(1, 1, side, side).repeat(count, 1, 1, 1).requires_grad_()
            for part, side in zip(parts, drawn.sides, strict=True)
        ]
        self.tensors = [self._latents, *self.noise]

    def latents(self) -> Tensor:
        """Return [N, layers, length]."""
        return self._latents.expand(self._count, self._drawn.layers, self._drawn.length)

    def jittered(self, deviation: float) -> Tensor:
        """Return the latents with noise of so many deviations of the generator's latents."""
        drawn = torch.tensor(self._random.latent(), device=self._device)
        away = drawn.reshape(1, self._drawn.layers, self._drawn.length)
        return self.latents() + self._drawn.deviation * deviation * away

    @torch.no_grad()
    def normalise(self) -> None:
        """Give every noise input the mean 0 and the variance 1."""
        for each in self.noise:
            each -= each.mean((1, 2, 3), keepdim=True)
            each /= each.square().mean((1, 2, 3), keepdim=True).sqrt()
