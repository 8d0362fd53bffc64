"""Which pixels a network sees: the centred square of the upright image, and EXIF orientations.

An orientation is applied to the small grid of sums, not to the pixels: area averages of a square commute with flips and
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
class Square:
    """A square of pixels: offset of its upper left corner, and its side."""

    left: int
    top: int
    side: int


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


def centred_square(width: int, height: int, fraction: float = 1.0) -> Square:
    """Return the centred square whose side is `fraction` (0 < fraction <= 1) of the shorter side, in pixels.

    The side is rounded half up and at least 1; the offset is floor((width - side) / 2), and likewise for the height.
    """
    side = max(1, int(min(width, height) * fraction + 0.5))
    return Square((width - side) // 2, (height - side) // 2, side)


def stored_square(square: Square, width: int, height: int, orientation: int) -> Square:
    """Return where a square of the upright image lies in the stored one, whose size is width x height."""
    transposed, mirrored_horizontally, mirrored_vertically = ORIENTATIONS[orientation]
    upright_width, upright_height = upright_size(width, height, orientation)
    left = upright_width - square.left - square.side if mirrored_horizontally else square.left
    top = upright_height - square.top - square.side if mirrored_vertically else square.top
    return Square(top, left, square.side) if transposed else Square(left, top, square.side)


def orient(cells: Sequence[Value], size: int, orientation: int) -> list[Value]:
    """Return a row-major `size` x `size` grid turned upright."""
    transposed, mirrored_horizontally, mirrored_vertically = ORIENTATIONS[orientation]
    rows = [list(cells[start : start + size]) for start in range(0, size * size, size)]
    if transposed:
        rows = [list(column) for column in zip(*rows, strict=True)]
    if mirrored_horizontally:
        rows = [row[::-1] for row in rows]
    if mirrored_vertically:
        rows = rows[::-1]
    return [value for row in rows for value in row]
