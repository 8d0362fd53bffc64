"""Undoing PNG's row filters on one byte lane of a row (PNG, 9.2): the bytes at one place within every pixel."""

from functools import lru_cache
from itertools import accumulate

from sitegen_runtime.errors import DamagedImage

_low_byte = (255).__and__


def unfilter(kind: int, lane: bytes, above: bytes) -> bytes:
    """The lane as it was before filter `kind` (0 to 4) was applied; `above` is the lane of the row above.

    Both have the same length. Raises DamagedImage for any other kind.
    """
    if kind == 0:
        return lane
    if kind == 1:
        return bytes(map(_low_byte, accumulate(lane)))
    if kind == 2:
        return _up(lane, above)
    if kind == 3:
        return _average(lane, above)
    if kind == 4:
        return _paeth(lane, above)
    raise DamagedImage("The image data of the file is damaged. Copy it again from its source.")


@lru_cache(maxsize=16)
def _masks(length: int) -> tuple[int, int]:
    """For `length` bytes in one integer: the low seven bits, and the top bit, of every byte."""
    return int.from_bytes(b"\x7f" * length, "little"), int.from_bytes(b"\x80" * length, "little")


def _up(lane: bytes, above: bytes) -> bytes:
    """Bytewise sum modulo 256 of two lanes, as integers of many bytes.

    The low seven bits of each byte are added without a carry into the next byte; the top bits by exclusive or.
    """
    low, top = _masks(len(lane))
    first, second = int.from_bytes(lane, "little"), int.from_bytes(above, "little")
    return (((first & low) + (second & low)) ^ ((first ^ second) & top)).to_bytes(len(lane), "little")


def _average(lane: bytes, above: bytes) -> bytes:
    """Each byte plus floor((left + up) / 2)."""
    left = 0
    result = bytearray()
    append = result.append
    for byte, up in zip(lane, above, strict=True):
        left = (byte + ((left + up) >> 1)) & 255
        append(left)
    return bytes(result)


def _paeth(lane: bytes, above: bytes) -> bytes:
    """Each byte plus the neighbour (left, up or corner) that is nearest to left + up - corner, in that order of ties.

    The distances are |up - corner|, |left - corner| and |(up - corner) + (left - corner)|.
    """
    left = corner = 0
    result = bytearray()
    append = result.append
    for byte, up in zip(lane, above, strict=True):
        from_left = up - corner
        from_up = left - corner
        from_corner = from_left + from_up
        if from_left < 0:
            from_left = -from_left
        if from_up < 0:
            from_up = -from_up
        if from_corner < 0:
            from_corner = -from_corner
        if from_left > from_up or from_left > from_corner:
            left = up if from_up <= from_corner else corner
        left = (byte + left) & 255
        append(left)
        corner = up
    return bytes(result)
