"""Numbers over an image: how strong, which colour, how transparent."""

from collections.abc import Sequence

ERROR_COLOUR = (213, 43, 30)  # a red that stands out on grey for the common kinds of colour blindness too
SMALLEST_FULL_SCALE = 0.1  # so that the noise of a good reconstruction does not look like an error
LARGEST_OPACITY = 217  # of 255: the image shows through even at the worst place


def error_overlay(errors: Sequence[float]) -> bytes:
    """Return RGBA bytes (8 bits a sample, not premultiplied), one pixel an error.

    Opacity grows in proportion to the error (0..1), so that what is rebuilt well is transparent and the largest error,
    or SMALLEST_FULL_SCALE where all are smaller, has LARGEST_OPACITY.
    """
    full_scale = max(SMALLEST_FULL_SCALE, *errors)
    overlay = bytearray(bytes((*ERROR_COLOUR, 0)) * len(errors))
    overlay[3::4] = bytes(int(error / full_scale * LARGEST_OPACITY + 0.5) for error in errors)
    return bytes(overlay)
