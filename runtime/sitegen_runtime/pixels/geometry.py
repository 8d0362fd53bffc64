"""Rectangles of an image, and EXIF orientations.

An orientation is applied to the small grid of sums, not to the pixels: area averages commute with flips and
transpositions, so this is exact and costs nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

Value = TypeVar("Value")

# orientation -> (transposed, mirrored left-right, mirrored top-bottom): how the stored image becomes the upright one,
# the transposition first (Exif 2.3, tag 0x0112).
ORIENTATIONS = {
    1: (False, False, False),
    2: (False, True, False),
    3: (False, True, True),
    4: (False, False, True),
    5: (True, False, False),
    6: (True, True, False),
    7: (True, True, True),
    8: (True, False, True),
}


@dataclass(frozen=True, order=True)
class Place:
    """A rectangle in an image, in pixels: offset of its upper left corner, and its size.

    Whole numbers where it is made of pixels. What a network takes of a padded image reaches beyond it (see `views`).
    """

    left: float
    top: float
    width: float
    height: float

    @property
    def shorter(self) -> float:
        """The shorter side."""
        return min(self.width, self.height)


def upright_size(width: int, height: int, orientation: int) -> tuple[int, int]:
    """Return width and height after the EXIF orientation (1..8) is applied."""
    return (height, width) if ORIENTATIONS[orientation][0] else (width, height)


def turned(orientation: int, turn: int) -> int:
    """Return the orientation that brings a stored image upright by `orientation` and then turns it by another one."""
    transposed, horizontally, vertically = ORIENTATIONS[orientation]
    again, then_horizontally, then_vertically = ORIENTATIONS[turn]
    if again:  # mirroring left-right before a transposition is mirroring top-bottom after it
        horizontally, vertically = vertically, horizontally
    both = (transposed != again, horizontally != then_horizontally, vertically != then_vertically)
    return next(number for number, steps in ORIENTATIONS.items() if steps == both)


def square(left: float, top: float, side: float) -> Place:
    """Return the place of a square."""
    return Place(left, top, side, side)


def part_of(length: int, fraction: float) -> int:
    """Return a share (0 < fraction <= 1) of so many pixels: rounded half up, and at least 1."""
    return max(1, int(length * fraction + 0.5))


def stored_place(place: Place, width: int, height: int, orientation: int) -> Place:
    """Return where a place of the upright image lies in the stored one, whose size is width x height."""
    transposed, mirrored_horizontally, mirrored_vertically = ORIENTATIONS[orientation]
    upright_width, upright_height = upright_size(width, height, orientation)
    left = upright_width - place.left - place.width if mirrored_horizontally else place.left
    top = upright_height - place.top - place.height if mirrored_vertically else place.top
    return Place(top, left, place.height, place.width) if transposed else Place(left, top, place.width, place.height)


def orient(cells: Sequence[Value], columns: int, orientation: int) -> list[Value]:
    """Return a row-major grid of so many `columns`, as many as it has as it is stored, turned upright."""
    transposed, mirrored_horizontally, mirrored_vertically = ORIENTATIONS[orientation]
    rows = [list(cells[start : start + columns]) for start in range(0, len(cells), columns)]
    if transposed:
        rows = [list(column) for column in zip(*rows, strict=True)]
    if mirrored_horizontally:
        rows = [row[::-1] for row in rows]
    if mirrored_vertically:
        rows = rows[::-1]
    return [value for row in rows for value in row]
