"""How well a reconstruction network rebuilds an image: the errors and distances that need nothing but that network.

All are computed on *shares*: values of the network's input with the normalisation undone, as a share of the range,
0 for black and 1 for white. So they do not depend on how a network wants its input, and SSIM's luminance term, which
has no meaning below black, starts from 0.
"""

from collections.abc import Iterable, Sequence
from math import fsum, hypot, sqrt
from operator import mul, sub

from sitegen_runtime.bundle.model import NetworkInput

Planes = list[list[float]]


def as_shares(values: Sequence[float], network_input: NetworkInput) -> Planes:
    """Return a plane of shares for each channel, row-major, of a network input's values (NCHW with N = 1, flat)."""
    low, high = network_input.range
    cells = network_input.area
    planes = [values[start : start + cells] for start in range(0, len(network_input.mean) * cells, cells)]
    normalised = zip(planes, network_input.mean, network_input.std, strict=True)
    return [_as_shares(plane, mean, std, low, high - low) for plane, mean, std in normalised]


def _as_shares(plane: Sequence[float], mean: float, std: float, low: float, span: float) -> list[float]:
    if (mean, std, low, span) == (0, 1, 0, 1):  # as gates mostly take images, and the variants are many values
        return list(plane)
    return [(value * std + mean - low) / span for value in plane]


def absolute_errors(first: Planes, second: Planes) -> list[float]:
    """Return |first - second| of each cell, averaged over channels: what the error map shows."""
    return _over_channels([list(map(abs, map(sub, *pair))) for pair in zip(first, second, strict=True)])


def _over_channels(planes: Planes) -> list[float]:
    return planes[0] if len(planes) == 1 else [fsum(cell) / len(planes) for cell in zip(*planes, strict=True)]


def l1(first: Planes, second: Planes) -> float:
    """Return the mean absolute error, as a share of the range."""
    errors = absolute_errors(first, second)
    return fsum(errors) / len(errors)


def l2(first: Planes, second: Planes) -> float:
    """Return the root of the mean squared error, as a share of the range."""
    return sqrt(fsum(squared_error(*pair) for pair in zip(first, second, strict=True)) / sum(map(len, first)))


def squared_error(first: Iterable[float], second: Iterable[float]) -> float:
    """Return the sum of squared differences, as far as both go."""
    differences = list(map(sub, first, second))
    return fsum(map(mul, differences, differences))


def euclidean_norm(vector: Sequence[float]) -> float:
    """Return the Euclidean norm: of a latent, its distance from 0, where the prior of the latents has its centre."""
    return hypot(*vector)
