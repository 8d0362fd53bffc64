"""Exact area average of a rectangle of pixels onto a coarser (or finer) grid of cells.

Along each side, cell i of n covers the pixels from i * length / n to (i + 1) * length / n. Measured in units of 1/n
pixel, all borders are integers, so every cell is an integer sum: CPython and every browser agree to the bit. Where the
length is a multiple of n this is the plain mean of each block; elsewhere border pixels count by the share of them that
lies inside.

Rows come in as lane rows (see `luma`) and are added with integer weights, which sums every column at C speed. The
vertical weights of a cell add up to `height`, so a lane reaches `largest sample * height`, which stays below 2**32 up
to a height of 16.8 million for 8 bits and 65,537 for 16. Horizontal weights are applied outside the lanes, where they
cannot overflow.
"""

import sys
from array import array
from itertools import accumulate, islice
from operator import itemgetter, mul, sub

from sitegen_runtime.pixels.luma import LANE_BYTES


class AreaAverage:
    """Sums of one colour plane of `width` x `height` pixels over `columns` x `rows` cells, fed row by row.

    After `height` calls of `add`, `sums` holds columns * rows integers in row-major order, each the area-weighted sum
    of its pixels in units of 1 / (columns * rows) pixel: divide by `width * height` for the mean sample.
    """

    def __init__(self, width: int, height: int, columns: int, rows: int) -> None:
        if min(width, height, columns, rows) < 1:
            raise ValueError(
                f"an area average needs at least one pixel and one cell, not {width} x {height} and {columns} x {rows}"
            )
        self.width, self.height, self.columns, self.rows = width, height, columns, rows
        self.sums: list[float] = []  # whole numbers
        self._row = 0
        self._next_border = height  # in units of 1/rows pixel, as are all vertical positions here
        self._partial = 0  # weighted rows of the open cell
        self._whole = 0  # rows that lie in the open cell entirely, not yet weighted by `rows`
        borders = [cell * width for cell in range(columns + 1)]
        self._whole_pixels = itemgetter(*(border // columns for border in borders))
        self._parts = [border % columns for border in borders]

    def add(self, lanes: int) -> None:
        """Take the next row from the top, as a lane row of `width` samples."""
        position = self._row * self.rows
        end = position + self.rows
        self._row += 1
        if end < self._next_border:
            self._whole += lanes
            return
        while self._next_border <= end:
            inside = self._next_border - position
            self._close_cell(self._partial + self._whole * self.rows + lanes * inside)
            position = self._next_border
            self._next_border += self.height
            self._partial = self._whole = 0
        self._partial = lanes * (end - position)

    def _close_cell(self, column_sums: int) -> None:
        columns = array("I")
        columns.frombytes(column_sums.to_bytes(LANE_BYTES * self.width, "little"))
        if sys.byteorder == "big":
            columns.byteswap()
        # The integral up to a border: all whole pixels before it, times `columns`, plus its part of the pixel it cuts.
        before = list(accumulate(columns, initial=0))
        columns.append(0)
        whole = [total * self.columns for total in self._whole_pixels(before)]
        integral = list(map(int.__add__, whole, map(mul, self._whole_pixels(columns), self._parts)))
        self.sums.extend(map(sub, islice(integral, 1, None), integral))
