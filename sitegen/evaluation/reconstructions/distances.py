"""Distances of an image from its reconstruction, over the whole of it or over some of its pixels.

Mean squared error and Wasserstein distance are of grey values as the file has them (0..255 or 0..65535), not of shares.
The Wasserstein distance compares which grey values there are, wherever they stand: for sets of one size it is the mean
absolute difference of the sorted values, which is the sum of the absolute difference of the cumulative histograms
(Ramdas, Trillos, Cuturi, "On Wasserstein two-sample testing", Entropy 2017). SSIM is that of Wang et al. 2004 as
scikit-image computes it by default: windows of 7 x 7 pixels, sample covariance, K1 = 0.01, K2 = 0.03, and the range of
the type.
"""

import numpy as np
from numpy.typing import NDArray

from sitegen.evaluation.reconstructions.planes import Plane, largest_grey
from sitegen.evaluation.reconstructions.windows import Whole, window_places, window_sums

SIDE = 7  # of SSIM's windows
_K1, _K2 = 0.01, 0.03


def squared_differences(image: Plane, reconstruction: Plane) -> Whole:
    """Return the squared difference of each pixel: int32 of 8 bits, int64 of 16."""
    kind = np.int32 if image.dtype == np.uint8 else np.int64
    difference = np.subtract(image, reconstruction, dtype=kind)
    return np.asarray(difference * difference)


def mean_squared_error(image: Plane, reconstruction: Plane) -> float:
    """Return the mean squared difference of grey values; of any shape, with one pixel at least."""
    return int(squared_differences(image, reconstruction).sum(dtype=np.int64)) / image.size


def wasserstein_distance(image: Plane, reconstruction: Plane) -> float:
    """Return the first Wasserstein distance of the grey values of two sets of pixels of the same size, one at least."""
    levels = largest_grey(image) + 1
    first, second = (np.bincount(plane.ravel(), minlength=levels) for plane in (image, reconstruction))
    return int(np.abs(np.cumsum(first - second)).sum()) / image.size


def ssim_map(image: Plane, reconstruction: Plane) -> NDArray[np.float64] | None:
    """Return the similarity around each pixel that lies 3 pixels or more from every border; None where there is none.

    All sums are exact, so that variances of flat regions are exactly 0.
    """
    if min(image.shape) < SIDE:
        return None
    x, y = (plane.astype(np.int64) for plane in (image, reconstruction))
    range_ = largest_grey(image)
    down, across = (window_places(length, SIDE, 1) for length in image.shape)
    n = SIDE * SIDE

    def summed(values: Whole) -> NDArray[np.int64]:
        return np.asarray(window_sums(values, SIDE, down, across, range_ * range_), np.int64)

    sx, sy = summed(x), summed(y)
    xx, yy, xy = (n * summed(one * other) - first * second for one, other, first, second in _pairs(x, y, sx, sy))
    c1, c2 = (_K1 * range_) ** 2, (_K2 * range_) ** 2
    ux, uy = sx / n, sy / n
    vx, vy, vxy = (each / (n * (n - 1)) for each in (xx, yy, xy))
    return np.asarray(((2 * ux * uy + c1) * (2 * vxy + c2)) / ((ux * ux + uy * uy + c1) * (vx + vy + c2)))


def _pairs(x: Whole, y: Whole, sx: Whole, sy: Whole) -> tuple[tuple[Whole, Whole, Whole, Whole], ...]:
    return (x, x, sx, sx), (y, y, sy, sy), (x, y, sx, sy)
