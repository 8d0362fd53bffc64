"""The expectation of effects over a distribution of interventions, and how sure it is.

E[Effect] = Σ P(X = x) · Effect(x' → y, Z): Eq. 2 of Yang et al. 2019, with Effect as in `effects`. Masks are drawn as P
says, so that the sum is their mean. An intervention is a variable F of the graph: idle, or do(x') (their Eq. 3).
"""

from __future__ import annotations  # array[float] is a name for type checkers until Python 3.12

from array import array
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from math import fsum, sqrt
from operator import sub
from typing import Any

from sitegen_runtime.calibration import sigmoid
from sitegen_runtime.gate.reconstruction_scores import as_shares
from sitegen_runtime.gate.ssim import mean_ssim
from sitegen_runtime.interventions.fillings import Canvas
from sitegen_runtime.interventions.what_if import STAGE, Scene
from sitegen_runtime.pixels.grids import Shape, resampled
from sitegen_runtime.requests import Progress, Request
from sitegen_runtime.running import run_network

WIDTH = 1.96  # standard errors on either side of a mean, of an interval of 95 %


@dataclass(frozen=True)
class Drawn:
    """One draw: the effect on each label's probability and logit, and the gate's SSIM of the changed image or None."""

    effects: tuple[float, ...]
    logit_effects: tuple[float, ...]
    similarity: float | None


@dataclass(frozen=True)
class Expected:
    """The mean of effects over draws, its standard error, and an interval of 95 % of a normal mean."""

    mean: float
    error: float

    @property
    def low(self) -> float:
        """The lower end of the interval."""
        return self.mean - WIDTH * self.error

    @property
    def high(self) -> float:
        """The upper end of the interval."""
        return self.mean + WIDTH * self.error


def expected(values: Sequence[float]) -> Expected:
    """Return the mean of effects, of which there must be two at least."""
    mean = fsum(values) / len(values)
    squares = fsum((value - mean) ** 2 for value in values)
    return Expected(mean, sqrt(squares / (len(values) - 1) / len(values)))


def draw_effects(scene: Scene, masks: Sequence[bytes], filling: str) -> Generator[Request, Any, list[Drawn]]:
    """Return the effects of masks over the classifier's input, one draw a mask, on an image as it is.

    Raises BadIntervention where the filling cannot be had, and EngineFailed.
    """
    canvas, model = scene.canvases["classifier"], scene.model
    before = [finding["logit"] for finding in scene.draft.findings]
    drawn = []
    for place, mask in enumerate(masks):
        yield Progress(STAGE, place / len(masks))
        changed = canvas.changed(mask, filling)
        after = (yield from run_network(model, "classifier", changed, ("logits",)))["logits"]
        similarity = (yield from _similarity(scene, changed)) if "gate" in scene.canvases else None
        drawn.append(
            Drawn(
                tuple(sigmoid(new) - sigmoid(old) for new, old in zip(after, before, strict=True)),
                tuple(map(sub, after, before)),
                similarity,
            )
        )
    return drawn


def _similarity(scene: Scene, changed: array[float]) -> Generator[Request, Any, float]:
    """The first score of the gate alone: the SSIM of the changed image and its reconstruction."""
    gate = scene.canvases["gate"]
    given = as_the_gate_sees(scene.canvases["classifier"], gate, changed)
    answer = yield from run_network(scene.model, "gate", given, ("reconstruction",))
    pair = as_shares(given, gate.entry), as_shares(answer["reconstruction"], gate.entry)
    return mean_ssim(*pair, gate.entry.side)


def as_the_gate_sees(own: Canvas, gate: Canvas, changed: array[float]) -> array[float]:
    """Return the gate's input of a changed image: its own, plus what changed in the classifier's, on its own cells.

    Exact where both see the same square and the gate's cells are so many whole ones of the classifier's. Otherwise the
    change is read off between the centres of the classifier's cells. Of several channels the mean counts, where the
    other network has not as many.
    """
    pairs = zip(as_shares(changed, own.entry), as_shares(own.values, own.entry), strict=True)
    planes = [list(map(sub, new, old)) for new, old in pairs]
    if len(planes) != len(gate.entry.mean):
        planes = [[fsum(cell) / len(planes) for cell in zip(*planes, strict=True)]] * len(gate.entry.mean)
    span, size = gate.entry.range[1] - gate.entry.range[0], gate.entry.area
    result = array("f")
    for number, (plane, std) in enumerate(zip(planes, gate.entry.std, strict=True)):
        values = gate.values[number * size : (number + 1) * size]
        changes = _brought(plane, own, gate)
        result.extend([value + span * change / std for value, change in zip(values, changes, strict=True)])
    return result


def _brought(plane: Sequence[float], own: Canvas, gate: Canvas) -> list[float]:
    grid, wanted = own.entry.grid, gate.entry.grid
    if own.square == gate.square and not any(have % want for have, want in zip(grid, wanted, strict=True)):
        return _block_means(plane, grid, (grid[0] // wanted[0], grid[1] // wanted[1]))
    ours, theirs = own.square, gate.square
    left, top = theirs.left - ours.left, theirs.top - ours.top
    across = left / ours.width, (left + theirs.width) / ours.width
    down = top / ours.height, (top + theirs.height) / ours.height
    return resampled(plane, grid, wanted, across, down)


def _block_means(plane: Sequence[float], grid: Shape, block: Shape) -> list[float]:
    (height, width), (down, across), means = grid, block, list[float]()
    for top in range(0, height, down):
        rows = [plane[row * width : (row + 1) * width] for row in range(top, top + down)]
        summed = [fsum(column) for column in zip(*rows, strict=True)]
        means += [fsum(summed[left : left + across]) / (down * across) for left in range(0, width, across)]
    return means
