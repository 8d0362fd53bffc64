"""The window of an image in which its reconstruction is worst: every one is looked at, and all of them exactly.

Of several that are equally bad it is the first in rows. Windows and their places are those of `windows`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from sitegen.evaluation.reconstructions.distances import SIDE, squared_differences
from sitegen.evaluation.reconstructions.planes import Plane, largest_grey
from sitegen.evaluation.reconstructions.windows import (
    Places,
    Whole,
    float_window_sums,
    tiles,
    window_places,
    window_sums,
)

SPAN = 256
"""Pixels along the side of a part that is worked on at once: its sums stay in a processor's cache."""

SORTED_ABOVE = 7
"""Grey values for each pixel of a window, above which sorting was the quicker way."""

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Worst:
    """The worst window's distance, and the column and row of its upper left pixel."""

    value: float
    x: int
    y: int


@dataclass(frozen=True)
class Patches:
    """Windows of `size` x `size` pixels, `stride` apart."""

    size: int = 32
    stride: int = 1

    def places(self, image: Plane) -> tuple[Places, Places]:
        """Return where windows begin, down and across. Raises ValueError where none fits."""
        down, across = (window_places(length, self.size, self.stride) for length in image.shape)
        return down, across


def patch_errors(image: Plane, reconstruction: Plane, patches: Patches) -> Values:
    """Return the mean squared error of every window. Raises ValueError where none fits."""
    down, across = patches.places(image)
    squares = squared_differences(image, reconstruction)
    sums = window_sums(squares, patches.size, down, across, largest_grey(image) ** 2)
    return np.asarray(sums / patches.size**2)


def patch_wasserstein(image: Plane, reconstruction: Plane, patches: Patches) -> Values:
    """Return the Wasserstein distance of the grey values of every window. Raises ValueError where none fits.

    The sum over grey values of how differently many pixels of a window are at most that bright in image and in
    reconstruction. Grey values that do not occur in a part of the image change nothing there, and are passed over.
    Where a part has far more of them than a window has pixels, windows are sorted instead, which gives the same.
    """
    down, across = patches.places(image)
    found = np.empty((len(down), len(across)))
    for rows in tiles(down, SPAN):
        for columns in tiles(across, SPAN):
            top, left = int(down[rows][0]), int(across[columns][0])
            part = np.s_[top : int(down[rows][-1]) + patches.size, left : int(across[columns][-1]) + patches.size]
            given = image[part], reconstruction[part], patches.size, down[rows] - top, across[columns] - left
            levels = np.union1d(*given[:2]).astype(np.int64)
            many = len(levels) > SORTED_ABOVE * patches.size**2
            sums = _sorted_distances(*given) if many else _histogram_distances(levels, *given)
            found[rows, columns] = sums / patches.size**2
    return found


def patch_similarity(similarity: Values, patches: Patches, image: Plane) -> Values:
    """Return the mean of `distances.ssim_map` within every window, as SSIM of that window alone.

    Raises ValueError where no window fits, or windows are smaller than SSIM's own.
    """
    down, across = patches.places(image)
    inside = patches.size - SIDE + 1
    if inside < 1:
        raise ValueError(f"SSIM needs windows of {SIDE} pixels or more, not {patches.size}")
    return float_window_sums(similarity, inside, down, across) / inside**2


def worst(values: Values, image: Plane, patches: Patches, *, lowest: bool = False) -> Worst:
    """Return the window with the largest value, or the lowest one."""
    down, across = patches.places(image)
    at = int(values.argmin() if lowest else values.argmax())
    row, column = divmod(at, values.shape[1])
    return Worst(float(values[row, column]), int(across[column]), int(down[row]))


def _sorted_distances(image: Plane, reconstruction: Plane, size: int, down: Places, across: Places) -> Whole:
    """The sum over pixels of the absolute difference of sorted grey values, of each window."""
    total = np.empty((len(down), len(across)), np.int64)
    for row, y in enumerate(down.tolist()):
        strips = (
            sliding_window_view(plane[y : y + size], size, axis=1)[:, across] for plane in (image, reconstruction)
        )
        first, second = (np.sort(strip.transpose(1, 0, 2).reshape(len(across), -1), axis=1) for strip in strips)
        total[row] = np.abs(np.subtract(first, second, dtype=np.int64)).sum(axis=1)
    return total


def _histogram_distances(
    levels: NDArray[np.int64], image: Plane, reconstruction: Plane, size: int, down: Places, across: Places
) -> Whole:
    """The sum over grey values of the absolute difference of cumulative histograms, of each window."""
    kind = np.int32 if int(levels[-1] - levels[0]) * size**2 < 2**31 else np.int64
    total = np.zeros((len(down), len(across)), kind)
    for level, next_level in zip(levels[:-1].tolist(), levels[1:].tolist(), strict=True):
        darker = (image <= level).view(np.int8) - (reconstruction <= level).view(np.int8)
        sums = np.abs(window_sums(darker, size, down, across, 1))
        total += sums if next_level == level + 1 else sums.astype(kind) * (next_level - level)
    return total
