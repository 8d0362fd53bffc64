"""Which pixels of an image a network sees, and which cells of its input these become.

`crop` is the centred square; a share of it is the middle of that. `squash` is the whole image, its sides scaled
each by itself; a share is the middle of both sides. `pad` is the whole image, scaled evenly until its longer side fills
the input, and a fill in the cells beside it; a share is of the longer side. So that the fill is a fill to the last
cell, the shorter side of a padded image becomes a whole number of cells, the nearest, at most half a cell more or less
than it would be.
"""

from __future__ import annotations  # array[float] is a name for type checkers until Python 3.12

from array import array
from collections.abc import Sequence
from dataclasses import dataclass

from sitegen_runtime.bundle.model import CROP, PAD, NetworkInput
from sitegen_runtime.pixels.geometry import Place, centred_square, part_of


@dataclass(frozen=True)
class View:
    """The pixels that are seen, and the `columns` x `rows` cells of `side` x `side` that they become.

    `column` and `row` are the first of these cells; all others are the fill's.
    """

    seen: Place
    columns: int
    rows: int
    column: int
    row: int
    side: int

    @property
    def is_padded(self) -> bool:
        """Whether cells lie beside the image."""
        return (self.columns, self.rows) != (self.side, self.side)

    @property
    def place(self) -> Place:
        """Where the whole input lies, in pixels of the image: beyond it where it is padded."""
        if not self.is_padded:
            return self.seen
        wide, high = self.seen.width / self.columns, self.seen.height / self.rows
        left, top = self.seen.left - self.column * wide, self.seen.top - self.row * high
        return Place(left, top, self.side * wide, self.side * high)


def view(width: int, height: int, entry: NetworkInput) -> View:
    """Return what a network sees of an upright image of so many pixels."""
    side = entry.cells
    if entry.fit == CROP:
        return View(centred_square(width, height, entry.fraction), side, side, 0, 0, side)
    if entry.fit == PAD:
        longest = part_of(max(width, height), entry.fraction)
        seen = _centred(width, height, min(width, longest), min(height, longest))
        columns, rows = (_cells(length, longest, side) for length in (seen.width, seen.height))
        return View(seen, columns, rows, (side - columns) // 2, (side - rows) // 2, side)
    part = _centred(width, height, part_of(width, entry.fraction), part_of(height, entry.fraction))
    return View(part, side, side, 0, 0, side)


def _centred(width: int, height: int, across: int, down: int) -> Place:
    return Place((width - across) // 2, (height - down) // 2, across, down)


def _cells(length: float, longest: int, side: int) -> int:
    """How many of the input's cells a side becomes: the nearest number, half up, and at least 1."""
    return max(1, (2 * side * int(length) + longest) // (2 * longest))


def padded(values: Sequence[float], seen: View, entry: NetworkInput) -> array[float]:
    """Return float32 values (NCHW with N = 1, flat) of what is seen, columns x rows a channel, with the fill around."""
    if not seen.is_padded:
        return values if isinstance(values, array) else array("f", values)
    size, found = seen.columns * seen.rows, array("f")
    for channel, level in enumerate(_levels(entry)):
        above = [level] * (seen.row * seen.side)
        left, right = [level] * seen.column, [level] * (seen.side - seen.column - seen.columns)
        found.extend(above)
        for start in range(channel * size, (channel + 1) * size, seen.columns):
            found.extend([*left, *values[start : start + seen.columns], *right])
        found.extend([level] * (seen.side * (seen.side - seen.row - seen.rows)))
    return found


def unpadded(values: Sequence[float], seen: View) -> list[float]:
    """Return of a whole input's values, side x side a channel, those that the image became."""
    size, found = seen.side**2, list[float]()
    for start in range(0, len(values), size):
        for row in range(seen.row, seen.row + seen.rows):
            first = start + row * seen.side + seen.column
            found.extend(values[first : first + seen.columns])
    return found


def _levels(entry: NetworkInput) -> list[float]:
    """The fill of each channel, as the network takes it."""
    low, high = entry.range
    return [
        (low + (high - low) * share - mean) / std
        for share, mean, std in zip(entry.fill, entry.mean, entry.std, strict=True)
    ]
