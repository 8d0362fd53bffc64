"""Grids of numbers, row-major and flat: made larger or smaller, and smoothed. What heat maps are drawn with."""

from collections.abc import Sequence
from itertools import accumulate, chain
from operator import add, sub

Shape = tuple[int, int]  # rows, columns
Part = tuple[float, float]  # of a side: from where to where, as shares of it
_WHOLE: Part = (0.0, 1.0)
_TIMES = 3  # that running means are taken


def enlarged(values: Sequence[float], shape: Shape, wanted: Shape) -> list[float]:
    """Return a grid of the wanted shape, by bilinear interpolation between the centres of the cells.

    Beyond the outermost centres the outermost values hold, as in PyTorch's `interpolate(mode="bilinear",
    align_corners=False)`.
    """
    return resampled(values, shape, wanted, _WHOLE, _WHOLE)


def resampled(values: Sequence[float], shape: Shape, wanted: Shape, across: Part, down: Part) -> list[float]:
    """Return a part of a grid in the wanted shape, as `enlarged` does: from where to where in it, across and down.

    0 and 1 are the edges of the grid. A part may reach beyond them, where the outermost values hold.
    """
    rows, columns = shape
    places = _places(columns, wanted[1], across)
    lines = [values[start : start + columns] for start in range(0, rows * columns, columns)]
    wide = [[line[low] + share * (line[high] - line[low]) for low, high, share in places] for line in lines]
    below = _places(rows, wanted[0], down)
    return list(chain.from_iterable(_mixed(wide[low], wide[high], share) for low, high, share in below))


def _mixed(first: list[float], second: list[float], share: float) -> list[float]:
    return [low + share * (high - low) for low, high in zip(first, second, strict=True)]


def _places(size: int, wanted: int, part: Part) -> list[tuple[int, int, float]]:
    """For each place of the wanted grid: the cells on either side of it, and how far it is on the way to the second."""
    places, (begins, ends) = [], part
    for index in range(wanted):
        # Of the whole grid this is (index + 0.5) * size / wanted - 0.5, to the bit.
        position = min(max(begins * size + (index + 0.5) * (size * (ends - begins)) / wanted - 0.5, 0.0), size - 1.0)
        low = int(position)
        places.append((low, min(low + 1, size - 1), position - low))
    return places


def halved(values: Sequence[float], shape: Shape) -> list[float]:
    """Return a grid of half the rows and columns: the mean of each two by two cells. Both numbers must be even."""
    rows, columns = shape
    pairs = list(map(add, values[::2], values[1::2]))  # a row has an even number of cells, so no pair spans two rows
    across = columns // 2
    lines = [pairs[start : start + across] for start in range(0, rows * across, across)]
    return [
        total / 4 for first, second in zip(lines[::2], lines[1::2], strict=True) for total in map(add, first, second)
    ]


def smoothed(values: Sequence[float], shape: Shape, radius: int) -> list[float]:
    """Return the grid after three running means of 2 · radius + 1 cells along each axis; nothing for a radius of 0.

    Three of them are close to a Gaussian window with a standard deviation of √(radius · (radius + 1)) cells (Wells
    1986). Beyond the edges the outermost values go on.
    """
    if radius == 0:
        return list(values)
    rows, columns = shape
    lines = [_running_sums(values[start : start + columns], radius) for start in range(0, rows * columns, columns)]
    turned = [_running_sums(column, radius) for column in zip(*lines, strict=True)]
    cells = (2 * radius + 1) ** (2 * _TIMES)  # that each sum is of, counted as often as they were added
    return [total / cells for total in chain.from_iterable(zip(*turned, strict=True))]


def _running_sums(line: Sequence[float], radius: int) -> list[float]:
    """Sums of windows are differences of running totals, which the standard library makes fast."""
    width = 2 * radius + 1
    sums = list(line)
    for _ in range(_TIMES):
        padded = [sums[0]] * radius + sums + [sums[-1]] * radius
        totals = list(accumulate(padded, initial=0.0))
        sums = list(map(sub, totals[width:], totals))
    return sums
