"""DICOM files of drawn images, which are nobody's: the same bytes always, with no more in the header than it takes."""

import io
import struct
from collections.abc import Iterable
from importlib import import_module
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_EXPLICIT, _SECONDARY_CAPTURE, _UID = "1.2.840.10008.1.2.1", "1.2.840.10008.5.1.4.1.1.7", "2.25.1"
_BASELINE, _LOSSLESS, _LS, _2000 = (f"1.2.840.10008.1.2.4.{number}" for number in (50, 70, 80, 90))
_STEP = 16
"""How far the stored values of two greys are apart: 255 of them fill 12 bits."""

Element = tuple[int, str, bytes]


def as_dicom(grey: NDArray[np.uint8]) -> bytes:
    """Return a DICOM file of a drawn chest radiograph, uint8 [height, width]: 12 bits, explicit little-endian.

    Its window gives back the 8-bit greys that were drawn, so that it is the same image as the PNG (PS3.3,
    C.11.2.1.2.1; PS3.5, 7.1.2; PS3.10, 7.1).
    """
    return _file(_EXPLICIT, grey.shape, 12, ("OW", _cells(grey).tobytes()))


def compressed_variants(grey: NDArray[np.uint8]) -> dict[str, bytes]:
    """Return the same picture in each compressed kind that this Python can both write and read, by a file's name.

    All but 8-bit JPEG, which loses something, need imagecodecs.
    """
    jpeg = io.BytesIO()
    Image.fromarray(grey).save(jpeg, "JPEG", quality=92)
    files = {"jpeg.dcm": _framed(_BASELINE, grey.shape, 8, jpeg.getvalue())}
    if find_spec("imagecodecs"):
        codecs, cells = import_module("imagecodecs"), _cells(grey)
        frames = {
            "jpeg-lossless.dcm": (_LOSSLESS, codecs.jpeg8_encode(cells, lossless=True, predictor=1, bitspersample=12)),
            "jpeg-ls.dcm": (_LS, codecs.jpegls_encode(cells)),
            "jpeg-2000.dcm": (_2000, codecs.jpeg2k_encode(cells, level=0, codecformat="j2k", reversible=True)),
        }
        files |= {name: _framed(syntax, grey.shape, 12, frame) for name, (syntax, frame) in frames.items()}
    return files


def _cells(grey: NDArray[np.uint8]) -> NDArray[np.uint16]:
    return grey.astype("<u2") * np.uint16(_STEP)


def _framed(syntax: str, shape: tuple[int, ...], bits: int, frame: bytes) -> bytes:
    """A file of one compressed frame: an empty table of offsets, a fragment, the end (PS3.5, A.4)."""
    frame += b"\0" * (len(frame) % 2)
    items = b"\xfe\xff\0\xe0\0\0\0\0" + b"\xfe\xff\0\xe0" + struct.pack("<I", len(frame)) + frame
    return _file(syntax, shape, bits, ("OB", items + b"\xfe\xff\xdd\xe0\0\0\0\0"))


def _file(syntax: str, shape: tuple[int, ...], bits: int, pixels: tuple[str, bytes]) -> bytes:
    meta = _written(
        [
            (0x00020001, "OB", b"\0\1"),
            (0x00020002, "UI", _SECONDARY_CAPTURE.encode()),
            (0x00020003, "UI", _UID.encode()),
            (0x00020010, "UI", syntax.encode()),
            (0x00020012, "UI", _UID.encode()),
        ]
    )
    length = _written([(0x00020000, "UL", struct.pack("<I", len(meta)))])
    vr, data = pixels
    size = 0xFFFFFFFF if syntax != _EXPLICIT else len(data)
    head = struct.pack("<HH2sxxI", 0x7FE0, 0x0010, vr.encode(), size)
    return bytes(128) + b"DICM" + length + meta + _written([*_about(), *_of_pixels(shape, bits)]) + head + data


def _about() -> Iterable[Element]:
    return [
        (0x00080016, "UI", _SECONDARY_CAPTURE.encode()),
        (0x00080018, "UI", _UID.encode()),
        (0x00080060, "CS", b"OT"),
        (0x00180015, "CS", b"CHEST"),
        (0x00185101, "CS", b"PA"),
    ]


def _of_pixels(shape: tuple[int, ...], bits: int) -> Iterable[Element]:
    rows, columns = shape
    allocated = 8 if bits == 8 else 16
    numbers = (rows, columns, allocated, bits, bits - 1, 0)
    tags = (0x00280010, 0x00280011, 0x00280100, 0x00280101, 0x00280102, 0x00280103)
    # LINEAR: (value - (centre - 1/2)) / (width - 1) + 1/2 is the grey's share, value / (255 * step).
    top = 255 * _STEP
    window = [(0x00281050, "DS", f"{(top + 1) / 2}".encode()), (0x00281051, "DS", f"{top + 1}".encode())]
    return [
        (0x00280002, "US", struct.pack("<H", 1)),
        (0x00280004, "CS", b"MONOCHROME2"),
        *((tag, "US", struct.pack("<H", number)) for tag, number in zip(tags, numbers, strict=True)),
        *(window if bits > 8 else ()),
    ]


def _written(elements: Iterable[Element]) -> bytes:
    return b"".join(map(_element, elements))


def _element(element: Element) -> bytes:
    tag, vr, value = element
    value += (b"\0" if vr in ("UI", "OB") else b" ") * (len(value) % 2)
    head = struct.pack("<HH", tag >> 16, tag & 0xFFFF) + vr.encode()
    length = struct.pack("<xxI", len(value)) if vr == "OB" else struct.pack("<H", len(value))
    return head + length + value
