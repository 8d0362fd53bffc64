"""Exact area average of a square of pixels onto a coarser (or finer) square grid of cells.

Cell i of n covers the pixels from i * side / n to (i + 1) * side / n. Measured in units of 1/n pixel, all borders are
integers, so every cell is an integer sum: CPython and every browser agree to the bit. Where the side is a multiple of n
this is the plain mean of each block; elsewhere border pixels count by the share of them that lies inside.

Rows come in as lane rows (see `luma`) and are added with integer weights, which sums every column at C speed. The
vertical weights of a cell add up to `side`, so a lane reaches `largest sample * side`, which stays below 2**32 up to a
side of 16.8 million for 8 bits and 65,537 for 16. Horizontal weights are applied outside the lanes, where they cannot
overflow.
"""

import sys
from array import array
from itertools import accumulate, islice
from operator import itemgetter, mul, sub

from sitegen_runtime.pixels.luma import LANE_BYTES


class AreaAverage:
    """Sums of one colour plane of a `side` x `side` square over `cells` x `cells` cells, fed row by row.

    After `side` calls of `add`, `sums` holds cells * cells integers in row-major order, each the area-weighted sum of
    its pixels in units of 1 / cells**2 pixel: divide by `side**2` for the mean sample.
    """

    def __init__(self, side: int, cells: int) -> None:
        if side < 1 or cells < 1:
            raise ValueError(f"an area average needs at least one pixel and one cell, not {side} and {cells}")
        self.side, self.cells = side, cells
        self.sums: list[float] = []  # whole numbers
        self._row = 0
        self._next_border = side  # in units of 1/cells pixel, as are all positions here
        self._partial = 0  # weighted rows of the open cell
        self._whole = 0  # rows that lie in the open cell entirely, not yet weighted by `cells`
        borders = [cell * side for cell in range(cells + 1)]
        self._whole_pixels = itemgetter(*(border // cells for border in borders))
        self._parts = [border % cells for border in borders]

    def add(self, lanes: int) -> None:
        """Take the next row from the top, as a lane row of `side` samples."""
        position = self._row * self.cells
        end = position + self.cells
        self._row += 1
        if end < self._next_border:
            self._whole += lanes
            return
        while self._next_border <= end:
            inside = self._next_border - position
            self._close_cell(self._partial + self._whole * self.cells + lanes * inside)
            position = self._next_border
            self._next_border += self.side
            self._partial = self._whole = 0
        self._partial = lanes * (end - position)

    def _close_cell(self, column_sums: int) -> None:
        columns = array("I")
        columns.frombytes(column_sums.to_bytes(LANE_BYTES * self.side, "little"))
        if sys.byteorder == "big":
            columns.byteswap()
        # The integral up to a border: all whole pixels before it, times `cells`, plus its part of the pixel it cuts.
        before = list(accumulate(columns, initial=0))
        columns.append(0)
        whole = [total * self.cells for total in self._whole_pixels(before)]
        integral = list(map(int.__add__, whole, map(mul, self._whole_pixels(columns), self._parts)))
        self.sums.extend(map(sub, islice(integral, 1, None), integral))
