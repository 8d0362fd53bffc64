"""DICOM files that tests make: a header, and grey pixels."""

import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID, ExplicitVRLittleEndian, JPEG2000Lossless, generate_uid

RADIOGRAPH = "1.2.840.10008.5.1.4.1.1.1.1"


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
    dataset.PixelData = compressed(pixels) if syntax == JPEG2000Lossless else pixels.tobytes()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some tests want what the standard does not allow
        for name, value in elements.items():
            setattr(dataset, name, value)
    return dataset


def compressed(pixels: np.ndarray) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG2000", irreversible=False, no_jp2=True)
    return encapsulate([out.getvalue()])


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
