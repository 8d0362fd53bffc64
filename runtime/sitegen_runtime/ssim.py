"""Structural similarity, equal to `skimage.metrics.structural_similarity` with its defaults to 1e-12.

Wang, Bovik, Sheikh, Simoncelli: "Image Quality Assessment", IEEE TIP 2004, Eq. 13, with K1 = 0.01, K2 = 0.03, a uniform
7 x 7 window and sample covariances (divided by N - 1), averaged over all windows that lie inside the image.
"""

from collections.abc import Sequence
from math import fsum
from operator import mul

WINDOW = 7


def ssim(first: Sequence[float], second: Sequence[float], width: int, height: int, data_range: float) -> float:
    """Return the mean structural similarity (-1..1) of two row-major images of `width` x `height` values.

    Raises ValueError where an image is smaller than the window or has the wrong number of values.
    """
    similarities = ssim_map(first, second, width, height, data_range)
    return fsum(similarities) / len(similarities)


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
    sums = _window_sums(first, width), _window_sums(second, width)
    squares = _window_sums(list(map(mul, first, first)), width), _window_sums(list(map(mul, second, second)), width)
    products = _window_sums(list(map(mul, first, second)), width)
    return list(_similarities(sums, squares, products, data_range))


def _similarities(
    sums: tuple[list[float], list[float]],
    squares: tuple[list[float], list[float]],
    products: list[float],
    data_range: float,
) -> "list[float]":
    count = WINDOW * WINDOW
    unbiased = 1.0 / (count * (count - 1))
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    result = []
    for x, y, xx, yy, xy in zip(*sums, *squares, products, strict=True):
        mean_x, mean_y = x / count, y / count
        variances = (count * xx - x * x + count * yy - y * y) * unbiased
        covariance = (count * xy - x * y) * unbiased
        luminance = (2 * mean_x * mean_y + c1) / (mean_x * mean_x + mean_y * mean_y + c1)
        result.append(luminance * (2 * covariance + c2) / (variances + c2))
    return result


def _window_sums(values: Sequence[float], width: int) -> list[float]:
    rows = [_sliding_sums(values[start : start + width]) for start in range(0, len(values), width)]
    columns = (_sliding_sums(column) for column in zip(*rows, strict=True))
    return [value for row in zip(*columns, strict=True) for value in row]


def _sliding_sums(line: Sequence[float]) -> list[float]:
    # Every window is summed afresh: running sums would be quicker and lose digits where the image is flat.
    return list(map(sum, zip(*(line[shift : len(line) - WINDOW + 1 + shift] for shift in range(WINDOW)), strict=True)))
