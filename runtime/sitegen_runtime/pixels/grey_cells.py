"""A DICOM file's frame to rows of 8-bit luma, whoever decodes it: the way of `formats.dicom` into tensors.

The frame's cells are never copied as a whole where they lie in the file as they are; shades are looked up strip by
strip, in the window that is asked for.
"""

from collections.abc import Callable, Generator
from operator import itemgetter
from typing import Any, TypeAlias

from sitegen_runtime.errors import DamagedImage
from sitegen_runtime.formats import InspectedImage
from sitegen_runtime.formats.cells import Cells
from sitegen_runtime.formats.dicom.rle import decode_rle
from sitegen_runtime.formats.dicom.syntaxes import JPEG, NATIVE, RLE
from sitegen_runtime.requests import DecodeFrame, OpenImage, Progress, ReadRows, Request

STRIP_PIXELS = 500_000
"""Pixels between two moments at which a driver can stop the work."""

Window: TypeAlias = "tuple[int, int, int, int]"
Take: TypeAlias = "Callable[[bytes], None]"


def luma_rows(image: InspectedImage, window: Window, take: Take) -> Generator[Request, Any, None]:
    """Yield requests for cells; hand the rows of a window (left, top, width, height) over, strip by strip.

    Rows are 8-bit luma, a byte a pixel. Raises DamagedImage where the frame cannot be decoded.
    """
    cells = image.cells
    assert cells is not None  # noqa: S101 - for the type checker
    whole = (0, 0, image.width, image.height)
    part = whole if cells.coding != JPEG or cells.shades.needs_cells else window
    decoded = yield from _decoded(image, cells, part)
    present: set[int] = set()
    if cells.shades.needs_cells:
        for start in range(0, len(decoded), STRIP_PIXELS):
            yield Progress("pixels", start / len(decoded) / 2)
            present.update(decoded[start : start + STRIP_PIXELS])
    shade = _shader(cells.shades.table(present), cells.cell_bytes)
    left, top, width, height = window[0] - part[0], window[1] - part[1], *window[2:]
    strip = max(1, STRIP_PIXELS // width)
    for row in range(0, height, strip):
        yield Progress("pixels", row / height if not present else 0.5 + row / height / 2)
        starts = [(top + each) * part[2] + left for each in range(row, min(row + strip, height))]
        take(b"".join(shade(decoded[start : start + width]) for start in starts))


def _decoded(image: InspectedImage, cells: Cells, part: Window) -> Generator[Request, Any, memoryview]:
    """All cells of a part of the frame, row by row, as unsigned numbers of one byte or two."""
    pixels = part[2] * part[3]
    if cells.coding == NATIVE:
        found = memoryview(cells.data)
    elif cells.coding == RLE:
        yield Progress("pixels", 0.0)
        found = memoryview(decode_rle(bytes(cells.data), pixels, cells.cell_bytes))
    elif cells.coding == JPEG:
        found = memoryview((yield from _from_platform(image, bytes(cells.data), part)))
    else:
        yield Progress("pixels", 0.0)
        answer = yield DecodeFrame(cells.coding, bytes(cells.data), image.width, image.height, cells.precision)
        found = memoryview(answer).cast("B")
    if len(found) != pixels * cells.cell_bytes:
        raise DamagedImage("The frame of this DICOM file decodes to another size than it should. Copy it again.")
    return found.cast("H") if cells.cell_bytes == 2 else found


def _from_platform(image: InspectedImage, payload: bytes, part: Window) -> Generator[Request, Any, bytes]:
    size = yield OpenImage("image/jpeg", payload)
    if tuple(size) != (image.width, image.height):
        raise DamagedImage("The frame of this DICOM file decodes to another size than it should. Copy it again.")
    left, top, width, height = part
    strip, found = max(1, STRIP_PIXELS // width), bytearray()
    for row in range(0, height, strip):
        yield Progress("pixels", row / height / 2)
        rows = yield ReadRows(left, top + row, width, min(strip, height - row))
        found += bytes(rows)[::4]  # red, which green and blue equal
    return bytes(found)


def _shader(table: bytes, cell_bytes: int) -> Callable[[memoryview], bytes]:
    if cell_bytes == 1:
        return lambda row: bytes(row).translate(table)
    # `itemgetter` looks a whole row up in C; of one key alone it would return no tuple.
    return lambda row: bytes(itemgetter(*row)(table)) if len(row) > 1 else bytes(table[cell] for cell in row)
