"""Structural similarity in a Gaussian window, as Wang et al. 2004 computed it.

Equal to `skimage.metrics.structural_similarity` with `gaussian_weights=True`, `sigma=1.5` and
`use_sample_covariance=False` to 1e-12: an 11 x 11 window (the Gaussian, cut off at 3.5 sigma), the covariances of the
window itself, averaged over all windows that lie inside the image.
"""

from collections.abc import Sequence
from math import exp, fsum
from operator import add, mul

SIGMA = 1.5
RADIUS = 5  # cells: 3.5 sigma, rounded
_WEIGHTS = [exp(-0.5 * (place / SIGMA) ** 2) for place in range(-RADIUS, RADIUS + 1)]
_WEIGHTS = [weight / fsum(_WEIGHTS) for weight in _WEIGHTS]


def gaussian_ssim(first: Sequence[Sequence[float]], second: Sequence[Sequence[float]], side: int) -> float:
    """Return the mean similarity (-1..1) of two images of `side` x `side` shares of the range, over their channels.

    Raises ValueError where a plane is smaller than the window or has the wrong number of values.
    """
    maps = [gaussian_ssim_map(*planes, side) for planes in zip(first, second, strict=True)]
    return fsum(fsum(values) / len(values) for values in maps) / len(maps)


def gaussian_ssim_map(first: Sequence[float], second: Sequence[float], side: int) -> list[float]:
    """Return the similarity of every window of two planes, row-major, (side - 10) x (side - 10) values."""
    window = 2 * RADIUS + 1
    if side < window or not len(first) == len(second) == side * side:
        raise ValueError(
            f"SSIM in a Gaussian window needs {side * side} values each, of at least {window} x {window}, "
            f"not {len(first)} and {len(second)}"
        )
    means = _smoothed(first, side), _smoothed(second, side)
    squares = _smoothed(list(map(add, map(mul, first, first), map(mul, second, second))), side)
    products = _smoothed(list(map(mul, first, second)), side)
    c1, c2 = 0.01**2, 0.03**2  # for the range 0 to 1
    similarities = []
    for x, y, xx_yy, xy in zip(*means, squares, products, strict=True):
        square, product = x * x + y * y, x * y
        luminance = (2 * product + c1) / (square + c1)
        similarities.append(luminance * (2 * (xy - product) + c2) / (xx_yy - square + c2))
    return similarities


def _smoothed(plane: Sequence[float], side: int) -> list[float]:
    """Return the weighted means of all windows inside, row-major."""
    # Windows that begin near the end of one row and run on into the next are weighted too, and left out at the end.
    means = _weighted(_weighted(plane, 1), side)
    inside = side - 2 * RADIUS
    return [value for start in range(0, len(means), side) for value in means[start : start + inside]]


def _weighted(values: Sequence[float], step: int) -> list[float]:
    """Return, for each place, the weighted sum of the window of values from there on that lie `step` apart."""
    last = 2 * RADIUS * step
    total = [value * _WEIGHTS[RADIUS] for value in values[RADIUS * step : len(values) - RADIUS * step]]
    for place, weight in enumerate(_WEIGHTS[:RADIUS]):  # the weights are symmetrical: two values at a time
        pairs = map(add, values[place * step :], values[last - place * step :])
        total = [sum_ + weight * pair for sum_, pair in zip(total, pairs, strict=False)]
    return total
