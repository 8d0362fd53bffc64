"""RLE Lossless (PS3.5, annex G): one grey frame to little-endian cells of 8 or 16 bits."""

import struct

from sitegen_runtime.errors import DamagedImage
from sitegen_runtime.formats.dicom.walk import DAMAGED

_HEADER = struct.Struct("<16I")


def decode_rle(data: bytes, pixels: int, cell_bytes: int) -> bytearray:
    """Return `pixels` cells. Raises DamagedImage unless there is a segment for each byte of a cell, of that length."""
    if len(data) < _HEADER.size:
        raise DamagedImage(DAMAGED.format("its RLE frame has no header"))
    count, *offsets = _HEADER.unpack_from(data)
    if count != cell_bytes:
        raise DamagedImage(DAMAGED.format(f"its RLE frame has {count} segments, and should have {cell_bytes}"))
    ends = [*offsets[1:count], len(data)]
    cells = bytearray(pixels * cell_bytes)
    for number, (start, end) in enumerate(zip(offsets, ends, strict=False)):
        cells[cell_bytes - 1 - number :: cell_bytes] = _segment(data[start:end], pixels)  # the upper byte comes first
    return cells


def _segment(data: bytes, pixels: int) -> bytes:
    parts: list[bytes] = []
    append, place, length, size = parts.append, 0, 0, len(data)
    while length < pixels and place < size:
        head = data[place]
        if head < 128:  # as many bytes, and one, as they are
            append(data[place + 1 : place + 2 + head])
            place += head + 2
            length += head + 1
        elif head > 128:  # one byte, repeated
            append(data[place + 1 : place + 2] * (257 - head))
            place += 2
            length += 257 - head
        else:
            place += 1
    found = b"".join(parts)
    if len(found) < pixels:
        raise DamagedImage(DAMAGED.format("a segment of its RLE frame ends early"))
    return found[:pixels]
