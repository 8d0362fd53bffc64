"""A DICOM file as a grey PNG, which then goes the way of every image.

Parts of DICOM PS3.3 that decide how pixels become grey, in their order:

    C.11.1     modality LUT, or rescale slope and intercept
    C.11.2     the first VOI LUT, or else the first window (LINEAR, LINEAR_EXACT or SIGMOID)
    C.7.6.3    MONOCHROME1, where the least value is white, is turned round

Where a file has no such window, 8 bits without a rescale stay as they are; of anything else the image's own least value
is black, and its greatest white. pydicom reads the file and decodes its pixels, with Pillow for JPEG and JPEG 2000.
"""

import logging
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from numpy.typing import NDArray

from sitegen.errors import DataError
from sitegen_runtime.errors import DamagedImage, ImageError, UnsupportedType
from sitegen_runtime.formats.inspected import MAX_PIXELS, check_size

if TYPE_CHECKING:
    from pydicom import Dataset

START = 132
"""Bytes of a file that tell whether it is DICOM."""

_Plane = NDArray[np.float64]
_WHITE = 65535
_GREY = ("MONOCHROME1", "MONOCHROME2")


def is_dicom(start: bytes) -> bool:
    """Return whether a file that begins so is DICOM: by its prefix, or by a first element as old files have it."""
    if start[128:132] == b"DICM":
        return True
    # Without a prefix: element (0008,00xx), or (0002,0000), little-endian.
    return (start[:2] == b"\x08\x00" and start[3:4] == b"\0") or start[:4] == b"\x02\0\0\0"


def as_image(raw: bytes) -> bytes:
    """Return the bytes of an image file, a DICOM file's as a PNG. Raises what `dicom_png` does."""
    return dicom_png(raw) if is_dicom(raw[:START]) else raw


def dicom_png(raw: bytes) -> bytes:
    """Return the image in a DICOM file as a grey PNG of 8 bits, where it has no more, or 16.

    Raises UnsupportedType where the file has no single grey image or no decoder for it is installed, DamagedImage
    where it cannot be read, TooLarge beyond the runtime's limit, and DataError where pydicom is not installed.
    """
    with _problems_named():
        dataset = read_dicom(BytesIO(raw))
        _check_kind(dataset)
        pixels = _decoded(dataset)
        turned = dataset.PhotometricInterpretation == "MONOCHROME1"
        if _is_plain(dataset):
            plain = pixels.astype(np.uint8)
            return _png(255 - plain if turned else plain)
        shares = _displayed(pixels, dataset)
        return _png(np.rint(_WHITE * (1 - shares if turned else shares)).astype(">u2"))


def read_dicom(file: BinaryIO, tags: list[str] | None = None) -> "Dataset":
    """Return a DICOM file's elements, of `tags` alone and without the pixels where they are given.

    Raises DataError where pydicom is not installed, and whatever pydicom does for a file that it cannot read.
    """
    try:
        from pydicom import dcmread
        from pydicom.uid import ImplicitVRLittleEndian
    except ImportError as error:
        raise DataError(
            "DICOM files are read with pydicom. Install it: pip install 'offline-sitegen[train]'"
        ) from error
    with _quiet():
        dataset = dcmread(file, force=True, stop_before_pixels=tags is not None, specific_tags=tags)
    if "TransferSyntaxUID" not in dataset.file_meta:
        dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian  # as all files were before there was a prefix
    return dataset


def _check_kind(dataset: "Dataset") -> None:
    """Refuse what is not one grey image."""
    if "PixelData" not in dataset:
        raise DamagedImage(
            "This DICOM file has no image, or ends before it. Copy it again from its source, or leave it out."
        )
    check_size(int(dataset.get("Columns") or 0), int(dataset.get("Rows") or 0), MAX_PIXELS)
    frames = int(dataset.get("NumberOfFrames") or 1)
    if frames != 1:
        raise UnsupportedType(f"This DICOM file has {frames} frames, and one is read. Export the one you want as PNG.")
    colours = str(dataset.get("PhotometricInterpretation") or "not stated")
    if colours not in _GREY or dataset.get("SamplesPerPixel", 1) != 1:
        raise UnsupportedType(f"This DICOM file's pixels are {colours}, and only grey ones are read. Export it as PNG.")


