"""The golden image of a bundle: a synthetic one, so that it is nobody's; and whether the bundle's gate takes it."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sitegen.bundle import Bundle
from sitegen.data.tensors.cache import image_tensors
from sitegen.export.write_bundle import GOLDEN
from sitegen.phantom import write_phantom
from sitegen.prediction import Predictor
from sitegen_runtime.bundle.model import NetworkInput

GOLDEN_SEED, GOLDEN_SIDE = 1, 640
Images = NDArray[np.float32]


def write_golden(folder: Path, image: NetworkInput) -> Images:
    """Write `golden.png`, always the same phantom, and return what the network sees of it: [1, C, side, side]."""
    write_phantom(folder / GOLDEN, GOLDEN_SEED, GOLDEN_SIDE)
    return image_tensors((folder / GOLDEN).read_bytes(), {"golden": image})["golden"]


def golden_refused(bundle: Bundle) -> bool:
    """Return whether the gate of a bundle refuses its golden image, which the page then shows refused."""
    golden = bundle.description.golden
    if golden is None or bundle.description.gate is None:
        return False
    judged = Predictor(bundle).predict(bundle.path(golden.image))["gate"]
    return not (judged and judged["accepted"])
