"""How far a probability moves when an image comes as DICOM: python -m tests.studies.dicom_display IMAGE...

Each 8-bit image is wrapped again and again as radiographs are: in 8, 12 and 16 bits, with windows, tables, a rescale or
none, as MONOCHROME1. Where a header says the picture that the image is, nothing may move but what rounding does; where
it says another one (a window that cuts), the study says how much that is.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.uid import JPEG2000Lossless, JPEGLosslessSV1, JPEGLSLossless

import sitegen
from sitegen.prediction import Predictor
from tests.helpers.dicom_files import as_bytes, radiograph, table

Grey = np.ndarray
LOWEST, SPAN = 300, 3_200  # of 12 bits, as a detector leaves room on both sides


def _deep(grey: Grey) -> Grey:
    return (LOWEST + grey.astype(np.uint32) * SPAN // 255).astype(np.uint16)


def _wide(grey: Grey) -> Grey:
    return (grey.astype(np.uint32) * 257).astype(np.uint16)


def _curve() -> list[int]:
    """A table from 12-bit cells to the image's own levels."""
    return np.clip(np.round((np.arange(4096) - LOWEST) * 4095 / SPAN), 0, 4095).astype(int).tolist()


def _exact(grey: Grey, **elements: Any) -> Dataset:
    window: dict[str, Any] = {"WindowCenter": LOWEST + SPAN / 2, "WindowWidth": SPAN, "VOILUTFunction": "LINEAR_EXACT"}
    return radiograph(_deep(grey), BitsStored=12, HighBit=11, **window, **elements)


def _padded(grey: Grey) -> Dataset:
    deep = _deep(grey)
    deep[:4], deep[-4:] = 4095, 4095
    dataset = radiograph(deep, BitsStored=12, HighBit=11)
    dataset.add_new("PixelPaddingValue", "US", 4095)
    return dataset


WRAPPINGS: dict[str, Callable[[Grey], Dataset]] = {
    "8 bits, as they are": lambda grey: radiograph(grey),
    "8 bits, MONOCHROME1": lambda grey: radiograph(255 - grey, PhotometricInterpretation="MONOCHROME1"),
    "8 bits, JPEG lossless": lambda grey: radiograph(grey, JPEGLosslessSV1),
    "12 bits, exact window": _exact,
    "12 bits, linear window": lambda grey: radiograph(
        _deep(grey), BitsStored=12, HighBit=11, WindowCenter=LOWEST + SPAN / 2, WindowWidth=SPAN
    ),
    "12 bits, VOI table": lambda grey: radiograph(
        _deep(grey), BitsStored=12, HighBit=11, VOILUTSequence=[table(_curve(), 0, 12)]
    ),
    "12 bits, rescaled, MONOCHROME1": lambda grey: _exact(
        255 - grey, RescaleSlope=1, RescaleIntercept=0, PhotometricInterpretation="MONOCHROME1"
    ),
    "16 bits, window, JPEG 2000": lambda grey: radiograph(
        _wide(grey), JPEG2000Lossless, WindowCenter=32767.5, WindowWidth=65535, VOILUTFunction="LINEAR_EXACT"
    ),
    "16 bits, no window, JPEG-LS": lambda grey: radiograph(_wide(grey), JPEGLSLossless),
    "12 bits, no window": lambda grey: radiograph(_deep(grey), BitsStored=12, HighBit=11),
    "12 bits, no window, padded": _padded,
    "12 bits, sigmoid window": lambda grey: radiograph(
        _deep(grey), BitsStored=12, HighBit=11, WindowCenter=1900, WindowWidth=3200, VOILUTFunction="SIGMOID"
    ),
    "12 bits, window of half the range": lambda grey: radiograph(
        _deep(grey), BitsStored=12, HighBit=11, WindowCenter=1900, WindowWidth=1600
    ),
    "12 bits, MONOCHROME1 forgotten": lambda grey: _exact(255 - grey),
}


def moves(predictor: Predictor, path: Path) -> Iterator[tuple[str, float, bool]]:
    """Each wrapping, by how much any probability moved against the image, and whether the gate let it pass."""
    grey = np.asarray(Image.open(path).convert("L"))
    plain = _probabilities(predictor, _png(grey))[0]
    for name, wrap in WRAPPINGS.items():
        found, accepted = _probabilities(predictor, as_bytes(wrap(grey)))
        yield name, float(np.abs(found - plain).max()), accepted


def _png(grey: Grey) -> bytes:
    from io import BytesIO

    out = BytesIO()
    Image.fromarray(grey).save(out, "PNG")
    return out.getvalue()


def _probabilities(predictor: Predictor, data: bytes) -> tuple[Grey, bool]:
    document = predictor.predict(data, force=True)
    if "error" in document:
        raise SystemExit(document["error"]["message"])
    gate = document.get("gate")
    accepted = gate is None or bool(gate["accepted"])
    return np.array([finding["probability"] for finding in document["findings"]]), accepted


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("images", type=Path, nargs="+")
    parser.add_argument("--bundle", type=Path, help="the bundle that ships by default")
    asked = parser.parse_args()
    predictor = Predictor(sitegen.load_bundle(asked.bundle) if asked.bundle else sitegen.load_bundle())
    found: dict[str, list[tuple[float, bool]]] = {name: [] for name in WRAPPINGS}
    for path in asked.images:
        for name, moved, accepted in moves(predictor, path):
            found[name].append((moved, accepted))
        print(path.name, file=sys.stderr)
    print(f"| {len(asked.images)} images | mean move | greatest | let pass |\n|---|---|---|---|")
    for name, all_of_it in found.items():
        distances = [moved for moved, _ in all_of_it]
        passed = sum(accepted for _, accepted in all_of_it)
        print(f"| {name} | {mean(distances):.5f} | {max(distances):.5f} | {passed} |")


if __name__ == "__main__":
    main()