def _decoded(dataset: "Dataset") -> NDArray[np.integer]:
    from pydicom.pixels.decoders.base import get_decoder

    syntax = dataset.file_meta.TransferSyntaxUID
    try:
        known = get_decoder(syntax).is_available
    except NotImplementedError:
        known = False
    if not known:
        raise UnsupportedType(
            f"This DICOM file's transfer syntax is {syntax.name} ({syntax}), for which no decoder is installed. "
            "Install one (pip install python-gdcm), or export the image as PNG."
        )
    with _quiet():
        pixels: NDArray[np.integer] = dataset.pixel_array
    return pixels


def _is_plain(dataset: "Dataset") -> bool:
    rescaled = (dataset.get("RescaleSlope") or 1, dataset.get("RescaleIntercept") or 0) != (1, 0)
    mapped = dataset.get("ModalityLUTSequence") or dataset.get("VOILUTSequence") or _window(dataset)
    return bool(dataset.BitsStored == 8 and dataset.PixelRepresentation == 0 and not rescaled and not mapped)


def _displayed(pixels: NDArray[np.integer], dataset: "Dataset") -> _Plane:
    """Shares of the way from the least to the greatest displayed value, 0..1."""
    from pydicom.pixels.processing import apply_modality_lut, apply_voi

    with _quiet():
        values = apply_modality_lut(pixels, dataset)
        if dataset.get("VOILUTSequence"):
            depth = dataset.VOILUTSequence[0].LUTDescriptor[2]
            return np.asarray(np.clip(apply_voi(values, dataset) / (2**depth - 1), 0, 1))
    window = _window(dataset)
    if window:
        return windowed(values.astype(np.float64), *window, str(dataset.get("VOILUTFunction") or "LINEAR"))
    least, most = float(values.min()), float(values.max())
    return (values.astype(np.float64) - least) / max(most - least, 1e-9)


def windowed(values: _Plane, centre: float, width: float, function: str = "LINEAR") -> _Plane:
    """Return values seen through a window, 0..1, after DICOM PS3.3 C.11.2.1.2 and C.11.2.1.3.

    Raises ValueError for a function that the standard does not have.
    """
    if function == "LINEAR":
        # One value wide, it is a step; the standard's formula would divide by nothing.
        return np.clip((values - (centre - 0.5)) / max(width - 1, 1e-9) + 0.5, 0, 1)
    if function == "LINEAR_EXACT":
        return np.clip((values - centre) / width + 0.5, 0, 1)
    if function == "SIGMOID":
        # The standard's 1 / (1 + exp(-4 (x - c) / w)), in a form that does not overflow.
        return np.asarray((1 + np.tanh(2 * (values - centre) / width)) / 2)
    raise ValueError(f"there is no window function {function!r}")


def _window(dataset: "Dataset") -> tuple[float, float] | None:
    """The first window's centre and width, None where there is none or it shows nothing."""
    found = [dataset.get(name) for name in ("WindowCenter", "WindowWidth")]
    if any(value is None or value == "" for value in found):
        return None
    centre, width = (float(value[0] if hasattr(value, "__len__") else value) for value in found)
    least = 1 if str(dataset.get("VOILUTFunction") or "LINEAR") == "LINEAR" else 1e-9
    return (centre, width) if width >= least else None


def _png(plane: NDArray[np.unsignedinteger]) -> bytes:
    height, width = plane.shape
    # Each row begins with its filter: none. Pillow would choose some, which the runtime then undoes in Python.
    rows = np.zeros((height, 1 + width * plane.itemsize), np.uint8)
    rows[:, 1:] = np.ascontiguousarray(plane).view(np.uint8)
    header = struct.pack(">IIBBBBB", width, height, 8 * plane.itemsize, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes(), 1)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )


@contextmanager
def _problems_named() -> Iterator[None]:
    try:
        yield
    except (ImageError, DataError, MemoryError):
        raise
    except Exception as error:  # pydicom and the decoders raise a dozen unrelated types
        reason = [type(error).__name__, *str(error).split("\n")][-1].strip()  # a list's last line says what happened
        raise DamagedImage(
            f"This DICOM file cannot be read ({reason}): it is damaged. Copy it again from its source."
        ) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep pydicom's remarks on small faults of a file, one a file and more, from the terminal."""
    log = logging.getLogger("pydicom")
    before = log.level
    log.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(before)
