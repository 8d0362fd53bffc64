"""DICOM files that tests make: a header, and grey pixels, in every transfer syntax that is read."""

import io
import warnings
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.pixels.encoders.base import RLELosslessEncoder
from pydicom.uid import (
    HTJ2K,
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
    generate_uid,
)

RADIOGRAPH = "1.2.840.10008.5.1.4.1.1.1.1"
PLAIN = (ImplicitVRLittleEndian, ExplicitVRLittleEndian, DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian)
LOSSLESS = (*PLAIN, RLELossless, JPEGLossless, JPEGLosslessSV1, JPEGLSLossless, JPEG2000Lossless, HTJ2KLossless)


def radiograph(pixels: np.ndarray, syntax: str = ExplicitVRLittleEndian, **elements: Any) -> Dataset:
    """A dataset of one grey image, MONOCHROME2, with the elements given; 16-bit unless the pixels are bytes."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = UID(syntax)
    dataset.SOPClassUID, dataset.SOPInstanceUID = RADIOGRAPH, generate_uid(entropy_srcs=[repr(sorted(elements))])
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = 8 * pixels.itemsize
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
    if UID(syntax).is_compressed and syntax != DeflatedExplicitVRLittleEndian:
        dataset.PixelData = encapsulate([compressed(pixels, syntax, elements.get("BitsStored", 0))])
    else:
        dataset.PixelData = pixels.astype(
            pixels.dtype.newbyteorder(">" if syntax == ExplicitVRBigEndian else "<")
        ).tobytes()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some tests want what the standard does not allow
        for name, value in elements.items():
            setattr(dataset, name, value)
    return dataset


def table(values: list[int], first: int, bits: int, data_vr: str = "US") -> Dataset:
    """An item of a sequence of tables; with OW its entries are bytes."""
    lut = Dataset()
    lut.add_new("LUTDescriptor", "SS" if first < 0 else "US", [len(values) % 65536, first, bits])
    lut.add_new("LUTData", data_vr, bytes(values) if data_vr == "OW" else values)
    return lut


def compressed(pixels: np.ndarray, syntax: str, bits: int = 0) -> bytes:
    """One frame in a transfer syntax; `bits` are its precision, where they are not all that its cells have."""
    bits = bits or 8 * pixels.itemsize
    if syntax not in (JPEG2000Lossless, HTJ2KLossless, HTJ2K):
        pixels = pixels.view(f"u{pixels.itemsize}")  # there the header alone says whether there is a sign
    if syntax == RLELossless:
        options = {"rows": pixels.shape[0], "columns": pixels.shape[1], "samples_per_pixel": 1, "number_of_frames": 1}
        options |= {
            "bits_allocated": 8 * pixels.itemsize,
            "bits_stored": 8 * pixels.itemsize,
            "pixel_representation": 0,
        }
        options |= {"photometric_interpretation": "MONOCHROME2"}
        return bytes(RLELosslessEncoder.encode(pixels.tobytes(), encoding_plugin="pydicom", **options))
    if syntax in (JPEGLossless, JPEGLosslessSV1):
        return lossless_jpeg(pixels, bits, 6 if syntax == JPEGLossless else 1)
    if syntax == JPEGLSLossless:
        return bytes(imagecodecs.jpegls_encode(pixels))
    if syntax in (HTJ2KLossless, HTJ2K):
        return bytes(imagecodecs.htj2k_encode(pixels, reversible=syntax == HTJ2KLossless))
    if syntax == JPEG2000Lossless:
        return bytes(imagecodecs.jpeg2k_encode(pixels, codecformat="j2k", reversible=True, bitspersample=bits))
    assert syntax == JPEGBaseline8Bit
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", quality=80)
    return out.getvalue()


def lossless_jpeg(pixels: np.ndarray, bits: int, predictor: int = 1) -> bytes:
    return bytes(imagecodecs.jpeg8_encode(pixels, lossless=True, predictor=predictor, bitspersample=bits))


def in_fragments(frame: bytes, count: int) -> bytes:
    """Pixel data of one frame in so many fragments, with an empty table before them."""
    return encapsulate([frame], fragments_per_frame=count, has_bot=False)


def as_bytes(dataset: Dataset) -> bytes:
    out = io.BytesIO()
    dataset.save_as(out, enforce_file_format=True)
    return out.getvalue()


def without_prefix(dataset: Dataset) -> bytes:
    """As files were before there was a prefix: elements alone, little-endian, types implied."""
    out = io.BytesIO()
    plain = Dataset(dataset)
    plain.save_as(out, implicit_vr=True, little_endian=True)
    return out.getvalue()


def write_radiograph(path: Path, pixels: np.ndarray, **elements: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(as_bytes(radiograph(pixels, **elements)))
