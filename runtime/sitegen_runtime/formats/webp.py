"""Checks of WebP files: the container whole, the frame's header in order, its partitions within the file.

The container is described in Google's "WebP Container Specification", the lossless bitstream in RFC 9649. WebP has no
checksums: what remains undetected is changed bytes inside the compressed pixels, which every decoder turns into the
same wrong picture, or refuses.
"""

from dataclasses import dataclass, field

from sitegen_runtime.errors import DamagedImage
from sitegen_runtime.formats.exif import orientation
from sitegen_runtime.formats.inspected import PLATFORM, TRUNCATED, InspectedImage, check_parts, check_size
from sitegen_runtime.formats.sniff import WEBP
from sitegen_runtime.formats.vp8 import check_opaque, check_partitions, lossless_header, lossy_header

_DAMAGED = "The WebP file is damaged. Copy it again from its source."
_ANIMATED = "Animated image: only the first frame was analysed."

_LOSSY, _LOSSLESS = b"VP8 ", b"VP8L"
_ANIMATION_FLAG = 2


@dataclass
class _Contents:
    """What a walk through the chunks collects."""

    frame_kind: bytes = b""
    frame: bytes = b""
    canvas: tuple[int, int] | None = None
    orientation: int = 1
    notes: list[str] = field(default_factory=list)


def inspect_webp(data: bytes, max_pixels: int) -> InspectedImage:
    """Check a WebP file that starts with its RIFF header.

    Raises DamagedImage, TooLarge, or UnsupportedType for a lossless image with transparency. The payload is a simple
    WebP file with the one bitstream: without alpha, colour profile, EXIF and animation. Bytes behind the end that the
    header states must be zero.
    """
    contents = _walk(_riff_body(data), max_pixels)
    if not contents.frame:
        raise DamagedImage(f"The file holds no image data. {_DAMAGED}")
    read = lossy_header if contents.frame_kind == _LOSSY else lossless_header
    width, height = read(contents.frame)
    check_size(width, height, max_pixels)
    if contents.canvas not in (None, (width, height)):
        raise DamagedImage(f"The file states two different sizes for its image. {_DAMAGED}")
    if contents.frame_kind == _LOSSY:
        check_partitions(contents.frame)
    else:
        check_opaque(contents.frame)
    return InspectedImage(
        media_type=WEBP,
        width=width,
        height=height,
        bits=8,
        grey=False,
        orientation=contents.orientation,
        decoder=PLATFORM,
        payload=_rebuild(contents.frame_kind, contents.frame),
        notes=tuple(contents.notes),
    )


def _riff_body(data: bytes) -> bytes:
    """The chunks: what lies between the RIFF header and the end that it states."""
    end = 8 + int.from_bytes(data[4:8], "little")
    if end > len(data):
        raise DamagedImage(TRUNCATED)
    if data[end:].strip(b"\0"):
        raise DamagedImage(f"The file is longer than its header says. {_DAMAGED}")
    return data[12:end]


def _chunks(body: bytes) -> list[tuple[bytes, bytes]]:
    """Names and contents of the chunks that fill `body`."""
    found: list[tuple[bytes, bytes]] = []
    position = 0
    while position < len(body):
        size = int.from_bytes(body[position + 4 : position + 8], "little")
        end = position + 8 + size
        if position + 8 > len(body) or end > len(body):
            raise DamagedImage(f"A part of the file reaches beyond its end. {_DAMAGED}")
        check_parts(len(found) + 1, len(body))
        found.append((body[position : position + 4], body[position + 8 : end]))
        position = end + size % 2
    return found


def _walk(body: bytes, max_pixels: int) -> _Contents:
    """Find the bitstream to analyse, and what the other chunks say of it."""
    contents = _Contents()
    chunks = _chunks(body)
    if not chunks:
        raise DamagedImage(f"The file holds no image data. {_DAMAGED}")
    (kind, first), others = chunks[0], chunks[1:]
    if kind in (_LOSSY, _LOSSLESS):
        contents.frame_kind, contents.frame = kind, first
        return contents
    if kind != b"VP8X" or len(first) < 10:
        raise DamagedImage(f"The header of the file is damaged. {_DAMAGED}")
    contents.canvas = _pair(first, 4)
    check_size(*contents.canvas, max_pixels)
    for name, content in others:
        if name == b"EXIF":
            contents.orientation = orientation(content)
    if first[0] & _ANIMATION_FLAG:
        _take_first_frame(contents, others)
    else:
        contents.frame_kind, contents.frame = _bitstream(others)
    return contents


def _take_first_frame(contents: _Contents, chunks: list[tuple[bytes, bytes]]) -> None:
    """Take the bitstream of an animation's first frame, and say so in a note."""
    frames = [content for name, content in chunks if name == b"ANMF"]
    if not frames or len(frames[0]) < 16 or contents.canvas is None:
        raise DamagedImage(f"The file's animation has no frame. {_DAMAGED}")
    frame = frames[0]
    column, row = 2 * int.from_bytes(frame[0:3], "little"), 2 * int.from_bytes(frame[3:6], "little")
    width, height = _pair(frame, 6)
    if column + width > contents.canvas[0] or row + height > contents.canvas[1]:
        raise DamagedImage(f"The first frame lies outside the image. {_DAMAGED}")
    contents.notes.append(_ANIMATED)
    if (width, height) != contents.canvas:
        across, down = contents.canvas
        contents.notes.append(f"That frame covers {width} x {height} of {across} x {down} pixels.")
    contents.canvas = (width, height)
    contents.frame_kind, contents.frame = _bitstream(_chunks(frame[16:]))


def _bitstream(chunks: list[tuple[bytes, bytes]]) -> tuple[bytes, bytes]:
    """Kind and content of the first chunk of compressed pixels."""
    for name, content in chunks:
        if name in (_LOSSY, _LOSSLESS):
            return name, content
    raise DamagedImage(f"The file holds no image data. {_DAMAGED}")


def _pair(content: bytes, position: int) -> tuple[int, int]:
    """A width and a height, stored less one in 24 bits each."""
    width = int.from_bytes(content[position : position + 3], "little") + 1
    return width, int.from_bytes(content[position + 3 : position + 6], "little") + 1


def _rebuild(kind: bytes, frame: bytes) -> bytes:
    """A simple WebP file with one bitstream."""
    padded = kind + len(frame).to_bytes(4, "little") + frame + b"\0" * (len(frame) % 2)
    return b"RIFF" + (len(padded) + 4).to_bytes(4, "little") + b"WEBP" + padded
