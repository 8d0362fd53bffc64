"""The golden image of a bundle: a synthetic one, so that it is nobody's; and whether the bundle's gate takes it."""

import struct
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sitegen.bundle import Bundle
from sitegen.data.tensors.cache import image_tensors
from sitegen.export.write_bundle import GOLDEN_FILES
from sitegen.phantom import phantom, write_phantom
from sitegen.prediction import Predictor
from sitegen.settings.recipe import GoldenKind
from sitegen_runtime.bundle.model import NetworkInput

GOLDEN_SEED, GOLDEN_SIDE = 1, 768
Images = NDArray[np.float32]
_EXPLICIT, _SECONDARY_CAPTURE, _UID = "1.2.840.10008.1.2.1", "1.2.840.10008.5.1.4.1.1.7", "2.25.1"
_STEP = 16
"""How far the stored values of two greys are apart: 255 of them fill 12 bits."""

Element = tuple[int, str, bytes]


def write_golden(folder: Path, image: NetworkInput, kind: GoldenKind = "png") -> Images:
    """Write the golden image, always the same phantom, and return what the network sees of it: [1, C, side, side].

    It is `golden.png`, or, of the kind "dicom", the same picture as `golden.dcm`.
    """
    path = folder / GOLDEN_FILES[kind]
    if kind == "dicom":
        path.write_bytes(as_dicom(phantom(GOLDEN_SEED, GOLDEN_SIDE)))
    else:
        write_phantom(path, GOLDEN_SEED, GOLDEN_SIDE)
    return image_tensors(path.read_bytes(), {"golden": image})["golden"]


def golden_refused(bundle: Bundle) -> bool:
    """Return whether the gate of a bundle refuses its golden image, which the page then shows refused."""
    golden = bundle.description.golden
    if golden is None or bundle.description.gate is None:
        return False
    judged = Predictor(bundle).predict(bundle.path(golden.image))["gate"]
    return not (judged and judged["accepted"])


def as_dicom(grey: NDArray[np.uint8]) -> bytes:
    """Return a DICOM file of a drawn chest radiograph, uint8 [height, width]: 12 bits, nobody's, always the same.

    It is explicit little-endian, and its window gives back the 8-bit greys that were drawn, so that it is the same
    image as the PNG (PS3.3, C.11.2.1.2.1; PS3.5, 7.1.2; PS3.10, 7.1).
    """
    meta = _written(
        [
            (0x00020001, "OB", b"\0\1"),
            (0x00020002, "UI", _SECONDARY_CAPTURE.encode()),
            (0x00020003, "UI", _UID.encode()),
            (0x00020010, "UI", _EXPLICIT.encode()),
            (0x00020012, "UI", _UID.encode()),
        ]
    )
    length = _written([(0x00020000, "UL", struct.pack("<I", len(meta)))])
    return bytes(128) + b"DICM" + length + meta + _written([*_about(), *_pixels(grey)])


def _about() -> Iterable[Element]:
    return [
        (0x00080016, "UI", _SECONDARY_CAPTURE.encode()),
        (0x00080018, "UI", _UID.encode()),
        (0x00080060, "CS", b"OT"),
        (0x00180015, "CS", b"CHEST"),
        (0x00185101, "CS", b"PA"),
    ]


def _pixels(grey: NDArray[np.uint8]) -> Iterable[Element]:
    rows, columns = grey.shape
    numbers = {0x00280010: rows, 0x00280011: columns, 0x00280100: 16, 0x00280101: 12, 0x00280102: 11, 0x00280103: 0}
    # LINEAR: (value - (centre - 1/2)) / (width - 1) + 1/2 is the grey's share, value / (255 * step).
    top = 255 * _STEP
    return [
        (0x00280002, "US", struct.pack("<H", 1)),
        (0x00280004, "CS", b"MONOCHROME2"),
        *((tag, "US", struct.pack("<H", number)) for tag, number in numbers.items()),
        (0x00281050, "DS", f"{(top + 1) / 2}".encode()),
        (0x00281051, "DS", f"{top + 1}".encode()),
        (0x7FE00010, "OW", (grey.astype("<u2") * _STEP).tobytes()),
    ]


def _written(elements: Iterable[Element]) -> bytes:
    return b"".join(map(_element, elements))


def _element(element: Element) -> bytes:
    tag, vr, value = element
    value += (b"\0" if vr in ("UI", "OB") else b" ") * (len(value) % 2)
    head = struct.pack("<HH", tag >> 16, tag & 0xFFFF) + vr.encode()
    length = struct.pack("<xxI", len(value)) if vr in ("OB", "OW") else struct.pack("<H", len(value))
    return head + length + value
