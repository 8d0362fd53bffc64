"""Compressed frames of grey cells, as the encoders of imagecodecs write them, and whole files with such frames."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLossless,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from tests.helpers.dicom_files import as_bytes, radiograph, without_prefix

imagecodecs: Any = pytest.importorskip("imagecodecs")

Cells = np.ndarray[Any, Any]
_SYNTAXES = {
    "uncompressed": ExplicitVRLittleEndian,
    "big-endian": ExplicitVRBigEndian,
    "deflated": DeflatedExplicitVRLittleEndian,
    "run-lengths": RLELossless,
    "jpeg-lossless": JPEGLossless,
    "jpeg-ls": JPEGLSLossless,
    "jpeg-2000": JPEG2000Lossless,
    "high-throughput": HTJ2KLossless,
}
SIZES = ((1, 1), (1, 7), (9, 1), (2, 3), (17, 33), (64, 61), (131, 157))  # rows, columns
DEPTHS = (2, 7, 8, 12, 16)


@dataclass(frozen=True)
class Frame:
    """A compressed frame, and the cells that imagecodecs makes of it again, with its own precision in bits."""

    name: str
    codec: str
    data: bytes
    cells: Cells
    precision: int

    @property
    def stored(self) -> bytes:
        """The cells as the page's codecs give them (`DecodeFrame`)."""
        return self.cells.astype(f"<{self.cells.dtype.kind}{1 if self.precision <= 8 else 2}").tobytes()


def cells_of(rows: int, columns: int, bits: int, *, signed: bool = False, noisy: bool = False) -> Cells:
    """Waves with some noise, or noise alone, over the whole range of so many bits."""
    chance = np.random.default_rng(rows * columns + bits)
    y, x = np.mgrid[:rows, :columns]
    top = (1 << bits) - 1
    waves = (np.sin(x / 7.3) + np.cos(y / 5.1) + 2) / 4 * top + chance.normal(0, top / 60, (rows, columns))
    values = chance.integers(0, top + 1, (rows, columns)) if noisy else np.clip(waves, 0, top).astype(np.int64)
    kind = f"{'i' if signed else 'u'}{1 if bits <= 8 else 2}"
    return (values - (top + 1 >> 1 if signed else 0)).astype(kind)


def frames(codec: str) -> Iterator[Frame]:
    """Frames of a codec (`requests.DecodeFrame`) of all sizes and depths, smooth and noisy."""
    for rows, columns in SIZES:
        for bits in DEPTHS:
            for noisy in (False, True):
                name = f"{rows} x {columns} x {bits} {'noisy' if noisy else 'smooth'}"
                for way, data, decoded in _WAYS[codec](rows, columns, bits, noisy):
                    yield Frame(f"{way} {name}", codec, data, decoded, _precision(codec, data))


def _lossless(rows: int, columns: int, bits: int, noisy: bool) -> Iterator[tuple[str, bytes, Cells]]:
    cells = cells_of(rows, columns, bits, noisy=noisy)
    for predictor in (1, 4, 6, 7):
        data = imagecodecs.jpeg8_encode(cells, lossless=True, predictor=predictor, bitspersample=bits)
        yield f"predictor {predictor}", data, cells


def _ls(rows: int, columns: int, bits: int, noisy: bool) -> Iterator[tuple[str, bytes, Cells]]:
    for near in (0, 2):
        cells = cells_of(rows, columns, bits, noisy=noisy)
        data = imagecodecs.jpegls_encode(cells, level=near, out=4 * cells.nbytes + 999)  # its own guess is too small
        yield f"near {near}", data, imagecodecs.jpegls_decode(data)


def _2000(rows: int, columns: int, bits: int, noisy: bool) -> Iterator[tuple[str, bytes, Cells]]:
    for signed in (False, True):
        cells = cells_of(rows, columns, bits, signed=signed, noisy=noisy)
        sign = "signed" if signed else "unsigned"
        data = imagecodecs.jpeg2k_encode(cells, codecformat="j2k", bitspersample=bits, level=0, reversible=True)
        yield f"lossless {sign}", data, cells
        data = imagecodecs.jpeg2k_encode(cells, codecformat="j2k", bitspersample=bits, level=30)
        yield f"lossy {sign}", data, imagecodecs.jpeg2k_decode(data)
        yield f"high-throughput {sign}", imagecodecs.htj2k_encode(cells, reversible=True), cells


_WAYS: dict[str, Callable[[int, int, int, bool], Iterator[tuple[str, bytes, Cells]]]] = {
    "jpeg-lossless": _lossless,
    "jpeg-ls": _ls,
    "jpeg-2000": _2000,
}


def _precision(codec: str, data: bytes) -> int:
    if codec == "jpeg-2000":
        return (data[data.index(b"\xff\x51") + 40] & 0x7F) + 1
    return data[data.index(b"\xff\xc3" if codec == "jpeg-lossless" else b"\xff\xf7") + 4]


def whole_files(cells: Cells) -> dict[str, bytes]:
    """DICOM files of unsigned 12-bit cells with a window, one in each coding; lossy ones show other cells."""
    of = {
        **dict.fromkeys(_SYNTAXES, (cells, 12)),
        "baseline-jpeg": ((cells >> 4).astype(np.uint8), 8),
    }
    syntaxes = _SYNTAXES | {"baseline-jpeg": JPEGBaseline8Bit}
    files = {name: as_bytes(_windowed(*of[name], syntax)) for name, syntax in syntaxes.items()}
    near = _windowed(cells, 12, JPEGLSLossless)
    near.file_meta.TransferSyntaxUID = JPEGLSNearLossless
    near.PixelData = encapsulate([bytes(imagecodecs.jpegls_encode(cells, level=3))])
    plain = without_prefix(_windowed(cells, 12, ExplicitVRLittleEndian))
    return files | {"jpeg-ls-near": as_bytes(near), "without-prefix": plain}


def _windowed(cells: Cells, bits: int, syntax: str) -> Dataset:
    stored = {"BitsStored": bits, "HighBit": bits - 1}
    return radiograph(cells, syntax, **stored, WindowCenter=1 << bits - 1, WindowWidth=(1 << bits) - (1 << bits - 3))
