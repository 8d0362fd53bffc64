"""How colourful a picture is, told from a few thousand of its pixels: those of the rows that pass by anyway.

The pixels lie on a grid of at most 96 x 96, the same on every platform, and the measure is a sum of integers. A file
that is known to be grey is not looked at.
"""

from collections.abc import Sequence
from operator import sub

_GRID = 48  # pixels along each side at least, where there are as many


class ColourSample:
    """Collects how far red, green and blue of single pixels lie apart, row by row of a window."""

    def __init__(self) -> None:
        self._total = 0
        self._count = 0
        self._rows = self._columns = range(0)
        self._pixel_bytes = self._colour_bytes = 0

    def expect(self, width: int, height: int, channels: int, sample_bits: int) -> None:
        """Say how rows will come: interleaved unsigned samples, of 8 bits, or of 16 in little-endian order."""
        self._rows, self._columns = _grid(height), _grid(width)
        self._colour_bytes = sample_bits // 8
        self._pixel_bytes = channels * self._colour_bytes

    @property
    def places(self) -> tuple[range, range]:
        """The rows and the columns of the window at which the grid's pixels lie."""
        return self._rows, self._columns

    def take_pixels(self, rgba: bytes | memoryview) -> None:
        """Take the RGBA bytes of all of the grid's pixels at once, instead of rows."""
        self._add([memoryview(rgba)[place::4] for place in range(3)])

    def take(self, number: int, row: memoryview) -> None:
        """Take the row of this number, from 0; it counts where the grid has it."""
        if number not in self._rows:
            return
        start, step = self._columns.start * self._pixel_bytes, self._columns.step * self._pixel_bytes
        upper = self._colour_bytes - 1  # of 16 bits, the upper 8 are enough
        self._add([row[start + place * self._colour_bytes + upper :: step] for place in range(3)])

    def _add(self, planes: Sequence[memoryview]) -> None:
        self._total += sum(map(sub, map(max, *planes), map(min, *planes)))
        self._count += len(planes[0])

    @property
    def mean(self) -> float:
        """The mean difference between the largest and the smallest of red, green and blue, as a share of full scale."""
        return self._total / (255 * self._count) if self._count else 0.0


def _grid(length: int) -> range:
    step = max(1, length // _GRID)
    return range(step // 2, length, step)
