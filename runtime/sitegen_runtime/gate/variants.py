"""The image turned and inverted: would the gate know it better so, and what may be offered to put it right.

A reconstruction network that has seen upright images alone rebuilds an image that lies on its side badly, and its
upright version well. So the image is tried in four variants: turned clockwise by 90, 180 and 270 degrees, and
inverted. The metric `turned` is the SSIM of one variant, each with a reconstruction of its own, minus the SSIM of the
image as it is. The variant is that of the least squared error, because one SSIM costs as much time as eight of those.
"""

from __future__ import annotations  # array[float] is a name for type checkers until Python 3.12

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sitegen_runtime.bundle.model import NetworkInput
from sitegen_runtime.gate.reconstruction_scores import Planes, l2
from sitegen_runtime.gate.ssim import mean_ssim
from sitegen_runtime.pixels.geometry import QUARTER_TURNS, orient

INVERT = "invert"
CORRECTIONS = (*QUARTER_TURNS, INVERT)
# The SSIM that a variant must gain before it is offered. Of 330 upright validation X-rays none gains what would be
# accepted; small crops, which no turn puts right, do gain a few hundredths, X-rays that were turned over a tenth.
SMALLEST_GAIN = 0.05


@dataclass(frozen=True)
class Variant:
    """One way to turn or invert the image, and the SSIM that it reaches."""

    correction: str
    similarity: float


def corrected(values: Sequence[float], correction: str, network_input: NetworkInput) -> array[float]:
    """Return a network input's float32 values (NCHW with N = 1, flat), turned clockwise or inverted."""
    if correction == INVERT:
        return inverted(values, network_input)
    side = network_input.cells
    planes = (values[start : start + side * side] for start in range(0, len(values), side * side))
    return array("f", [value for plane in planes for value in orient(plane, side, QUARTER_TURNS[correction])])


def inverted(values: Sequence[float], network_input: NetworkInput) -> array[float]:
    """Return float32 values (NCHW with N = 1, flat) whose share s of the range has become 1 - s.

    (low + span * share - mean) / std becomes (low + high - 2 * mean) / std minus itself, in float64, rounded to float32
    once.
    """
    low, high = network_input.range
    cells = network_input.cells**2
    result = array("f")
    for channel, (mean, std) in enumerate(zip(network_input.mean, network_input.std, strict=True)):
        ends = (low + high - 2 * mean) / std
        result.extend([ends - value for value in values[channel * cells : (channel + 1) * cells]])
    return result


def closest(rebuilt: Mapping[str, tuple[Planes, Planes]], side: int) -> Variant:
    """Return the variant of the least squared error, given planes of shares of each and of its reconstruction.

    The first in the order of the mapping where several have it.
    """
    errors = {correction: l2(*planes) for correction, planes in rebuilt.items()}
    best = min(errors, key=lambda correction: errors[correction])
    return Variant(best, mean_ssim(*rebuilt[best], side))


def is_offered(variant: Variant, similarity: float, threshold: float) -> bool:
    """Whether to offer a variant: it would be accepted, and gains SMALLEST_GAIN at least over the image as it is."""
    return variant.similarity >= threshold and variant.similarity - similarity >= SMALLEST_GAIN
