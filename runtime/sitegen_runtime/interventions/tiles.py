"""Random masks of tiles: each keeps about half of the image, and every cell is kept with a chance of just one half.

As in RISE (Petsiuk, Das and Saenko, BMVC 2018), a grid that is moved at random, so that maps are finer than its tiles;
but with hard edges, so that a cell is kept or changed, and what a mask says of it has a plain meaning.
"""

from __future__ import annotations  # array[float] is a name for type checkers until Python 3.12

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, pairwise
from operator import add

from sitegen_runtime.interventions.draws import Draws
from sitegen_runtime.pixels.grids import Shape

ACROSS = 5  # tiles along each side of the image: with more of them a map of as many runs is mostly noise
Span = tuple[int, int]  # from the first cell to before the second


@dataclass(frozen=True)
class Tiles:
    """A mask over a grid of cells: rows of tiles, each with its span of rows, and the kept spans in it."""

    grid: Shape
    bands: Sequence[tuple[Span, Sequence[Span]]]

    def kept(self) -> Iterator[tuple[int, int, int, int]]:
        """Yield top, bottom, left and right of each kept rectangle; they do not overlap."""
        for (top, bottom), spans in self.bands:
            for left, right in spans:
                yield top, bottom, left, right

    def masked(self, values: array[float], filling: array[float]) -> array[float]:
        """Return the filling with the kept cells of the values in every channel (both flat, row-major)."""
        result, (rows, columns) = filling[:], self.grid
        given, made = memoryview(values), memoryview(result)
        for channel in range(0, len(values), rows * columns):
            for (top, bottom), spans in self.bands:
                for start in range(channel + top * columns, channel + bottom * columns, columns):
                    for left, right in spans:
                        made[start + left : start + right] = given[start + left : start + right]
        return result


def draw_tiles(grid: Shape, draws: Draws, across: int = ACROSS) -> Tiles:
    """Return a random mask: one tile more than fit along each side, moved by less than a tile, each kept or not.

    Tiles have the form of the image: as many of them along its longer side as along its shorter one.
    """
    rows, columns = (_borders(cells, draws, across) for cells in grid)
    bits = draws.bits((across + 1) ** 2)
    bands = []
    for number, span in enumerate(rows):
        if span[0] < span[1]:
            line = bits >> (number * (across + 1))
            bands.append((span, _merged(columns, line)))
    return Tiles(grid, bands)


def _borders(cells: int, draws: Draws, across: int) -> list[Span]:
    """The spans of across + 1 tiles, the first of which begins less than a tile before the image."""
    size = -(-cells // across)
    shift = draws.below(size)
    edges = [min(max(number * size - shift, 0), cells) for number in range(across + 2)]
    return list(pairwise(edges))


def _merged(columns: Sequence[Span], bits: int) -> list[Span]:
    """The spans whose bits are 1; neighbours are one span."""
    spans: list[Span] = []
    for number, (left, right) in enumerate(columns):
        if left == right or not bits >> number & 1:
            continue
        if spans and spans[-1][1] == left:
            spans[-1] = spans[-1][0], right
        else:
            spans.append((left, right))
    return spans


class Tally:
    """Sums over masks, for each cell, of numbers that belong to those masks that keep it.

    A rectangle is entered at its four corners alone, and all sums are made when they are asked for: so a mask costs
    hundreds of additions, and not one for each cell.
    """

    def __init__(self, grid: Shape) -> None:
        self._grid, self._width = grid, grid[1] + 1
        self._corners = [0.0] * ((grid[0] + 1) * self._width)

    def add(self, tiles: Tiles, number: float) -> None:
        """Add a number to every cell that a mask keeps."""
        corners, width = self._corners, self._width
        for top, bottom, left, right in tiles.kept():
            above, below = top * width, bottom * width
            corners[above + left] += number
            corners[above + right] -= number
            corners[below + left] -= number
            corners[below + right] += number

    def sums(self) -> list[float]:
        """Return the sum of each cell, row-major."""
        (rows, columns), width = self._grid, self._width
        lines = [list(accumulate(self._corners[row * width : row * width + columns])) for row in range(rows)]
        sums = [0.0] * columns
        return list(chain.from_iterable(sums := list(map(add, sums, line)) for line in lines))
