"""What of an image a network sees, in words for cards and reports."""

from collections.abc import Mapping

from sitegen.bundle.parts import CropMode
from sitegen_runtime.bundle.model import CROP, PAD, SQUASH, Fit, NetworkInput

_MODES: Mapping[Fit, CropMode] = {CROP: "centre-square", SQUASH: "squash", PAD: "pad"}


def crop_mode(image: NetworkInput) -> CropMode:
    """Return what bundles call the way in which an image becomes this input."""
    rows, columns = image.grid
    return "centre" if image.fit == CROP and rows != columns else _MODES[image.fit]


def size_words(image: NetworkInput) -> str:
    """Return "224 x 224", or which of two numbers are the rows."""
    rows, columns = image.grid
    return f"{rows} x {columns}" if rows == columns else f"{rows} rows x {columns} columns"


def seen_words(image: NetworkInput) -> str:
    """Return "the centred square" and the like."""
    part, (rows, columns) = f"{100 * image.fraction:g} %", image.grid
    form = "a square" if rows == columns else f"{columns} : {rows}"
    if image.fit == CROP:
        whole = "the centred square" if rows == columns else f"the largest part in the middle that is as {form}"
        return whole if image.fraction == 1 else f"the middle {part} of {whole}"
    if image.fit == PAD:
        fill = " ".join(f"{share:.3g}" for share in image.fill)
        filling = "the longer side" if rows == columns else "the side that fills the input"
        seen = "the whole image" if image.fraction == 1 else f"the middle {part} of {filling}"
        return f"{seen}, padded to {form} (with {fill}, from 0 for black to 1 for white)"
    seen = "the whole image" if image.fraction == 1 else f"the middle {part} of both sides"
    return f"{seen}, squashed into {form}"


def seen_share(image: NetworkInput, aspect: float) -> float:
    """Return the share of its area that a network sees of an image, so many times as wide as high."""
    rows, columns = image.grid
    form = aspect * rows / columns  # of the image, in forms of the input
    if image.fit == CROP:
        return image.fraction**2 * min(form, 1 / form)
    if image.fit == PAD:
        longest = image.fraction * max(form, 1.0)
        return min(form, longest) * min(1.0, longest) / form
    return image.fraction**2
