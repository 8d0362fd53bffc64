"""PNG files in a form that the platform decodes, made without decoding them: alpha left out, 16 bits as 2 x 8.

PNG filters predict each byte from bytes at the same place within a pixel only: those one pixel to the left, above, and
above left (PNG, 9.2). So the filtered bytes at some of these places, under the same filter types, are the filtered rows
of an image that has those alone. The platform would premultiply alpha, and rounds 16 bits to 8; undoing the filters in
Python would take ten times as long, or twenty.

A grey sample of 16 bits becomes a pixel of three: its upper byte is red, its lower green. Blue is zero under any
filter.
"""

import zlib
from dataclasses import replace

from sitegen_runtime.formats.png.layout import ALPHA_TYPES, GREY, GREY_TYPES, PALETTE, RGB, Header

_STORED_BYTES = 1 << 26
"""What is at most handed on without compression: it is decoded once and dropped, but takes its place until then."""


def is_the_platforms(header: Header) -> bool:
    """Whether the platform can decode the image, in the form that `PlatformPixels` makes."""
    if header.bits == 16:
        return header.colour_type in GREY_TYPES
    return header.bits == 8 and header.colour_type != PALETTE


def pixels_for_the_platform(header: Header) -> "PlatformPixels | None":
    """Return what takes an image's inflated pixels, where the platform decodes it in another form than the file's."""
    if not is_the_platforms(header):
        return None
    if header.bits == 16:
        return PlatformPixels(header, replace(header, bits=8, colour_type=RGB), (0, 1))
    if header.colour_type in ALPHA_TYPES:
        opaque = GREY if header.colour_type in GREY_TYPES else RGB
        return PlatformPixels(header, replace(header, colour_type=opaque), tuple(range(header.samples - 1)))
    return None


class PlatformPixels:
    """Takes the inflated bytes of a PNG, filters and all, and makes those of the image that the platform decodes."""

    def __init__(self, header: Header, made: Header, kept: tuple[int, ...]) -> None:
        """`kept` are the places within a pixel whose bytes are kept: the first of the made image's, before zeros."""
        self.header = made
        self._kept = kept
        self._stored, self._made = header.samples * header.bits // 8, made.samples
        self._strides = ((part.row_bytes + 1, part.width) for part in header.passes() for _ in range(part.height))
        self._stride, self._width = next(self._strides)
        self._begun = b""
        stored = made.inflated_size() <= _STORED_BYTES
        level, strategy = (0, zlib.Z_DEFAULT_STRATEGY) if stored else (1, zlib.Z_HUFFMAN_ONLY)
        self._compressor = zlib.compressobj(level, strategy=strategy)
        self._parts: list[bytes] = []

    def add(self, piece: bytes) -> None:
        """Take the next bytes."""
        buffer, position = self._begun + piece, 0
        while self._stride and position + self._stride <= len(buffer):
            row = bytearray(1 + self._width * self._made)
            row[0] = buffer[position]
            for to, place in enumerate(self._kept):
                row[1 + to :: self._made] = buffer[position + 1 + place : position + self._stride : self._stored]
            self._parts.append(self._compressor.compress(row))
            position += self._stride
            self._stride, self._width = next(self._strides, (0, 0))
        self._begun = buffer[position:]

    def stream(self) -> list[bytes]:
        """Return the parts of the zlib stream, once all bytes were added."""
        return [*filter(None, self._parts), self._compressor.flush()]
