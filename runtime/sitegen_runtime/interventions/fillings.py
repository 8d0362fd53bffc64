"""The one table of fillings: what stands where a part of the image was taken away.

A filling is the whole input anew, float32 in NCHW order with N = 1, of which the changed cells are taken. A black
square is itself unlike any image of the training; the gate's reconstruction is what an image of that kind shows there.
"""

from __future__ import annotations  # array[float] is a name for type checkers until Python 3.12

from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress
from math import fsum
from typing import Any

from sitegen_runtime.bundle.model import NetworkInput
from sitegen_runtime.errors import BadIntervention
from sitegen_runtime.pixels.geometry import Place
from sitegen_runtime.pixels.grids import resampled, smoothed

BLACK, MEAN, BLUR, RECONSTRUCTION = "black", "mean", "blur", "reconstruction"
_BLURRED = 16  # cells of the input for each cell of the blur's radius


@dataclass(frozen=True)
class Rebuilt:
    """What the gate's network makes of the image: planes of side x side shares of the range, of a part of it."""

    shares: Sequence[float]
    side: int
    square: Place


@dataclass(frozen=True)
class Canvas:
    """An image as a network takes it, and the part of the picture that it is; `rebuilt` where there is a gate."""

    values: array[float]
    entry: NetworkInput
    square: Place
    rebuilt: Rebuilt | None = None
    _made: dict[str, array[float]] = field(default_factory=dict, compare=False)

    @property
    def planes(self) -> list[array[float]]:
        """The values of each channel."""
        cells = self.entry.area
        return [self.values[start : start + cells] for start in range(0, len(self.values), cells)]

    def filled(self, name: Any) -> array[float]:
        """Return the whole input as the filling of that name has it. Raises BadIntervention."""
        if name not in tuple(FILLINGS):  # whatever it is, hashable or not
            known = ", ".join(map(repr, FILLINGS))
            raise BadIntervention(f"There is no filling {name!r}. The fillings are {known}.")
        if name not in self._made:
            self._made[name] = FILLINGS[name].make(self)
        return self._made[name]

    def changed(self, mask: bytes, name: str) -> array[float]:
        """Return the input with the cells of the mask (a byte each, not 0: changed) filled, in every channel."""
        return replaced(self.values, self.filled(name), mask)


@dataclass(frozen=True)
class Filling:
    """A row: what makes the filled input, its name for people, and a sentence about it."""

    make: Callable[[Canvas], array[float]]
    name: str
    sentence: str


def replaced(values: array[float], filling: array[float], mask: bytes) -> array[float]:
    """Return the values with those of the filling where the mask, which holds for every channel, is not 0."""
    result, cells = values[:], len(mask)
    places = list(compress(range(cells), mask))
    for start in range(0, len(values), cells):
        for place in places:
            result[start + place] = filling[start + place]
    return result


def black(entry: NetworkInput) -> array[float]:
    """Return an image without any light as a network takes it."""
    low, _ = entry.range
    levels = [(low - mean) / std for mean, std in zip(entry.mean, entry.std, strict=True)]
    return array("f", [level for level in levels for _ in range(entry.area)])


def _mean(canvas: Canvas) -> array[float]:
    filled = array("f")
    for plane in canvas.planes:
        filled.extend([fsum(plane) / len(plane)] * len(plane))
    return filled


def blur_radius(cells: int) -> int:
    """Return the radius, in cells, of the three running means of a blur: a sixteenth of the shorter side."""
    return max(1, cells // _BLURRED)


def _blur(canvas: Canvas) -> array[float]:
    grid, filled = canvas.entry.grid, array("f")
    for plane in canvas.planes:
        filled.extend(smoothed(plane, grid, blur_radius(min(grid))))
    return filled


def _reconstruction(canvas: Canvas) -> array[float]:
    rebuilt, entry = canvas.rebuilt, canvas.entry
    if rebuilt is None:
        without = ", ".join(repr(name) for name in FILLINGS if name != RECONSTRUCTION)
        raise BadIntervention(
            f"The filling {RECONSTRUCTION!r} is what the gate's network makes of the image, and this model has no "
            f"gate. Use one of {without}."
        )
    size = rebuilt.side**2
    planes = [rebuilt.shares[start : start + size] for start in range(0, len(rebuilt.shares), size)]
    if len(planes) != len(entry.mean):  # a grey gate beside a classifier that takes colours, or the other way round
        planes = [[fsum(cell) / len(planes) for cell in zip(*planes, strict=True)]] * len(entry.mean)
    across, down = _part(canvas.square, rebuilt.square)
    low, high = entry.range
    filled = array("f")
    for plane, mean, std in zip(planes, entry.mean, entry.std, strict=True):
        drawn = resampled(plane, (rebuilt.side, rebuilt.side), entry.grid, across, down)
        filled.extend([(low + (high - low) * share - mean) / std for share in drawn])
    return filled


def _part(own: Place, other: Place) -> tuple[tuple[float, float], tuple[float, float]]:
    """Where the own place begins and ends within the other, as shares of the other's sides: across, and down."""
    left, top = (own.left - other.left) / other.width, (own.top - other.top) / other.height
    return (left, left + own.width / other.width), (top, top + own.height / other.height)


FILLINGS: Mapping[str, Filling] = {
    BLACK: Filling(
        lambda canvas: black(canvas.entry),
        name="Black",
        sentence="The least grey there is. A black place is itself unlike most images.",
    ),
    MEAN: Filling(
        _mean,
        name="Mean grey",
        sentence="The mean of all that the model sees of the image.",
    ),
    BLUR: Filling(
        _blur,
        name="Blur",
        sentence="The same place without its details.",
    ),
    RECONSTRUCTION: Filling(
        _reconstruction,
        name="The gate's reconstruction",
        sentence="What the gate's network, which knows such images alone, draws there.",
    ),
}
