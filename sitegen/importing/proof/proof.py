"""Proof that the graphs of an import give what the original gives, on the same tensors.

Compared are the logits of `classifier.onnx` and of each gradient graph, those that the feature map and the final
weights make, the probabilities, and, where the original's library differentiates, gradients. Logits must agree as
`sitegen.export.agreement` says. Gradients are told and not judged: a unit whose rectifier has an input of zero but for
rounding may be on in one engine and off in the other, which changes the gradient of a few cells and no logit.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from sitegen.bundle import FeatureMap
from sitegen.errors import ExportError
from sitegen.export.agreement import TOLERANCE, apart
from sitegen.export.gradient_graph import CAM, GRADIENT, GUIDED, SEED
from sitegen.gradient import gradient_name
from sitegen.graphs.files import INPUT
from sitegen.graphs.names import CLASSIFIER, LOGITS
from sitegen.importing.proof.graph_run import GraphRun, Images, Values, sigmoid
from sitegen.importing.source import Original

COMPARED_GRADIENTS = 8


@dataclass(frozen=True)
class GradientDifferences:
    """Relative L2 distances between the original's gradients and the graph's, one an image: how many, and which."""

    images: int
    median: float
    largest: float


@dataclass(frozen=True)
class Proof:
    """The largest differences on so many images.

    `library` is what ran the original; None where there is none: the other graphs are then compared with
    `classifier.onnx`. `logits` is by file, in the units of `sitegen.export.agreement`; `probability` is absolute.
    """

    images: int
    library: str | None
    logits: dict[str, float] = field(default_factory=dict)
    probability: float | None = None
    gradients: GradientDifferences | None = None

    @property
    def largest(self) -> float:
        """The largest difference of logits."""
        return max(self.logits.values(), default=0.0)


def prove(folder: Path, original: Original | None, images: Images, feature_map: FeatureMap | None) -> Proof:
    """Compare on images float32 [N, channels, side, side] what the graphs in `folder` give with the original.

    Raises ExportError where logits differ by more than TOLERANCE, or are not finite.
    """
    made = GraphRun(folder / CLASSIFIER).logits(images)
    _check_finite(made)
    expected = original.logits(images) if original else made
    if expected.shape != made.shape:
        raise ExportError(
            f"The original gives logits {list(expected.shape)}, {CLASSIFIER} gives {list(made.shape)}. "
            "Name as many labels as the model has outputs."
        )
    than = original.library if original else CLASSIFIER
    logits = {CLASSIFIER: _checked(CLASSIFIER, made, expected, than)} if original else {}
    logits |= {
        name: _checked(name, values, expected, than) for name, values in _others(folder, images, made, feature_map)
    }
    return Proof(
        images=len(images),
        library=original.library if original else None,
        logits=logits,
        probability=float(np.abs(sigmoid(made) - sigmoid(expected)).max()) if original else None,
        gradients=_gradients(folder, original, images, made.shape[1]) if original else None,
    )


def compare_with(reference: Values, folder: Path, images: Images, feature_map: FeatureMap | None) -> dict[str, float]:
    """Return how far the logits of every graph in `folder` are from the `reference` [N, labels], by file.

    Raises ExportError as `prove` does.
    """
    made = GraphRun(folder / CLASSIFIER).logits(images)
    graphs = [(CLASSIFIER, made), *_others(folder, images, made, feature_map)]
    return {name: _checked(name, values, reference, "the weights before they were stored") for name, values in graphs}


def _others(
    folder: Path, images: Images, classifier: Values, feature_map: FeatureMap | None
) -> Iterable[tuple[str, Values]]:
    """The logits of every graph but the classifier, and those of the feature map with the final weights."""
    seed = {SEED: np.zeros((1, classifier.shape[1]), np.float32)}
    for name in (GRADIENT, CAM, GUIDED):
        if (folder / name).is_file():
            yield name, GraphRun(folder / name).logits(images, seed)
    if feature_map:
        final = np.fromfile(folder / feature_map.weights, "<f4").reshape(feature_map.shape).astype(np.float64)
        graph = GraphRun(folder / GRADIENT)
        maps = np.concatenate([graph.run(image, [feature_map.output], seed)[0] for image in images])
        yield feature_map.weights, maps.mean(axis=(2, 3)) @ final[:, :-1].T + final[:, -1]


def _gradients(folder: Path, original: Original, images: Images, labels: int) -> GradientDifferences | None:
    """Compare the gradient of one label for each image, of all labels in turn."""
    if not (folder / GRADIENT).is_file():
        return None
    graph, distances = GraphRun(folder / GRADIENT), []
    for at, image in enumerate(images[:COMPARED_GRADIENTS]):
        label = at % labels
        expected = original.gradients(image[np.newaxis], label)
        if expected is None:
            return None
        seed = np.zeros((1, labels), np.float32)
        seed[0, label] = 1
        (made,) = graph.run(image, [gradient_name(INPUT)], {SEED: seed})
        length = max(float(np.linalg.norm(expected)), float(np.finfo(np.float32).tiny))
        distances.append(float(np.linalg.norm(made - expected)) / length)
    return GradientDifferences(len(distances), float(np.median(distances)), max(distances))


def _check_finite(logits: Values) -> None:
    if not np.isfinite(logits).all():
        raise ExportError(
            f"{CLASSIFIER} gives {LOGITS} that are no numbers (NaN or infinite) on some images. "
            "Look for damaged weights, or for another range of [image] than the model was trained with."
        )


def _checked(name: str, made: Values, expected: Values, than: str) -> float:
    largest = apart(made, expected)
    if not largest <= TOLERANCE:  # also where it is NaN
        raise ExportError(
            f"{name} gives logits that differ by {largest:.3g} from those of {than}, and at most {TOLERANCE:g} is "
            "allowed. The model was translated wrongly: update onnx and onnxruntime (and torch), or report it."
        )
    return largest
