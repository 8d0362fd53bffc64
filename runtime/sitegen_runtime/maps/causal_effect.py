"""Causal effect maps: parts of the image are masked at random, many times, and what the model then says is averaged.

A mask M keeps each cell with a chance of p = 1/2 (see `interventions.tiles`); y is what the model says of the masked
image. RISE's estimator of E[y | M(λ) = 1] is the mean of y M(λ) / p (Petsiuk, Das and Saenko, BMVC 2018, Eq. 6). Its
contrast, E[y | M(λ) = 1] − E[y | M(λ) = 0], is the mean effect of leaving the cell λ as it is, where it would have been
masked, while all others are masked at random. Without bias it is the sample covariance of y and M(λ) over p (1 − p).
"""

from __future__ import annotations  # array[float] is a name for type checkers until Python 3.12

from array import array
from dataclasses import dataclass
from math import sqrt

from sitegen_runtime.interventions.tiles import Tally, Tiles
from sitegen_runtime.pixels.grids import Shape

RUNS = 500
KEPT = 0.5  # of the masks keep a cell
FIRST_SKETCH, NEXT_SKETCH = 32, 52  # runs until the map is shown for the first time, and from then on
SEED = 2019


@dataclass(frozen=True)
class Estimate:
    """Of each cell, the estimate and its standard error, from so many runs."""

    values: array[float]
    errors: array[float]
    runs: int


class CausalEffects:
    """What is known of a map after some masks, for an image of so many rows and columns."""

    def __init__(self, grid: Shape) -> None:
        self._count, self._first, self._second = (Tally(grid) for _ in range(3))
        self._runs, self._sum, self._squares = 0, 0.0, 0.0

    def add(self, tiles: Tiles, said: float) -> None:
        """Take in what the model said of the image behind a mask."""
        self._runs += 1
        self._sum += said
        self._squares += said * said
        for tally, number in ((self._count, 1.0), (self._first, said), (self._second, said * said)):
            tally.add(tiles, number)

    @property
    def runs(self) -> int:
        """How many masks were taken in."""
        return self._runs

    def contrast(self) -> Estimate:
        """Return RISE's contrast of each cell; there must be two runs at least.

        Its standard error is that of the mean of z = (y − ȳ)(M − p) / (p (1 − p)). As p is 1/2, (M − p)² is 1/4.
        """
        runs, mean, spread = self._runs, self._sum / self._runs, KEPT * (1 - KEPT)
        factor = 1 / ((runs - 1) * spread)
        values = [
            (first - mean * count) * factor for first, count in zip(self._first.sums(), self._count.sums(), strict=True)
        ]
        squared = max(self._squares - runs * mean * mean, 0.0) * KEPT**2 / spread**2  # the sum of z²
        errors = [sqrt(max(squared / runs - value * value, 0.0) / (runs - 1)) for value in values]
        return Estimate(array("f", values), array("f", errors), runs)

    def weighted(self) -> Estimate:
        """Return the mean of −y over all runs, where y counts only in the cells that its mask changed.

        With y the effect of Eq. 1 (see `interventions.effects`) that is the paper's "weights of CE on each pixel",
        its sign turned so that cells whose masking lowers the finding come out above 0.
        """
        runs = self._runs
        means = [(first - self._sum) / runs for first in self._first.sums()]
        squares = [(self._squares - second) / runs for second in self._second.sums()]
        spread = zip(squares, means, strict=True)
        errors = [sqrt(max(square - mean * mean, 0.0) / max(runs - 1, 1)) for square, mean in spread]
        return Estimate(array("f", means), array("f", errors), runs)
