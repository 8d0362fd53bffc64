"""An image as the page would see it: what the model takes of it and says of it, and where in the image that lies."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sitegen.prediction import Predictor
from sitegen.prediction.reading import read_image_file
from sitegen_runtime.errors import AnalysisError
from sitegen_runtime.pixels.geometry import Place

REFUSED = "The gate refuses it. To explain it all the same: --force"


@dataclass(frozen=True)
class SeenImage:
    """The classifier's input [C, H, W], the logit of each label, and the square of the upright image (width x height
    pixels) that the classifier sees."""

    image: NDArray[np.float32]
    logits: list[float]
    square: Place
    width: int
    height: int

    def probability(self, finding: int) -> float:
        """Return the probability (0..1) of a finding, counted from 0."""
        return float(1 / (1 + np.exp(-self.logits[finding])))


def see(predictor: Predictor, path: Path, *, force: bool) -> SeenImage | str:
    """Return what the model sees and says of an image file, or why there is nothing to explain."""
    try:
        analysis = predictor.analyse(read_image_file(path), str(path), force=force)
    except AnalysisError as error:
        return str(error)
    document = analysis.document
    if "error" in document or analysis.seen is None:
        return str(document["error"]["message"])
    if not document["findings"]:
        return REFUSED
    logits = [finding["logit"] for finding in document["findings"]]
    shape = predictor.model.graphs["classifier"].images[0].shape
    image = np.frombuffer(analysis.seen.image.values, np.float32).reshape(shape)[0]
    size = document["image"]
    return SeenImage(image, logits, analysis.squares["classifier"], size["width"] or 0, size["height"] or 0)
