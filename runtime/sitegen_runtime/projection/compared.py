"""An image beside its reconstruction: how far both are apart, where, and in which patch most."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum
from operator import sub

from sitegen_runtime.bundle.model import NetworkInput
from sitegen_runtime.gate.reconstruction_scores import Planes, absolute_errors, as_shares
from sitegen_runtime.gate.ssim import mean_ssim

PATCHES = 4
"""A patch is so many times smaller than the image, along each side."""


@dataclass(frozen=True)
class Patch:
    """A square of `size` x `size` cells: the column and row of its first cell, and its mean squared error."""

    x: int
    y: int
    size: int
    error: float


@dataclass(frozen=True)
class Compared:
    """The mean squared error in shares of the range, the structural similarity, |image − reconstruction| of each cell
    (averaged over channels), the worst patch, and the reconstruction in shares."""

    error: float
    similarity: float
    errors: tuple[float, ...]
    worst: Patch
    reconstruction: Planes


def compared(image: Sequence[float], reconstruction: Sequence[float], entry: NetworkInput) -> Compared:
    """Compare values of a network's input (NCHW with N = 1, flat)."""
    first, second = as_shares(image, entry), as_shares(reconstruction, entry)
    second = [[min(max(value, 0.0), 1.0) for value in plane] for plane in second]
    side = entry.side
    squares = [fsum(values) / len(first) for values in zip(*map(_squares, first, second), strict=True)]
    return Compared(
        fsum(squares) / side**2,
        mean_ssim(first, second, side),
        tuple(absolute_errors(first, second)),
        worst_patch(squares, side, max(1, side // PATCHES)),
        second,
    )


def _squares(first: Sequence[float], second: Sequence[float]) -> list[float]:
    return [difference * difference for difference in map(sub, first, second)]


def worst_patch(squares: Sequence[float], side: int, size: int) -> Patch:
    """Return the patch with the largest mean of squares [side x side], the first in rows of several."""
    rows = [_window_sums(squares[row * side : (row + 1) * side], size) for row in range(side)]
    columns = [_window_sums(column, size) for column in zip(*rows, strict=True)]
    places = ((y, x) for y in range(len(columns[0])) for x in range(len(columns)))
    y, x = max(places, key=lambda place: columns[place[1]][place[0]])  # the first of several
    return Patch(x, y, size, columns[x][y] / size**2)


def _window_sums(values: Sequence[float], size: int) -> list[float]:
    return [fsum(values[start : start + size]) for start in range(len(values) - size + 1)]
