"""Codecs as CPython has them: the frames of DICOM files, decoded by the package imagecodecs.

It is imported with the first frame that needs it. Its codecs are CharLS, OpenJPEG and libjpeg-turbo.
"""

from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sitegen.prediction.lossless_jpeg import decode_whole
from sitegen_runtime.errors import DamagedImage, UnsupportedType
from sitegen_runtime.formats.dicom.syntaxes import JPEG_LOSSLESS, JPEG_LS
from sitegen_runtime.requests import DecodeFrame, ShadeCells
from sitegen_runtime.wording.failures import UNDECODABLE

INSTALL = "pip install 'offline-sitegen[dicom]'"


def decode_frame(request: DecodeFrame) -> bytes:
    """Return a frame's cells as `DecodeFrame` says.

    Raises UnsupportedType where imagecodecs is not installed, DamagedImage where it refuses the frame or finds another
    size or precision than the frame's own header says.
    """
    try:
        cells = _decoded(import_module("imagecodecs"), request)
    except (MemoryError, DamagedImage):
        raise
    except ImportError as error:  # of a codec, too, that a build of it leaves out
        raise UnsupportedType(
            f"This DICOM file is compressed ({request.codec}), and imagecodecs, which decodes that, is not installed. "
            f"Install it: {INSTALL}"
        ) from error
    except Exception as error:  # each codec raises a type of its own
        raise DamagedImage(UNDECODABLE) from error
    return _checked(np.asarray(cells), request).tobytes()


def shade_cells(request: ShadeCells) -> bytes:
    """Return luma as `ShadeCells` says."""
    table = np.frombuffer(request.table, np.uint8)
    luma: bytes = table[np.frombuffer(request.cells, f"<u{request.cell_bytes}")].tobytes()
    return luma


def _decoded(codecs: Any, request: DecodeFrame) -> Any:
    if request.codec == JPEG_LOSSLESS:
        # Of its three decoders of lossless JPEG, one knows no point transform, and two crash on damaged frames.
        return decode_whole(request.frame, request.columns, request.rows, codecs.jpeg8_decode)
    if request.codec == JPEG_LS:
        return codecs.jpegls_decode(request.frame)
    return codecs.jpeg2k_decode(request.frame)


def _checked(cells: NDArray[Any], request: DecodeFrame) -> NDArray[np.unsignedinteger]:
    size = 1 if request.precision <= 8 else 2
    if cells.shape != (request.rows, request.columns) or cells.dtype.kind not in "iu" or cells.itemsize > size:
        raise DamagedImage(UNDECODABLE)
    return cells.astype(np.dtype(f"<u{size}"), copy=False)
