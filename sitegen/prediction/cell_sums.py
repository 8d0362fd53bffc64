"""The exact sums of cells that the runtime's `pixels.area_average` defines, in NumPy, of images that Pillow decoded."""

import numpy as np
from numpy.typing import NDArray

from sitegen.prediction.images import OpenedImage
from sitegen_runtime.pixels.luma import LUMA_WEIGHTS
from sitegen_runtime.requests import COLOURS, FIRST, PAIR, CellGrid, SumCells

_STRIP_PIXELS = 1 << 20  # of samples that are held as wider numbers at once
Whole = NDArray[np.int64]


def sum_cells(image: OpenedImage, request: SumCells) -> list[int]:
    """Return the answer to the request, for an open image that holds its grids."""
    sums: list[int] = []
    for grid in request.grids:
        for plane in _along_columns(image, grid):
            sums += _parted(plane.T, grid.columns).T.ravel().tolist()
    return sums


def _along_columns(image: OpenedImage, grid: CellGrid) -> Whole:
    """The sums of each column within each row of cells: [planes, rows, width], in units of 1 / rows pixel.

    As many rows of cells at a time as a strip of pixels holds; a row that two strips share is read for both.
    """
    found = np.empty((grid.planes, grid.rows, grid.width), np.int64)
    height = grid.height / grid.rows
    step = max(1, int(_STRIP_PIXELS / (grid.width * height)))
    for first in range(0, grid.rows, step):
        last = min(first + step, grid.rows)
        top, bottom = first * grid.height // grid.rows, -(-last * grid.height // grid.rows)
        samples = _samples(image.samples(grid.left, grid.top + top, grid.width, bottom - top), grid.samples)
        for plane, part in zip(found, samples, strict=True):
            plane[first:last] = _parted(part, grid.rows, (first, last), grid.height, top)
    return found


def _samples(part: NDArray[np.uint8], samples: str) -> list[NDArray[np.integer]]:
    """The planes of samples, [height, width] each, that `CellGrid.samples` asks for."""
    if samples == FIRST or (part.shape[-1] == 1 and samples != COLOURS):
        return [part[..., 0]]
    if part.shape[-1] == 1:
        return [part[..., 0]] * 3
    if samples == COLOURS:
        return [part[..., place] for place in range(3)]
    if samples == PAIR:
        return [part[..., 0].astype(np.uint16) << 8 | part[..., 1]]
    rounded = np.full(part.shape[:2], 0x8000, np.uint32)
    for place, weight in enumerate(LUMA_WEIGHTS):
        rounded += part[..., place] * np.uint32(weight)
    return [rounded >> 16]


def _parted(
    plane: NDArray[np.integer],
    cells: int,
    wanted: tuple[int, int] | None = None,
    height: int | None = None,
    top: int = 0,
) -> Whole:
    """Rows of a plane added up to `cells` cells along the first axis, or to those `wanted`: first, and one after last.

    `height` is how many rows the whole has, and `top` the number of the first that is here. A cell is what lies whole
    in it, times `cells`, less the part of its first row that is the cell's before, plus the part of the row after that
    is still its own: as the running sum of `AreaAverage` up to a border is defined.
    """
    first, last = wanted or (0, cells)
    borders = np.arange(first, last + 1) * (len(plane) if height is None else height)
    rows, parts = borders // cells - top, borders % cells
    reachable = np.minimum(rows, len(plane) - 1)  # the last border has no row behind it, and no part of one
    whole = np.add.reduceat(plane, reachable[:-1], axis=0, dtype=np.int64)
    # The last of the sums runs to the end, and one between equal borders is the row there.
    whole[rows[:-1] == rows[1:]] = 0
    if rows[-1] < len(plane) and rows[-2] < rows[-1]:
        whole[-1] -= plane[rows[-1]]
    cut = parts[:, None] * plane[reachable].astype(np.int64)
    return whole * cells + cut[1:] - cut[:-1]
