"""Structural similarity, equal to `skimage.metrics.structural_similarity` with its defaults to 1e-12.

Wang, Bovik, Sheikh, Simoncelli: "Image Quality Assessment", IEEE TIP 2004, Eq. 13, with K1 = 0.01, K2 = 0.03, a uniform
7 x 7 window and sample covariances (divided by N - 1), averaged over all windows that lie inside the image.
"""

from collections.abc import Sequence
from math import fsum
from operator import add, mul

WINDOW = 7


def ssim(first: Sequence[float], second: Sequence[float], width: int, height: int, data_range: float) -> float:
    """Return the mean structural similarity (-1..1) of two row-major images of `width` x `height` values.

    Raises ValueError where an image is smaller than the window or has the wrong number of values.
    """
    similarities = ssim_map(first, second, width, height, data_range)
    return fsum(similarities) / len(similarities)


def mean_ssim(first: Sequence[Sequence[float]], second: Sequence[Sequence[float]], side: int) -> float:
    """Return the similarity of two images of `side` x `side` shares of the range, averaged over their channels."""
    return fsum(ssim(*planes, side, side, 1.0) for planes in zip(first, second, strict=True)) / len(first)


def ssim_map(
    first: Sequence[float], second: Sequence[float], width: int, height: int, data_range: float
) -> list[float]:
    """Return the similarity of every window, row-major, (height - 6) x (width - 6) values."""
    if width < WINDOW or height < WINDOW:
        raise ValueError(f"SSIM needs at least {WINDOW} x {WINDOW} values, not {width} x {height}")
    if len(first) != width * height or len(second) != width * height:
        raise ValueError(
            f"SSIM of {width} x {height} needs {width * height} values, not {len(first)} and {len(second)}"
        )
    squares = list(map(add, map(mul, first, first), map(mul, second, second)))
    products = list(map(mul, first, second))
    sums_x, sums_y = _window_sums(first, width), _window_sums(second, width)
    return _similarities(sums_x, sums_y, _window_sums(squares, width), _window_sums(products, width), data_range)


def _similarities(
    sums_x: list[float], sums_y: list[float], squares: list[float], products: list[float], data_range: float
) -> list[float]:
    """Return Eq. 13 of sums over windows, numerator and denominator multiplied by what turns sums into covariances."""
    count = WINDOW * WINDOW
    c1, c2 = (0.01 * data_range) ** 2 * count**2, (0.03 * data_range) ** 2 * count * (count - 1)
    result = []
    for x, y, xx_yy, xy in zip(sums_x, sums_y, squares, products, strict=True):
        product, square = x * y, x * x + y * y
        alike = (2 * product + c1) * (2 * (count * xy - product) + c2)
        result.append(alike / ((square + c1) * (count * xx_yy - square + c2)))
    return result


def _window_sums(values: Sequence[float], width: int) -> list[float]:
    """Return the sums of all windows inside, row-major."""
    # Windows that begin near the end of one row and run on into the next are summed too, and left out at the end.
    sums = _sums_of_seven(_sums_of_seven(values, 1), width)
    inside = width - WINDOW + 1
    return [value for start in range(0, len(sums), width) for value in sums[start : start + inside]]


def _sums_of_seven(values: Sequence[float], step: int) -> list[float]:
    """Return, for each place, the sum of the seven values from there on that lie `step` apart."""
    # Every sum is made afresh, as 2 + 2 + 2 + 1: running sums would lose digits where the image is flat.
    pairs = list(map(add, values, values[step:]))
    fours = map(add, pairs, pairs[2 * step :])
    return list(map(add, map(add, fours, pairs[4 * step :]), values[6 * step :]))
