"""The golden image of a bundle: a synthetic one, so that it is nobody's; and whether the bundle's gate takes it."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sitegen.bundle import Bundle
from sitegen.data.drawn_dicom import as_dicom
from sitegen.data.tensors.cache import image_tensors
from sitegen.export.write_bundle import GOLDEN_FILES
from sitegen.phantom import phantom, write_phantom
from sitegen.prediction import Predictor
from sitegen.settings.recipe import GoldenKind
from sitegen_runtime.bundle.model import NetworkInput

GOLDEN_SEED, GOLDEN_SIDE = 1, 640
Images = NDArray[np.float32]


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
