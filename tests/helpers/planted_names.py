"""DICOM files, written byte by byte, in which a patient's name stands wherever a file can hold one."""

import struct
from collections.abc import Iterable, Iterator

import numpy as np

NAME = "ZYXPLANTEDDOE"
"""In capitals and letters alone, so that it may pass for a code; nothing else holds it."""

Element = tuple[int, str, bytes]

_TEXTS = ["AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UI", "UR", "UT"]
_LONG = ["OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"]
_NUMBERS = ["AT", "FD", "FL", "OB", "OD", "OF", "OL", "OV", "OW", "SL", "SS", "SV", "UL", "UN", "US", "UV"]
_NAME = NAME.encode()
_VARIED = (
    _NAME,
    b"Zyx^" + _NAME,
    b"\x1b$B" + _NAME + b"\x1b(B",  # another character set
    "é^".encode() + _NAME,
)
_KNOWN_TEXTS = {
    "AE": [0x00020016, 0x00020017, 0x00020018, 0x00080054],
    "CS": [0x00080008, 0x00080005, 0x00100022, 0x00400006],
    "DA": [0x00080020, 0x00100030],
    "LO": [0x00080070, 0x00080080, 0x00081030, 0x0008103E, 0x00081040, 0x00100020, 0x00181000, 0x00181030],
    "LT": [0x00104000, 0x00204000, 0x00400280],
    "PN": [0x00080090, 0x00081050, 0x00081070, 0x00100010, 0x00101001, 0x00321032, 0x00400010],
    "SH": [0x00080050, 0x00081010, 0x00200010, 0x00400009, 0x40080040],
    "ST": [0x00080081, 0x00082111],
    "UI": [0x00080018, 0x0020000D, 0x0020000E],
}


def planted(*, elements: Iterable[Element] = (), pixels: np.ndarray | None = None, left_out: int = 0) -> bytes:
    """An image of 16 bits a cell, little-endian with its types written, the name in all that is not needed for it.

    `elements` are written in place of the image's own, or beside them; `left_out` bytes are cut off at the end.
    """
    cells = _smooth() if pixels is None else pixels
    found = {tag: (tag, vr, value) for tag, vr, value in (*_everywhere(), *_image(cells), *elements)}
    meta = [element for tag, element in sorted(found.items()) if tag >> 16 == 2]
    rest = [element for tag, element in sorted(found.items()) if tag >> 16 != 2]
    preamble = (_NAME * 10)[:128]
    data = preamble + b"DICM" + b"".join(map(_written, (*meta, *rest))) + _NAME * 3
    return data[: len(data) - left_out]


def _smooth() -> np.ndarray:
    y, x = np.mgrid[0:64, 0:64]
    return (2000 + 1500 * np.sin(x / 20) * np.cos(y / 25)).astype("<u2")


def _image(cells: np.ndarray) -> Iterator[Element]:
    rows, columns = cells.shape
    yield 0x00020010, "UI", b"1.2.840.10008.1.2.1"
    yield 0x00080016, "UI", b"1.2.840.10008.5.1.4.1.1.1.1"
    for number, value in ((0x02, 1), (0x10, rows), (0x11, columns), (0x0100, 16), (0x0101, 12), (0x0102, 11)):
        yield 0x00280000 | number, "US", struct.pack("<H", value)
    yield 0x00280103, "US", struct.pack("<H", 0)
    yield 0x00280004, "CS", b"MONOCHROME2"
    yield 0x7FE00010, "OW", cells.tobytes()


def _everywhere() -> Iterator[Element]:
    for vr, tags in _KNOWN_TEXTS.items():
        for number, tag in enumerate(tags):
            yield tag, vr, _VARIED[number % len(_VARIED)]
    for number, vr in enumerate((*_TEXTS, *_NUMBERS)):  # of every representation, in private groups and public ones
        for group in (0x0009, 0x0011, 0x0029, 0x0010, 0x0040, 0x7FE1):
            yield group << 16 | 0x2000 + number, vr, _VARIED[number % len(_VARIED)]
    yield 0x00090010, "LO", _NAME
    yield 0x00020100, "UI", _NAME
    yield 0x00020102, "OB", _NAME
    yield 0x00020013, "SH", _NAME
    for group in (0x6000, 0x6002, 0x601E):  # overlays, whose bits show a name, too
        yield group << 16 | 0x0022, "LO", _NAME
        yield group << 16 | 0x1500, "LO", _NAME
        yield group << 16 | 0x3000, "OW", _NAME * 40
    yield 0x00880200, "SQ", _sequence([(0x00280010, "US", b"\1\0"), (0x7FE00010, "OB", _NAME * 20)])  # an icon
    yield 0x00081110, "SQ", _sequence([(0x00100010, "PN", _NAME), (0x00081140, "SQ", _sequence(_inner()))])
    yield 0x00091110, "SQ", _sequence(_inner(), defined=True)
    yield 0x04000561, "SQ", _sequence([(0x04000550, "SQ", _sequence(_inner()))])
    yield 0x00283010 + 0x100, "SQ", _sequence(_inner())
    yield 0xFFFAFFFA, "SQ", _sequence([(0x04000120, "OB", _NAME)])
    yield 0xFFFCFFFC, "OB", _NAME * 9


def _inner() -> list[Element]:
    return [(0x00100010, "PN", _NAME), (0x00100020, "LO", _NAME), (0x00111010, "UN", _NAME)]


def _sequence(elements: list[Element], *, defined: bool = False) -> bytes:
    inside = b"".join(map(_written, sorted(elements)))
    if defined:
        return struct.pack("<HHI", 0xFFFE, 0xE000, len(inside)) + inside
    end = struct.pack("<HHI", 0xFFFE, 0xE00D, 0) + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
    return struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF) + inside + end


def _written(element: Element) -> bytes:
    tag, vr, value = element
    head = struct.pack("<HH", tag >> 16, tag & 0xFFFF) + vr.encode()
    if vr == "SQ":
        undefined = value.endswith(struct.pack("<HHI", 0xFFFE, 0xE0DD, 0))
        return head + b"\0\0" + struct.pack("<I", 0xFFFFFFFF if undefined else len(value)) + value
    value += b" " * (len(value) % 2)
    if vr in _LONG:
        return head + b"\0\0" + struct.pack("<I", len(value)) + value
    return head + struct.pack("<H", len(value)) + value
