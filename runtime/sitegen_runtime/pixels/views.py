"""Which pixels of an image a network sees, and which cells of its input these become.

`crop` is the largest part in the middle that has the input's form (the centred square, where that is square); a share
of it is the middle of that. `squash` is the whole image, its sides scaled each by itself; a share is the middle of both
sides. `pad` is the whole image, scaled evenly until it fills the input in one direction (its longer side, where the
input is square), and a fill in the cells beside it; a share is of the side that fills it. So that the fill is a fill to
the last cell, the other side of a padded image becomes a whole number of cells, the nearest, at most half a cell more
or less than it would be.
"""

from __future__ import annotations  # array[float] is a name for type checkers until Python 3.12

from array import array
from collections.abc import Sequence
from dataclasses import dataclass

from sitegen_runtime.bundle.model import CROP, PAD, NetworkInput
from sitegen_runtime.pixels.geometry import Place, part_of


@dataclass(frozen=True)
class View:
    """The pixels that are seen, and the `columns` x `rows` cells that they become, of a `grid` of rows and columns.

    `column` and `row` are the first of these cells; all others are the fill's.
    """

    seen: Place
    columns: int
    rows: int
    column: int
    row: int
    grid: tuple[int, int]

    @property
    def is_padded(self) -> bool:
        """Whether cells lie beside the image."""
        return (self.rows, self.columns) != self.grid

    @property
    def place(self) -> Place:
        """Where the whole input lies, in pixels of the image: beyond it where it is padded."""
        if not self.is_padded:
            return self.seen
        wide, high = self.seen.width / self.columns, self.seen.height / self.rows
        left, top = self.seen.left - self.column * wide, self.seen.top - self.row * high
        return Place(left, top, self.grid[1] * wide, self.grid[0] * high)


def view(width: int, height: int, entry: NetworkInput) -> View:
    """Return what a network sees of an upright image of so many pixels."""
    rows, columns = entry.grid
    is_wide = width * rows >= height * columns  # in proportion, as wide as the input or wider
    if entry.fit == PAD:
        if is_wide:
            across, down, high = _padded(width, height, (columns, rows), entry.fraction)
            return View(_centred(width, height, across, down), columns, high, 0, (rows - high) // 2, entry.grid)
        down, across, wide = _padded(height, width, (rows, columns), entry.fraction)
        return View(_centred(width, height, across, down), wide, rows, (columns - wide) // 2, 0, entry.grid)
    if entry.fit == CROP and is_wide:
        down = part_of(height, entry.fraction)
        across = _in_proportion(down, width, rows, columns)
    elif entry.fit == CROP:
        across = part_of(width, entry.fraction)
        down = _in_proportion(across, height, columns, rows)
    else:
        across, down = part_of(width, entry.fraction), part_of(height, entry.fraction)
    return View(_centred(width, height, across, down), columns, rows, 0, 0, entry.grid)


def _centred(width: int, height: int, across: int, down: int) -> Place:
    return Place((width - across) // 2, (height - down) // 2, across, down)


def _padded(filling: int, other: int, cells: tuple[int, int], fraction: float) -> tuple[int, int, int]:
    """What is seen of the side that fills the input and of the other one, in pixels, and the other one's cells.

    `cells` are those of both sides. Of the other one as much is seen as the input has room for.
    """
    along, beside = cells
    part = part_of(filling, fraction)
    room = _in_proportion(part, other, along, beside)
    return part, room, beside if room < other else min(beside, _nearest(room * along, part))


def _in_proportion(length: int, available: int, cells: int, other: int) -> int:
    """So many pixels as are to `length` as `other` to `cells`: the nearest number, from 1 to what is available."""
    return max(1, min(available, _nearest(length * other, cells)))


def _nearest(number: int, divisor: int) -> int:
    """The quotient as a whole number: the nearest, half up, and at least 1."""
    return max(1, (2 * number + divisor) // (2 * divisor))


def padded(values: Sequence[float], seen: View, entry: NetworkInput) -> array[float]:
    """Return float32 values (NCHW with N = 1, flat) of what is seen, columns x rows a channel, with the fill around."""
    if not seen.is_padded:
        return values if isinstance(values, array) else array("f", values)
    size, found, (high, wide) = seen.columns * seen.rows, array("f"), seen.grid
    for channel, level in enumerate(_levels(entry)):
        above = [level] * (seen.row * wide)
        left, right = [level] * seen.column, [level] * (wide - seen.column - seen.columns)
        found.extend(above)
        for start in range(channel * size, (channel + 1) * size, seen.columns):
            found.extend([*left, *values[start : start + seen.columns], *right])
        found.extend([level] * (wide * (high - seen.row - seen.rows)))
    return found


def unpadded(values: Sequence[float], seen: View) -> list[float]:
    """Return of a whole input's values, a grid a channel, those that the image became."""
    (high, wide), found = seen.grid, list[float]()
    for start in range(0, len(values), high * wide):
        for row in range(seen.row, seen.row + seen.rows):
            first = start + row * wide + seen.column
            found.extend(values[first : first + seen.columns])
    return found


def _levels(entry: NetworkInput) -> list[float]:
    """The fill of each channel, as the network takes it."""
    low, high = entry.range
    return [
        (low + (high - low) * share - mean) / std
        for share, mean, std in zip(entry.fill, entry.mean, entry.std, strict=True)
    ]
