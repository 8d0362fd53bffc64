"""The arithmetic of explanations, on flat arrays: what methods make of gradients and feature maps.

Arrays are float32, row-major, one channel after the other; sums are made in float64 and rounded to float32 once. So the
same gradients give the same map, to the bit, wherever this runs. `methods` says which method takes what.
"""

from __future__ import annotations  # array[float] is a name for type checkers until Python 3.12

from array import array
from collections.abc import Sequence
from math import fsum, sqrt
from operator import add
from random import Random

from sitegen_runtime.pixels.grids import Shape, enlarged

COPIES = 25  # noisy ones, for smoothgrad
NOISE = 0.15  # its standard deviation, as a share of the image's largest value minus its smallest
STEPS = 32  # of the path from the baseline to the image, for integrated gradients

_BYTES = 4  # whose sum makes one number of noise
_CENTRE = _BYTES * 255 // 2
_DEVIATION = sqrt(_BYTES * (256**2 - 1) / 12)  # of the sum of so many independent, uniform bytes


def strongest_rise(gradient: Sequence[float], cells: int) -> array[float]:
    """Return max(0, gradient) of `cells` cells, the largest over the channels."""
    first, *others = (gradient[start : start + cells] for start in range(0, len(gradient), cells))
    largest = [value if value > 0.0 else 0.0 for value in first]
    for channel in others:
        # Quicker than calls of max(), of which there would be one for each number.
        largest = [value if value > so_far else so_far for so_far, value in zip(largest, channel, strict=True)]
    return array("f", largest)


def weighted_channels(features: Sequence[float], weights: Sequence[float], cells: int) -> list[float]:
    """Return the sum of a feature map's channels, each times its weight, in float64: Eq. 4 of Cohen et al. 2019."""
    total = [0.0] * cells
    for channel, weight in enumerate(weights):
        part = features[channel * cells : (channel + 1) * cells]
        total = [so_far + weight * value for so_far, value in zip(total, part, strict=True)]
    return total


def activation_map(features: Sequence[float], rows: Sequence[Sequence[float]], cells: int) -> array[float]:
    """Return the class activation map of one label, or of the sum of several: `rows` are their weights and biases.

    The bias, last in a row, is no part of the map. Values keep their sign.
    """
    weights = [fsum(column) for column in zip(*rows, strict=True)][:-1]
    return array("f", weighted_channels(features, weights, cells))


def gradient_activation_map(features: Sequence[float], gradient: Sequence[float], cells: int) -> array[float]:
    """Return Grad-CAM: max(0, the channels' sum), each weighted with the mean of its gradient over the cells."""
    weights = [fsum(gradient[start : start + cells]) / cells for start in range(0, len(gradient), cells)]
    return array("f", [max(0.0, value) for value in weighted_channels(features, weights, cells)])


def guided_activation_map(rise: Sequence[float], grid: Shape, coarse: Sequence[float], shape: Shape) -> array[float]:
    """Return the guided rise of a grid of cells times the Grad-CAM of a coarser shape, enlarged to it (bilinear)."""
    return array("f", [fine * wide for fine, wide in zip(rise, enlarged(coarse, shape, grid), strict=True)])


def noisy(image: Sequence[float], copy: int) -> array[float]:
    """Return a copy of the image, by its number, with noise of the standard deviation NOISE times the image's span.

    The noise is the sum of four bytes of the Mersenne Twister that starts with the copy's number: integers alone, so
    that every engine adds the same. Its density is nearly normal; none of it is further than 3.5 deviations out.
    """
    raw = Random(copy).randbytes(_BYTES * len(image))  # noqa: S311 (this noise keeps no secret)
    factor = NOISE * (max(image) - min(image)) / _DEVIATION
    sums = map(add, map(add, raw[0::4], raw[1::4]), map(add, raw[2::4], raw[3::4]))
    return array("f", [value + factor * (total - _CENTRE) for value, total in zip(image, sums, strict=True)])


def between(image: Sequence[float], baseline: Sequence[float], step: int) -> array[float]:
    """Return the point in the middle of a step, of STEPS equal ones (from 0), on the line from the baseline to it."""
    share = (step + 0.5) / STEPS
    return array("f", [low + share * (value - low) for value, low in zip(image, baseline, strict=True)])


def path_integral(image: Sequence[float], baseline: Sequence[float], mean: Sequence[float], cells: int) -> array[float]:
    """Return (image − baseline) · the mean gradient on the path, summed over the channels; values keep their sign."""
    parts = [(value - low) * slope for value, low, slope in zip(image, baseline, mean, strict=True)]
    channels = [parts[start : start + cells] for start in range(0, len(parts), cells)]
    return array("f", map(fsum, zip(*channels, strict=True)))


class Mean:
    """The mean of arrays of one length, value by value, in float64; they are given one at a time."""

    def __init__(self, length: int) -> None:
        self._total, self._count = [0.0] * length, 0

    def add(self, values: Sequence[float]) -> None:
        """Take one more array into the mean."""
        self._total = list(map(add, self._total, values))
        self._count += 1

    def values(self) -> list[float]:
        """Return the mean of those that were given, of which there must be one at least."""
        return [total / self._count for total in self._total]
