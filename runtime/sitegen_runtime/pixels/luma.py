"""Rows of pixels as rows of 32-bit lanes: one big integer holds a row, and one operation acts on all its pixels.

Pyodide has no NumPy here, but Python's integers add, shift and multiply at C speed. A *lane row* is an integer whose
32-bit digits (little-endian, leftmost pixel first) are the samples of one colour plane.

Luma is the integer formula behind Pillow's `convert("L")` (ITU-R BT.601 weights scaled to 2**16, rounded half up):

    L = (19595 R + 38470 G + 7471 B + 32768) >> 16

The weights add up to 65536, so a lane of 16-bit samples reaches at most 65535 * 65536 + 32768 < 2**32 before the shift.
"""

from collections.abc import Sequence
from functools import lru_cache

LUMA_WEIGHTS = (19595, 38470, 7471)
LANE_BYTES = 4


@lru_cache(maxsize=32)
def repeat_in_lanes(value: int, width: int) -> int:
    """Return the lane row of `width` pixels that all have `value` (0 .. 2**32 - 1)."""
    return int.from_bytes(value.to_bytes(LANE_BYTES, "little") * width, "little")


def colour_planes(rgba: bytes | memoryview, width: int) -> tuple[int, int, int]:
    """Return red, green and blue lane rows of one row of `width` RGBA pixels (8 bits a sample)."""
    row = int.from_bytes(rgba, "little")
    mask = repeat_in_lanes(0xFF, width)
    return row & mask, (row >> 8) & mask, (row >> 16) & mask


def first_plane(rgba: bytes | memoryview, width: int) -> int:
    """Return the red lane row of one row of RGBA pixels: the luma, where the image is known to be grey."""
    return int.from_bytes(rgba, "little") & repeat_in_lanes(0xFF, width)


def paired_plane(rgba: bytes | memoryview, width: int) -> int:
    """Return the lane row of 16-bit samples: their upper bytes are the red of RGBA pixels, their lower the green."""
    row = int.from_bytes(rgba, "little")
    mask = repeat_in_lanes(0xFF, width)
    return ((row & mask) << 8) | ((row >> 8) & mask)


def sample_planes(samples: bytes | memoryview, width: int, channels: int, sample_bits: int) -> tuple[int, ...]:
    """Return the lane rows of one row of interleaved samples.

    `samples` holds `width * channels` unsigned samples of 8 bits, or of 16 bits in little-endian order.
    """
    size = sample_bits // 8
    stride = channels * size
    planes = []
    for channel in range(channels):
        lanes = bytearray(LANE_BYTES * width)
        for byte in range(size):
            lanes[byte::LANE_BYTES] = samples[channel * size + byte :: stride]
        planes.append(int.from_bytes(lanes, "little"))
    return tuple(planes)


def luma(planes: Sequence[int], width: int) -> int:
    """Return the luma lane row of red, green and blue lane rows of up to 16 bits; a single plane is its own luma."""
    if len(planes) == 1:
        return planes[0]
    red, green, blue = (plane * weight for plane, weight in zip(planes, LUMA_WEIGHTS, strict=True))
    rounded = red + green + blue + repeat_in_lanes(0x8000, width)
    # The shift moves each lane's fraction into its right neighbour's upper half; the mask drops it again.
    return (rounded >> 16) & repeat_in_lanes(0xFFFF, width)
