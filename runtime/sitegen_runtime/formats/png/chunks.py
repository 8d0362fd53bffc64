"""Checks of PNG files: every chunk, every checksum and the whole of the compressed pixels, before any decoder.

The format is the W3C's Portable Network Graphics specification (third edition); section numbers refer to it.
"""

import struct
import zlib
from dataclasses import dataclass, field

from sitegen_runtime.errors import DamagedImage, UnsupportedType
from sitegen_runtime.formats.exif import orientation
from sitegen_runtime.formats.inspected import PLATFORM, PYTHON, TRUNCATED, InspectedImage, check_parts, check_size
from sitegen_runtime.formats.png.cost import DecodingCost, check_interlaced
from sitegen_runtime.formats.png.lanes import PlatformPixels, is_the_platforms, pixels_for_the_platform
from sitegen_runtime.formats.png.layout import DEPTHS, GREY_TYPES, PALETTE, Header, unpack_header
from sitegen_runtime.formats.png.stream import PixelStream, understates_window, with_widest_window, without_surplus
from sitegen_runtime.formats.sniff import PNG, PNG_SIGNATURE
from sitegen_runtime.formats.told import Tell, Told

_COPY_AGAIN = "Copy it again from its source."
_ANIMATED = "Animated image: only its still picture was analysed."
_SURPLUS = "The file holds more rows than its size calls for. They were left out."
_WINDOW = "The compressed image data looks back further than it says, which some programs cannot read. It is complete."
_END_MISSING = "The end of the file is missing or damaged, but the image data is complete."


@dataclass
class _Contents:
    """What a walk through the chunks collects."""

    header: Header
    palette: bytes = b""
    pixels: list[bytes] = field(default_factory=list)
    orientation: int = 1
    animated: bool = False
    ended: bool = False
    ignored: list[str] = field(default_factory=list)


def inspect_png(data: bytes, max_pixels: int, tell: Tell | None = None) -> InspectedImage:
    """Check a PNG file that starts with its signature.

    Raises DamagedImage, UnsupportedType or TooLarge. The payload keeps IHDR, the palette where it gives the colours,
    and one IDAT; it says nothing of colour spaces, transparency, animation or orientation, about which decoders differ.
    Where the platform decodes it, alpha is taken out, and 16 bits are two of 8 (see `lanes`).
    """
    header = _read_header(data)
    check_size(header.width, header.height, max_pixels)
    if not is_the_platforms(header):
        check_interlaced(header)
    contents = _walk(data, header)
    if not contents.pixels:
        raise DamagedImage(f"The file holds no image data. {_COPY_AGAIN}")
    _check_palette(contents)
    compressed = b"".join(contents.pixels)
    made = pixels_for_the_platform(header)
    stream = PixelStream(compressed, header.inflated_size())
    _check_pixels(header, stream, made, Told(tell, header.inflated_size()))
    if made:
        payload = png_file(made.header, *made.stream())
    else:
        payload = png_file(header, *_plainest(compressed, stream, header.inflated_size()), palette=contents.palette)
    return InspectedImage(
        media_type=PNG,
        width=header.width,
        height=header.height,
        bits=header.bits,
        grey=header.colour_type in GREY_TYPES,
        orientation=contents.orientation,
        decoder=PLATFORM if is_the_platforms(header) else PYTHON,
        payload=payload,
        notes=_notes(contents, stream, understates_window(compressed, header.inflated_size())),
    )


def _plainest(compressed: bytes, stream: PixelStream, size: int) -> list[bytes]:
    """The parts of a stream that every decoder reads alike."""
    if stream.surplus:
        return without_surplus(compressed, size)
    return [with_widest_window(compressed[: stream.used])]


def _read_header(data: bytes) -> Header:
    """The header chunk, which must come first, be whole and hold a combination that the standard allows (11.2.1)."""
    if len(data) < 33:
        raise DamagedImage(TRUNCATED)
    if data[8:16] != b"\0\0\0\rIHDR" or data[29:33] != _checksum(b"IHDR", data[16:29]):
        raise DamagedImage(f"The header of the PNG file is damaged. {_COPY_AGAIN}")
    header = unpack_header(data[16:29])
    if header.bits not in DEPTHS.get(header.colour_type, ()) or data[26] or data[27] or data[28] > 1:
        raise DamagedImage(f"The header of the PNG file holds values that no PNG has. {_COPY_AGAIN}")
    return header


def _checksum(name: bytes, body: bytes) -> bytes:
    """The four bytes that end a chunk: the CRC-32 of its name and body (5.5)."""
    return struct.pack(">I", zlib.crc32(body, zlib.crc32(name)))


def _walk(data: bytes, header: Header) -> _Contents:
    """Collect the chunks that matter; raise for what would leave the image incomplete or ambiguous."""
    contents = _Contents(header)
    position, pixels_over, count = 33, False, 0
    while position < len(data) and not contents.ended:
        count += 1
        check_parts(count, len(data))
        body, sound, name = _chunk(data, position)
        if body is None:
            if contents.pixels:  # whether what there is of them suffices is told by inflating them
                return contents
            raise DamagedImage(TRUNCATED)
        if not sound and name[0] & 0x20 == 0 and name != b"IEND":
            raise DamagedImage(f"A checksum shows that the file's {_printable(name)} part is damaged. {_COPY_AGAIN}")
        if name == b"IDAT" and pixels_over:
            raise DamagedImage(f"The image data of the file is in disorder. {_COPY_AGAIN}")
        pixels_over = bool(contents.pixels) and name != b"IDAT"
        _take(contents, name, body, sound)
        position += 12 + len(body)
    return contents


