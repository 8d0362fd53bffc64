"""The gradient graph against the original's own gradients, and where these differ or are none, against its classifier.

Distances are told; what differences of the logit contradict is a defect.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from sitegen.errors import ExportError
from sitegen.export.gradient_graph import GRADIENT, SEED
from sitegen.gradient import gradient_name
from sitegen.graphs.files import INPUT
from sitegen.graphs.names import CLASSIFIER
from sitegen.importing.proof.finite_differences import LIMIT, disagreement, jittered
from sitegen.importing.proof.graph_run import GraphRun, Images, Values
from sitegen.importing.source import Original

COMPARED = 8
_NEAR = 0.01  # relative L2 distance that is looked at no further
_TRIED = 2


class GradientDefect(ExportError):
    """The gradient graph does not give the gradient of its classifier."""


@dataclass(frozen=True)
class GradientDifferences:
    """Relative L2 distances between the original's gradients and the graph's, one an image: how many, and which."""

    images: int
    median: float
    largest: float


def compare_gradients(
    folder: Path, original: Original | None, images: Images, labels: int, rounding: float = 0.0
) -> GradientDifferences | None:
    """Compare the gradient of one label for each image, of all labels in turn; None where the original gives none.

    `rounding` is what logits may be off by in float32. Raises GradientDefect where differences of the classifier's
    logit contradict the graph on every image that is tried.
    """
    if not (folder / GRADIENT).is_file():
        return None
    graph = _Gradient(folder, labels)
    pairs = [_pair(graph, original, image, at % labels) for at, image in enumerate(images[:COMPARED])]
    distances = [_distance(made, expected) for made, expected in pairs if expected is not None]
    complete = len(distances) == len(pairs)
    far = [at for at in range(len(pairs)) if not complete or distances[at] > _NEAR]
    _check(folder, graph, original if complete else None, images, far[:_TRIED], rounding)
    if not complete:
        return None
    return GradientDifferences(len(distances), float(np.median(distances)), max(distances))


@dataclass
class _Gradient:
    """The graph's gradient for an image and a label."""

    folder: Path
    labels: int

    def __post_init__(self) -> None:
        self._run = GraphRun(self.folder / GRADIENT)

    def of(self, image: Images, label: int) -> Values:
        """Return d logit / d image [channels, side, side]."""
        seed = np.zeros((1, self.labels), np.float32)
        seed[0, label] = 1
        return np.asarray(self._run.run(image, [gradient_name(INPUT)], {SEED: seed})[0][0])


def _pair(graph: _Gradient, original: Original | None, image: Images, label: int) -> tuple[Values, Values | None]:
    expected = original.gradients(image[np.newaxis], label) if original else None
    return graph.of(image, label), None if expected is None else np.asarray(expected[0], np.float64)


def _logit(classifier: GraphRun, label: int, image: Images) -> float:
    return float(classifier.logits(image[np.newaxis])[0, label])


def _distance(made: Values, expected: Values) -> float:
    length = max(float(np.linalg.norm(expected)), float(np.finfo(np.float32).tiny))
    return float(np.linalg.norm(made - expected)) / length


def _check(
    folder: Path, graph: _Gradient, original: Original | None, images: Images, places: Sequence[int], rounding: float
) -> None:
    """Hold those images against differences of the logit."""
    classifier, worst = GraphRun(folder / CLASSIFIER), []
    for at in places:
        label, image = at % graph.labels, jittered(images[at])
        made, expected = _pair(graph, original, image, label)
        if expected is not None and _distance(made, expected) <= _NEAR:
            return  # apart on a kink alone
        given = [made] if expected is None else [made, expected]
        scores = disagreement(partial(_logit, classifier, label), given, image, rounding)
        if scores[0] <= LIMIT or (len(scores) == 2 and scores[1] >= scores[0] / 2):
            return
        worst.append(scores[0])
    if worst:
        raise GradientDefect(
            f"{GRADIENT} gives a gradient that is off by {min(worst):.0%} of its length from what the logits of "
            f"{CLASSIFIER} do beside an image. An operator is differentiated wrongly: update sitegen, or report it."
        )
