"""Numbers as pixels: errors over an image (how strong, which colour, how transparent), and a reconstruction."""

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


def drawn(shares: Sequence[float], channels: int) -> bytes:
    """Return the opaque RGBA bytes (8 bits a sample) of an image.

    `shares` has the values of one channel after the other (1: grey, 3: red, green, blue), each row-major and as a share
    of the range, 0 (black) to 1. What lies outside, as a network may give it, is drawn as the nearest that lies inside.
    """
    samples = bytes(int(min(max(share, 0.0), 1.0) * 255 + 0.5) for share in shares)
    cells = len(samples) // channels
    picture = bytearray(b"\xff" * (4 * cells))
    for place in range(3):
        start = place % channels * cells
        picture[place::4] = samples[start : start + cells]
    return bytes(picture)