def _chunk(data: bytes, position: int) -> tuple[bytes | None, bool, bytes]:
    """The body (None where the file ends within the chunk), whether its checksum is right, and the name."""
    name = data[position + 4 : position + 8]
    if len(name) < 4:
        return None, False, name
    length = int.from_bytes(data[position : position + 4], "big")
    end = position + 8 + length
    if end + 4 > len(data):
        return None, False, name
    if not name.isalpha():
        raise DamagedImage(f"The file is damaged after its first {position:,} bytes. {_COPY_AGAIN}")
    body = data[position + 8 : end]
    return body, data[end : end + 4] == _checksum(name, body), name


def _take(contents: _Contents, name: bytes, body: bytes, sound: bool) -> None:
    """Add one chunk to the contents, or ignore it."""
    if name == b"IDAT":
        contents.pixels.append(body)
    elif name == b"IEND":
        contents.ended = sound and not body
        if not contents.ended and not contents.pixels:
            raise DamagedImage(TRUNCATED)
    elif name == b"PLTE":
        if contents.palette or contents.pixels:
            raise DamagedImage(f"The file has a palette where none may be. {_COPY_AGAIN}")
        contents.palette = body
    elif name == b"IHDR":
        raise DamagedImage(f"The file has two headers. {_COPY_AGAIN}")
    elif name[0] & 0x20 == 0:
        raise UnsupportedType(
            f"The file needs a PNG extension ({_printable(name)}) that is not read here. Save it as plain PNG or JPEG."
        )
    elif not sound:
        contents.ignored.append(_printable(name))
    elif name == b"eXIf":
        contents.orientation = orientation(body)
    elif name == b"acTL":
        contents.animated = True


def _printable(name: bytes) -> str:
    """A chunk's name, which may only hold ASCII letters by now."""
    return name.decode("ascii")


def _check_palette(contents: _Contents) -> None:
    """Drop a palette that is only advice; raise DamagedImage where the pixels need one that is not there (11.2.2)."""
    header = contents.header
    if header.colour_type != PALETTE:
        contents.palette = b""
        return
    entries, rest = divmod(len(contents.palette), 3)
    if rest or not 1 <= entries <= 1 << header.bits:
        raise DamagedImage(f"The palette of the file is missing or of a wrong length. {_COPY_AGAIN}")


def _check_pixels(header: Header, stream: PixelStream, made: PlatformPixels | None, told: Told) -> None:
    """Inflate all of the stream in bounded pieces, which `made` is handed.

    Raises DamagedImage unless it gives the bytes that the header calls for, each row starts with a filter type of 0 to
    4 (9.2), and the stream ends with the right Adler-32 sum; TooLarge as soon as the rows so far have more filters than
    the runtime undoes in good time.
    """
    passes = header.passes()
    passing = passes[0]
    cost = None if is_the_platforms(header) else DecodingCost(header)
    stride, rows_left, at, done = 1, 0, 0, 0
    for piece in stream:
        start = 0
        while start < len(piece):
            if not rows_left:
                passing = passes.pop(0)
                stride, rows_left, at = passing.row_bytes + 1, passing.height, 0
            end = min(len(piece), start + stride * rows_left - at)
            kinds = piece[start + (-at) % stride : end : stride]
            if kinds and max(kinds) > 4:
                raise DamagedImage(f"The image data of the file is damaged. {_COPY_AGAIN}")
            if cost:
                cost.add(passing, kinds)
            rows, at = divmod(at + end - start, stride)
            rows_left -= rows
            start = end
        if made:
            made.add(piece)
        done += len(piece)
        told.at(done)


def png_file(header: Header, *compressed: bytes, palette: bytes = b"") -> bytes:
    """A PNG file of nothing but header, palette (where there is one), pixels (parts of a zlib stream) and end."""
    chunks: list[tuple[bytes, tuple[bytes, ...]]] = [
        (b"IHDR", (header.packed(),)),
        (b"IDAT", compressed),
        (b"IEND", ()),
    ]
    if palette:
        chunks.insert(1, (b"PLTE", (palette,)))
    parts = [PNG_SIGNATURE]
    for name, body in chunks:
        checksum = zlib.crc32(name)
        for part in body:  # which are joined once alone: they may be as large as the image
            checksum = zlib.crc32(part, checksum)
        parts += [struct.pack(">I", sum(map(len, body))), name, *body, struct.pack(">I", checksum)]
    return b"".join(parts)


def _notes(contents: _Contents, stream: PixelStream, is_window_understated: bool) -> tuple[str, ...]:
    """Sentences on what was unusual."""
    notes = [_ANIMATED] if contents.animated else []
    if stream.surplus:
        notes.append(_SURPLUS)
    if is_window_understated:
        notes.append(_WINDOW)
    if contents.ignored:
        notes.append(f"Damaged descriptions in the file were ignored ({', '.join(sorted(set(contents.ignored)))}).")
    if not contents.ended:
        notes.append(_END_MISSING)
    return tuple(notes)
