"""DICOM files written byte by byte, for headers that no library writes; and what the runtime decodes of a file."""

import struct
from collections.abc import Sequence

import numpy as np

from sitegen.prediction.pixels import PixelSource
from sitegen_runtime.formats import inspect_image
from sitegen_runtime.pixels.grey_cells import luma_of
from sitegen_runtime.requests import ShadeCells

EXPLICIT = "1.2.840.10008.1.2.1"
LONG = (b"OB", b"OW", b"SQ", b"UN", b"UC", b"UT")
OPEN = 0xFFFFFFFF
Element = tuple[int, bytes, bytes]


def element(tag: int, vr: bytes, value: bytes = b"", length: int | None = None) -> bytes:
    """An element with its representation written, little-endian; the length may be another than the value's."""
    length = len(value) if length is None else length
    head = struct.pack("<HH", tag >> 16, tag & 0xFFFF) + vr
    return head + (struct.pack("<HI", 0, length) if vr in LONG else struct.pack("<H", length)) + value


def item(value: bytes, length: int | None = None, tag: int = 0xFFFEE000) -> bytes:
    return struct.pack("<HHI", tag >> 16, tag & 0xFFFF, len(value) if length is None else length) + value


def number(tag: int, value: int) -> bytes:
    return element(tag, b"US", struct.pack("<H", value))


def meta(syntax: str = EXPLICIT) -> bytes:
    uid = syntax.encode()
    return bytes(128) + b"DICM" + element(0x00020010, b"UI", uid + b"\0" * (len(uid) % 2))


def header(rows: int, columns: int, bits: int = 16, extra: Sequence[bytes] = ()) -> bytes:
    """What a grey image's header has, without a prefix; `extra` elements belong before the pixels."""
    numbers = {0x00280010: rows, 0x00280011: columns, 0x00280100: bits, 0x00280101: bits, 0x00280102: bits - 1}
    described = [number(tag, value) for tag, value in numbers.items()]
    return element(0x00280004, b"CS", b"MONOCHROME2 ") + b"".join((*described, number(0x00280103, 0), *extra))


def pixels(cells: np.ndarray) -> bytes:
    return element(0x7FE00010, b"OW", cells.astype(cells.dtype.newbyteorder("<")).tobytes())


def cells_of(data: bytes) -> np.ndarray:
    """The stored values that a file's frame decodes to, [rows, columns], sign and masks applied."""
    image, source = inspect_image(data), PixelSource()
    assert image.cells is not None
    stored = image.cells.shades.stored  # type: ignore[attr-defined]
    work, answer = luma_of(image), None
    while True:
        request = work.send(answer)
        if isinstance(request, ShadeCells):
            found = np.frombuffer(request.cells, f"<u{request.cell_bytes}").reshape(image.height, image.width)
            return np.array(stored.values())[found >> stored.shift & (1 << stored.bits) - 1]
        answer = source.answer(request)
