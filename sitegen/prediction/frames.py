"""Codecs as CPython has them: the frames of DICOM files, decoded by the package imagecodecs.

It is imported with the first frame that needs it. Its codecs are CharLS, OpenJPEG and libjpeg-turbo or a decoder of
lossless JPEG beside that.
"""

from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sitegen_runtime.errors import DamagedImage, UnsupportedType
from sitegen_runtime.formats.dicom.syntaxes import JPEG_2000, JPEG_LOSSLESS, JPEG_LS
from sitegen_runtime.requests import DecodeFrame, ShadeCells
from sitegen_runtime.wording.failures import UNDECODABLE

INSTALL = "pip install 'offline-sitegen[dicom]'"

_DECODERS = {JPEG_LOSSLESS: "jpegsof3_decode", JPEG_LS: "jpegls_decode", JPEG_2000: "jpeg2k_decode"}
"""The functions of imagecodecs, by the codec's name in requests."""


def decode_frame(request: DecodeFrame) -> bytes:
    """Return a frame's cells as `DecodeFrame` says.

    Raises UnsupportedType where imagecodecs is not installed, DamagedImage where it refuses the frame or finds another
    size or precision than the frame's own header says.
    """
    try:
        cells = _decoder(request.codec)(request.frame)
    except (MemoryError, UnsupportedType):
        raise
    except Exception as error:  # each codec raises a type of its own
        raise DamagedImage(UNDECODABLE) from error
    return _checked(np.asarray(cells), request).tobytes()


def shade_cells(request: ShadeCells) -> bytes:
    """Return luma as `ShadeCells` says."""
    table = np.frombuffer(request.table, np.uint8)
    return table[np.frombuffer(request.cells, f"<u{request.cell_bytes}")].tobytes()


def _decoder(codec: str) -> Any:
    try:
        return getattr(import_module("imagecodecs"), _DECODERS[codec])
    except ImportError as error:
        raise UnsupportedType(
            f"This DICOM file is compressed ({codec}), and imagecodecs, which decodes that, is not installed. "
            f"Install it: {INSTALL}"
        ) from error


def _checked(cells: NDArray[Any], request: DecodeFrame) -> NDArray[np.unsignedinteger]:
    size = 1 if request.precision <= 8 else 2
    if cells.shape != (request.rows, request.columns) or cells.dtype.kind not in "iu" or cells.itemsize > size:
        raise DamagedImage(UNDECODABLE)
    return cells.astype(np.dtype(f"<u{size}"), copy=False)
