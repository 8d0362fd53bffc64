"""Running a bundle's graphs on tensors, an image at a time and on one thread, as in a page."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sitegen.errors import ExportError
from sitegen.graphs.files import INPUT
from sitegen.graphs.names import CLASSIFIER, LOGITS
from sitegen.graphs.session import TookTooLong, open_session, run_within

Images = NDArray[np.float32]
Values = NDArray[np.float64]


class GraphRun:
    """An ONNX file that is ready to run. Raises ExportError where ONNX Runtime does not take it."""

    def __init__(self, path: Path) -> None:
        self._name = path.name
        try:
            self._session = open_session(path)
        except Exception as error:  # ONNX Runtime's exceptions share no base class of their own
            raise ExportError(f"ONNX Runtime cannot load {path.name}: {error}") from error

    def run(self, image: Images, outputs: Sequence[str], others: Mapping[str, Any] | None = None) -> list[Values]:
        """Return the outputs, float64 [1, ...], for one image, float32 [channels, side, side].

        Raises ExportError where that takes too long.
        """
        try:
            made = run_within(self._session, list(outputs), {INPUT: image[np.newaxis], **(others or {})})
        except TookTooLong as error:
            raise ExportError(f"{self._name} cannot be used: {error}. Export the model without that loop.") from error
        return [np.asarray(value, np.float64) for value in made]

    def logits(self, images: Images, others: Mapping[str, Any] | None = None) -> Values:
        """Return [N, labels] for images float32 [N, channels, side, side]."""
        return np.concatenate([self.run(image, [LOGITS], others)[0] for image in images])


def probabilities(folder: Path, images: Images) -> Values:
    """Return what the classifier of a folder says of images: [N, labels], 0..1."""
    return sigmoid(GraphRun(folder / CLASSIFIER).logits(images))


def sigmoid(logits: Values) -> Values:
    """Return 1 / (1 + exp(-z)), without overflow."""
    return np.asarray(0.5 * (1 + np.tanh(0.5 * logits)))
