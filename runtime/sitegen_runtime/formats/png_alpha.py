"""Taking the alpha out of a PNG without decoding it.

PNG filters predict each byte from bytes of the same channel only: those one pixel to the left, above, and above left
(PNG, 9.2). So the filtered bytes of the other channels, under the same filter types, are the filtered rows of the
image without alpha, and the platform's decoder, which would premultiply, can be given those. Undoing the filters in
Python would take ten times as long.
"""

import zlib
from collections.abc import Iterator
from dataclasses import replace

from sitegen_runtime.formats.png_layout import Header, inflated

OPAQUE_TYPES = {4: 0, 6: 2}
"""The colour type without alpha for each that has it."""

_FAST = 1  # of zlib's levels: the result is decoded once and dropped


def without_alpha(header: Header, compressed: bytes) -> tuple[Header, bytes]:
    """The header and the zlib stream of an 8-bit image (colour type 4 or 6, found whole before) without its alpha."""
    compressor = zlib.compressobj(_FAST)
    parts = [compressor.compress(row) for row in _opaque_rows(header, compressed)]
    return replace(header, colour_type=OPAQUE_TYPES[header.colour_type]), b"".join([*parts, compressor.flush()])


def _opaque_rows(header: Header, compressed: bytes) -> Iterator[bytes]:
    """Filtered rows with their filter bytes, alpha left out."""
    channels = header.samples
    pieces = inflated(compressed, header.inflated_size())
    buffer, position = b"", 0
    for part in header.passes():
        stride = part.row_bytes + 1
        for _ in range(part.height):
            while position + stride > len(buffer):
                buffer, position = buffer[position:] + next(pieces)[0], 0
            row = bytearray(1 + part.width * (channels - 1))
            row[0] = buffer[position]
            for channel in range(channels - 1):
                row[1 + channel :: channels - 1] = buffer[position + 1 + channel : position + stride : channels]
            position += stride
            yield bytes(row)
