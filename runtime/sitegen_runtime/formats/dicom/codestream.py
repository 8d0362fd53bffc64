"""What a compressed frame says of itself: its kind, size and precision, before any decoder is asked.

The headers are those of JPEG (ITU-T T.81, B.2.2), JPEG-LS (T.87, C.2.2) and JPEG 2000 (T.800, A.5.1, in a file I.4).
"""

from typing import NamedTuple

from sitegen_runtime.errors import DamagedImage
from sitegen_runtime.formats.dicom.syntaxes import JPEG, JPEG_2000, JPEG_LOSSLESS, JPEG_LS
from sitegen_runtime.formats.dicom.walk import DAMAGED

_J2K = b"\xff\x4f\xff\x51"
_JP2 = b"\0\0\0\x0cjP  \r\n\x87\n"
_SOF_LOSSLESS, _SOF_LS = 0xC3, 0xF7
_SOF_DCT = (0xC0, 0xC1, 0xC2)
_NO_FRAMES = (0xC4, 0xC8, 0xCC)
_WITHOUT_LENGTH = (0x01, *range(0xD0, 0xD9))


class Codestream(NamedTuple):
    """One frame's own header; `kind` is a coding of `syntaxes`, "" for what none of them decodes."""

    kind: str
    columns: int
    rows: int
    precision: int
    components: int


def unwrapped(frame: memoryview) -> memoryview:
    """Return a frame without the boxes of a JPEG 2000 file around it, where it has such."""
    if bytes(frame[: len(_JP2)]) != _JP2:
        return frame
    place = 0
    while place + 8 <= len(frame):
        length, start = int.from_bytes(frame[place : place + 4], "big"), place + 8
        if length == 1:
            length, start = int.from_bytes(frame[place + 8 : place + 16], "big"), place + 16
        if bytes(frame[place + 4 : place + 8]) == b"jp2c":
            return frame[start : place + length if length else len(frame)]
        if length < 8:
            break
        place += length
    raise DamagedImage(DAMAGED.format("its JPEG 2000 frame has no codestream"))


def read_codestream(frame: memoryview) -> Codestream:
    """Return what a frame says of itself. Raises DamagedImage where it has no such header."""
    if bytes(frame[:4]) == _J2K:
        return _jpeg_2000(frame)
    if bytes(frame[:2]) == b"\xff\xd8":
        return _jpeg(frame)
    raise DamagedImage(DAMAGED.format("its compressed frame has no beginning that is known"))


def _jpeg_2000(frame: memoryview) -> Codestream:
    if len(frame) < 43:
        raise DamagedImage(DAMAGED.format("its compressed frame has no header"))
    right, bottom, left, top = (int.from_bytes(frame[place : place + 4], "big") for place in (8, 12, 16, 20))
    precision = (frame[42] & 0x7F) + 1
    return Codestream(JPEG_2000, right - left, bottom - top, precision, int.from_bytes(frame[40:42], "big"))


def _jpeg(frame: memoryview) -> Codestream:
    place = 2
    while place + 4 <= len(frame) and frame[place] == 0xFF:
        code = frame[place + 1]
        if code == 0xFF:  # a fill byte
            place += 1
        elif code in _WITHOUT_LENGTH:
            place += 2
        elif (0xC0 <= code <= 0xCF and code not in _NO_FRAMES) or code == _SOF_LS:
            return _start_of_frame(code, frame[place + 4 : place + 10])
        else:
            place += 2 + max(2, int.from_bytes(frame[place + 2 : place + 4], "big"))
    raise DamagedImage(DAMAGED.format("its compressed frame has no header"))


def _start_of_frame(code: int, body: memoryview) -> Codestream:
    if len(body) < 6:
        raise DamagedImage(DAMAGED.format("its compressed frame has no header"))
    precision, components = body[0], body[5]
    rows, columns = int.from_bytes(body[1:3], "big"), int.from_bytes(body[3:5], "big")
    kind = {_SOF_LOSSLESS: JPEG_LOSSLESS, _SOF_LS: JPEG_LS}.get(code, "")
    if code in _SOF_DCT and precision == 8:
        kind = JPEG
    return Codestream(kind, columns, rows, precision, components)
