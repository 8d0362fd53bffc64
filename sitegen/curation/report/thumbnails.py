"""Small pictures for a report that was asked to have them: an image as the gate saw it, beside its error map.

They are made anew by the runtime's own way, for the few images that are shown.
"""

from base64 import b64encode
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sitegen.bundle import load_bundle
from sitegen.curation.addresses import read_address
from sitegen.curation.distances import planes
from sitegen.errors import BundleError
from sitegen.prediction import Predictor
from sitegen_runtime.errors import AnalysisError


@dataclass(frozen=True)
class Pair:
    """An image and its error map, as addresses that hold the pictures themselves."""

    image: str
    errors: str


class Thumbnails:
    """Makes pairs with the bundle that scored the images."""

    def __init__(self, bundle: Path, sha256: str) -> None:
        loaded = load_bundle(bundle)
        if loaded.model.sha256 != sha256:
            raise BundleError(f"{bundle} is not the bundle that scored these images. Name that one with --bundle.")
        self._predictor = Predictor(loaded)

    def pair(self, address: str, id_: str) -> Pair | None:
        """Return the pair of an image; None where the file is gone, or the gate has not looked at it."""
        try:
            analysis = self._predictor.analyse(read_address(address), id_)
        except AnalysisError:
            return None
        if analysis.decision is None or analysis.seen is None:
            return None
        image, _ = planes(analysis, self._predictor.model)
        errors = np.array(analysis.decision.errors).reshape(image.shape)
        return Pair(_data(image), _data(np.asarray(np.rint(255 * np.clip(errors * 2, 0, 1)), np.uint8)))


def _data(plane: NDArray[np.uint8]) -> str:
    out = BytesIO()
    Image.fromarray(plane).save(out, "PNG", optimize=True)
    return f"data:image/png;base64,{b64encode(out.getvalue()).decode()}"
