"""A DICOM file's frame to 8-bit luma, whoever decodes it: the way of `formats.dicom` into tensors and pictures."""

from collections.abc import Callable, Generator
from typing import Any, TypeAlias

from sitegen_runtime.errors import DamagedImage
from sitegen_runtime.formats import InspectedImage
from sitegen_runtime.formats.cells import Cells
from sitegen_runtime.formats.dicom.rle import decode_rle
from sitegen_runtime.formats.dicom.syntaxes import JPEG, NATIVE, RLE
from sitegen_runtime.requests import DecodeFrame, OpenImage, Progress, ReadRows, Request, ShadeCells

STRIP_PIXELS = 500_000
"""Pixels between two moments at which a driver can stop the work."""

_DECODED = 0.5  # of the work on pixels
Window: TypeAlias = "tuple[int, int, int, int]"
Take: TypeAlias = "Callable[[bytes], None]"


def luma_rows(image: InspectedImage, window: Window, take: Take) -> Generator[Request, Any, None]:
    """Yield requests for cells; hand the rows of a window (left, top, width, height) over, strip by strip.

    Rows are 8-bit luma, a byte a pixel. Raises DamagedImage where the frame cannot be decoded.
    """
    luma = yield from luma_of(image)
    left, top, width, height = window
    strip = max(1, STRIP_PIXELS // width)
    for row in range(0, height, strip):
        yield Progress("pixels", _DECODED + (1 - _DECODED) * row / height)
        starts = [(top + each) * image.width + left for each in range(row, min(row + strip, height))]
        take(b"".join(luma[start : start + width] for start in starts))


def luma_of(image: InspectedImage) -> Generator[Request, Any, memoryview]:
    """Yield requests for cells; return the whole frame as 8-bit luma, row by row.

    Raises DamagedImage where the frame cannot be decoded.
    """
    cells = image.cells
    assert cells is not None  # noqa: S101 - for the type checker
    decoded = yield from decoded_cells(image, cells)
    present: set[int] = set()
    if cells.shades.needs_cells:
        for start in range(0, len(decoded), STRIP_PIXELS):
            yield Progress("pixels", _DECODED * start / len(decoded))
            present.update(decoded[start : start + STRIP_PIXELS])
    table = cells.shades.table(present)
    luma = yield ShadeCells(image.width, image.height, cells.cell_bytes, decoded.cast("B"), table)
    return memoryview(luma)


def decoded_cells(image: InspectedImage, cells: Cells) -> Generator[Request, Any, memoryview]:
    """Yield requests for cells; return all of the frame, row by row, as unsigned numbers of one byte or two.

    Raises DamagedImage where the frame cannot be decoded.
    """
    pixels = image.width * image.height
    if cells.coding == NATIVE:
        found = memoryview(cells.data)
    elif cells.coding == RLE:
        yield Progress("pixels", 0.0)
        found = memoryview(decode_rle(bytes(cells.data), pixels, cells.cell_bytes))
    elif cells.coding == JPEG:
        found = memoryview((yield from _from_platform(image, bytes(cells.data))))
    else:
        yield Progress("pixels", 0.0)
        answer = yield DecodeFrame(cells.coding, bytes(cells.data), image.width, image.height, cells.precision)
        found = memoryview(answer).cast("B")
    if len(found) != pixels * cells.cell_bytes:
        raise DamagedImage("The frame of this DICOM file decodes to another size than it should. Copy it again.")
    return found.cast("H") if cells.cell_bytes == 2 else found


def _from_platform(image: InspectedImage, payload: bytes) -> Generator[Request, Any, bytes]:
    size = yield OpenImage("image/jpeg", payload)
    if tuple(size) != (image.width, image.height):
        raise DamagedImage("The frame of this DICOM file decodes to another size than it should. Copy it again.")
    strip, found = max(1, STRIP_PIXELS // image.width), bytearray()
    for row in range(0, image.height, strip):
        yield Progress("pixels", _DECODED * row / image.height)
        rows = yield ReadRows(0, row, image.width, min(strip, image.height - row))
        found += bytes(rows)[::4]  # red, which green and blue equal
    return bytes(found)
