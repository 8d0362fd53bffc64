"""What of an image a network sees, in words for cards and reports."""

from collections.abc import Mapping

from sitegen.bundle.parts import CropMode
from sitegen_runtime.bundle.model import CROP, PAD, SQUASH, Fit, NetworkInput

MODES: Mapping[Fit, CropMode] = {CROP: "centre-square", SQUASH: "squash", PAD: "pad"}
"""What bundles call the ways of the runtime."""


def seen_words(image: NetworkInput) -> str:
    """Return "the centred square" and the like."""
    part = f"{100 * image.fraction:g} %"
    if image.fit == CROP:
        return "the centred square" if image.fraction == 1 else f"the middle {part} of the centred square"
    if image.fit == PAD:
        fill = " ".join(f"{share:.3g}" for share in image.fill)
        seen = "the whole image" if image.fraction == 1 else f"the middle {part} of the longer side"
        return f"{seen}, padded to a square (with {fill}, from 0 for black to 1 for white)"
    seen = "the whole image" if image.fraction == 1 else f"the middle {part} of both sides"
    return f"{seen}, squashed into a square"


def seen_share(image: NetworkInput, aspect: float) -> float:
    """Return the share of its area that a network sees of an image, so many times as wide as high."""
    if image.fit == CROP:
        return image.fraction**2 * min(aspect, 1 / aspect)
    if image.fit == PAD:
        longest = image.fraction * max(aspect, 1.0)
        return min(aspect, longest) * min(1.0, longest) / aspect
    return image.fraction**2
