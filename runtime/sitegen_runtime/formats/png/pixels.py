"""PNG pixels in standard-library Python, for the files about which platform decoders differ.

A row is kept as byte lanes: lane i holds byte i of every pixel. PNG's filters work on bytes one pixel apart (PNG, 9.2),
so lanes never mix and those of an alpha channel need no work at all.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sitegen_runtime.errors import DamagedImage, UnsupportedType
from sitegen_runtime.formats.inspected import InspectedImage
from sitegen_runtime.formats.png.layout import (
    ALPHA_TYPES,
    DEPTHS,
    GREY_TYPES,
    PALETTE,
    RGB,
    Header,
    Pass,
    unpack_header,
)
from sitegen_runtime.formats.png.stream import PixelStream
from sitegen_runtime.formats.png.unfilter import unfilter
from sitegen_runtime.formats.sniff import PNG

_PIECE_BYTES = 1 << 19
_INCOMPLETE = "The PNG to decode is incomplete. Copy the file again from its source."

Lanes = list[bytes]
"""Bytes of a row's pixels, lane by lane; each as long as the row has pixels (or packed bytes, below 8 bits)."""


@dataclass(frozen=True)
class Plane:
    """Some whole rows of an image.

    `samples` holds `row_count` rows of width x channels samples, channels interleaved, 8 bits each or 16 bits
    little-endian. A piece of no rows carries nothing: it only gives the caller a moment to see to other things.
    """

    first_row: int
    row_count: int
    samples: bytes


