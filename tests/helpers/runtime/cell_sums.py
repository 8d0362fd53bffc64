"""Sums of cells by the runtime's own definition, for whatever adds them up faster."""

import numpy as np

from sitegen_runtime.pixels.area_average import AreaAverage
from sitegen_runtime.pixels.luma import colour_planes, first_plane, luma, paired_plane
from sitegen_runtime.requests import COLOURS, FIRST, PAIR, CellGrid


def defined_sums(rgba: np.ndarray, grid: CellGrid) -> list[float]:
    """The sums of a grid, plane by plane; `rgba` is the image, [height, width, 4]."""
    averages = [AreaAverage(grid.width, grid.height, grid.columns, grid.rows) for _ in range(grid.planes)]
    for row in rgba[grid.top : grid.top + grid.height, grid.left : grid.left + grid.width]:
        for average, plane in zip(averages, _planes(row.tobytes(), grid), strict=True):
            average.add(plane)
    return [each for average in averages for each in average.sums]


def _planes(row: bytes, grid: CellGrid) -> tuple[int, ...]:
    if grid.samples == FIRST:
        return (first_plane(row, grid.width),)
    if grid.samples == PAIR:
        return (paired_plane(row, grid.width),)
    colours = colour_planes(row, grid.width)
    return colours if grid.samples == COLOURS else (luma(colours, grid.width),)
