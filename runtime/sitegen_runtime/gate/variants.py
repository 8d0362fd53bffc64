"""The image turned and inverted: would the gate know it better so, and what may be offered to put it right.

A reconstruction network that has seen upright images alone rebuilds an image that lies on its side badly, and its
upright version well. So the image is tried in four variants: turned clockwise by 90, 180 and 270 degrees, and
inverted. The metric `turned` is the SSIM of one variant, each with a reconstruction of its own, minus the SSIM of the
image as it is. The variant is that of the least squared error, because one SSIM costs as much time as eight of those.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sitegen_runtime.gate.reconstruction_scores import Planes, l2
from sitegen_runtime.gate.ssim import mean_ssim

# The SSIM that a variant must gain before it is offered. Of 330 upright validation X-rays none gains what would be
# accepted; small crops, which no turn puts right, do gain a few hundredths, X-rays that were turned over a tenth.
SMALLEST_GAIN = 0.05


@dataclass(frozen=True)
class Variant:
    """One way to turn or invert the image, and the SSIM that it reaches."""

    correction: str
    similarity: float


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