class PngPixels:
    """The pixels of one PNG: their form at once, themselves by `pieces()`, without alpha and with palettes applied."""

    def __init__(self, header: Header, palette: bytes, compressed: bytes, is_paired: bool = False) -> None:
        """`is_paired` says that red and green are the two bytes of one grey sample (see `lanes`)."""
        self.width = header.width
        """Samples of a channel in a row."""
        self.height = header.height
        """Rows in all."""
        self.channels = 1 if is_paired or header.colour_type in GREY_TYPES else 3
        """1 for grey, 3 for red, green and blue."""
        self.sample_bits = 16 if is_paired or header.bits == 16 else 8
        """Bits of a sample: 16 only where the file has 16."""
        self._header = header
        self._compressed = compressed
        self._lanes = self.channels * self.sample_bits // 8
        self._convert = _first_two_exchanged if is_paired else _converter(header, palette)

    def pieces(self) -> Iterator[Plane]:
        """All rows in order, about half a megabyte at a time (those of an interlaced image all at the end).

        Raises DamagedImage where the data is not what the header calls for, or a palette index has no colour.
        """
        if self._header.interlaced:
            yield from self._interlaced()
            return
        (whole,) = self._header.passes()
        row_size = self.width * self._lanes
        rows_in_piece = max(1, _PIECE_BYTES // row_size)
        piece, first = bytearray(), 0
        for row, lanes in enumerate(self._rows()):
            if not piece:
                first = row
                piece = bytearray(row_size * min(rows_in_piece, self.height - row))
            _place(piece, (row - first) * row_size, whole, self._lanes, self._convert(lanes, self.width))
            if (row - first + 1) * row_size == len(piece):
                yield Plane(first, row - first + 1, bytes(piece))
                piece = bytearray()

    def _interlaced(self) -> Iterator[Plane]:
        """Empty pieces while the passes are decoded, then the image."""
        image = bytearray(self.width * self.height * self._lanes)
        rows, done = self._rows(), 0
        for part in self._header.passes():
            for row in range(part.first_row, self.height, part.row_step):
                start = (row * self.width + part.first_column) * self._lanes
                _place(image, start, part, self._lanes, self._convert(next(rows), part.width))
                done += part.width * self._lanes
                if done >= _PIECE_BYTES:
                    done = 0
                    yield Plane(0, 0, b"")
        for _ in rows:
            pass
        row_size = self.width * self._lanes
        step = max(1, _PIECE_BYTES // row_size)
        for row in range(0, self.height, step):
            count = min(step, self.height - row)
            yield Plane(row, count, bytes(memoryview(image)[row * row_size : (row + count) * row_size]))

    def _rows(self) -> Iterator[Lanes]:
        """The unfiltered rows of all passes, as lanes of the bytes that are kept."""
        header = self._header
        pixel_bytes = max(1, header.samples * header.bits // 8)
        kept = pixel_bytes - (header.bits // 8 if header.colour_type in ALPHA_TYPES else 0)
        stream = iter(PixelStream(self._compressed, header.inflated_size()))
        buffer, position = b"", 0
        for part in header.passes():
            above = [bytes(len(range(lane, part.row_bytes, pixel_bytes))) for lane in range(kept)]
            for _ in range(part.height):
                end = position + part.row_bytes + 1
                while end > len(buffer):
                    buffer = buffer[position:] + next(stream)
                    position, end = 0, part.row_bytes + 1
                row = buffer[position + 1 : end]
                lanes = [row[lane::pixel_bytes] for lane in range(kept)]
                above = [unfilter(buffer[position], *pair) for pair in zip(lanes, above, strict=True)]
                position = end
                yield above
        for _ in stream:
            pass


def decode_png(image: InspectedImage) -> PngPixels:
    """The pixels of an image that `inspect_image` found to be a PNG, whatever its `decoder`.

    Raises UnsupportedType for an image of another type, DamagedImage for a payload that `inspect_image` did not make.
    """
    payload = image.payload
    if image.media_type != PNG:
        raise UnsupportedType(f"Only PNG images are decoded here, and this is {image.media_type}.")
    chunks: dict[bytes, bytes] = {}
    position = 8
    while position + 12 <= len(payload):
        length = int.from_bytes(payload[position : position + 4], "big")
        chunks[payload[position + 4 : position + 8]] = payload[position + 8 : position + 8 + length]
        position += 12 + length
    if len(chunks.get(b"IHDR", b"")) != 13 or b"IDAT" not in chunks:
        raise DamagedImage(_INCOMPLETE)
    header = unpack_header(chunks[b"IHDR"])
    if (header.width, header.height) != (image.width, image.height) or min(header.width, header.height) < 1:
        raise DamagedImage(_INCOMPLETE)
    if header.bits not in DEPTHS.get(header.colour_type, ()):
        raise DamagedImage(_INCOMPLETE)
    is_paired = (image.bits, header.bits, header.colour_type) == (16, 8, RGB)
    return PngPixels(header, chunks.get(b"PLTE", b""), chunks[b"IDAT"], is_paired)


def _place(target: bytearray, start: int, part: Pass, lane_count: int, lanes: Lanes) -> None:
    """Write a row's lanes among the interleaved bytes of `target`, its first pixel at byte `start`."""
    step = part.column_step * lane_count
    end = start + step * (part.width - 1)
    for lane, content in enumerate(lanes):
        target[start + lane : end + lane + 1 : step] = content


def _converter(header: Header, palette: bytes) -> Callable[[Lanes, int], Lanes]:
    """A function from the kept lanes of a row and its width to the lanes of the output."""
    if header.colour_type == PALETTE:
        return _palette_converter(header.bits, palette)
    if header.bits == 16:
        return _little_endian
    if header.bits == 8:
        return lambda lanes, width: lanes
    top = (1 << header.bits) - 1
    table = _unpacking(header.bits, [value * 255 // top for value in range(top + 1)])
    return lambda lanes, width: [b"".join(map(table.__getitem__, lanes[0]))[:width]]


def _first_two_exchanged(lanes: Lanes, width: int) -> Lanes:
    """Upper and lower bytes as those of little-endian samples."""
    return [lanes[1], lanes[0]]


def _little_endian(lanes: Lanes, width: int) -> Lanes:
    """Lanes of big-endian 16-bit samples with each pair exchanged."""
    return [lanes[lane ^ 1] for lane in range(len(lanes))]


def _unpacking(bits: int, values: list[int]) -> list[bytes]:
    """For each byte of 8 / `bits` samples, most significant first, the `values` of its samples (PNG, 7.2)."""
    mask = (1 << bits) - 1
    shifts = range(8 - bits, -1, -bits)
    return [bytes(values[byte >> shift & mask] for shift in shifts) for byte in range(256)]


def _palette_converter(bits: int, palette: bytes) -> Callable[[Lanes, int], Lanes]:
    """A function that gives three lanes of colours for a lane of indices."""
    indices = _unpacking(bits, list(range(1 << bits))) if bits < 8 else []
    valid = bytes(range(len(palette) // 3))
    tables = [palette[channel::3].ljust(256, b"\0") for channel in range(3)]

    def convert(lanes: Lanes, width: int) -> Lanes:
        row = b"".join(map(indices.__getitem__, lanes[0]))[:width] if bits < 8 else lanes[0]
        if row.translate(None, valid):
            raise DamagedImage("A pixel refers to a colour that the palette lacks. Copy the file from its source.")
        return [row.translate(table) for table in tables]

    return convert
