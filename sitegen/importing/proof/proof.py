"""Proof that the graphs of an import give what the original gives, on the same tensors.

Compared are the logits of `classifier.onnx` and of each gradient graph, those that the feature map and the final
weights make, the probabilities, and, where the original's library differentiates, gradients. Logits must agree as
`sitegen.export.agreement` says, or as well as the original's own float32 agrees with its float64: see `yardstick`.
Of gradients the distances are told, and differences of the logit decide: see `gradients`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from sitegen.bundle import FeatureMap
from sitegen.errors import ExportError
from sitegen.export.agreement import TOLERANCE
from sitegen.export.gradient_graph import CAM, GRADIENT, GUIDED, SEED
from sitegen.graphs.names import CLASSIFIER, LOGITS
from sitegen.importing.proof.gradients import GradientDifferences, compare_gradients
from sitegen.importing.proof.graph_run import GraphRun, Images, Values, sigmoid
from sitegen.importing.proof.yardstick import Yardstick
from sitegen.importing.source import Original


@dataclass(frozen=True)
class Proof:
    """The largest differences on so many images.

    `library` is what ran the original; None where there is none: the other graphs are then compared with
    `classifier.onnx`. `logits` is by file, in the units of `sitegen.export.agreement`; `probability` is absolute.
    `tolerance` is what logits were allowed to differ by; `float32` is what the original's own float32 deviates by from
    its float64, None where that was not needed.
    """

    images: int
    library: str | None
    logits: dict[str, float] = field(default_factory=dict)
    probability: float | None = None
    gradients: GradientDifferences | None = None
    tolerance: float = TOLERANCE
    float32: float | None = None

    @property
    def largest(self) -> float:
        """The largest difference of logits."""
        return max(self.logits.values(), default=0.0)


def prove(
    folder: Path,
    original: Original | None,
    images: Images,
    feature_map: FeatureMap | None,
    say: Callable[[str], None] = lambda step: None,
) -> Proof:
    """Compare on images float32 [N, channels, side, side] what the graphs in `folder` give with the original.

    `say` is told each step. Raises ExportError where logits differ by more than is allowed, or are not finite;
    GradientDefect, which is one, where the gradient graph does not give the classifier's gradient.
    """
    made = GraphRun(folder / CLASSIFIER).logits(images)
    _check_finite(made)
    expected = original.logits(images) if original else made
    if expected.shape != made.shape:
        raise ExportError(
            f"The original gives logits {list(expected.shape)}, {CLASSIFIER} gives {list(made.shape)}. "
            "Name as many labels as the model has outputs."
        )
    yardstick = (
        Yardstick(expected, original.library, lambda places: original.in_both(images[places]))
        if original
        else Yardstick(made, CLASSIFIER)
    )
    say("Comparing graphs with the original")
    logits = {CLASSIFIER: yardstick.check(CLASSIFIER, made)} if original else {}
    logits |= {name: yardstick.check(name, values) for name, values in _others(folder, images, made, feature_map)}
    say("Comparing gradients")
    return Proof(
        images=len(images),
        library=original.library if original else None,
        logits=logits,
        probability=float(np.abs(sigmoid(made) - sigmoid(yardstick.expected)).max()) if original else None,
        gradients=compare_gradients(folder, original, images, made.shape[1], yardstick.own or 0.0),
        tolerance=yardstick.limit,
        float32=yardstick.own,
    )


def compare_with(
    reference: Values, folder: Path, images: Images, feature_map: FeatureMap | None, own: float | None = None
) -> dict[str, float]:
    """Return how far the logits of every graph in `folder` are from the `reference` [N, labels], by file.

    `own` is the proof's `float32`. Raises ExportError as `prove` does.
    """
    made = GraphRun(folder / CLASSIFIER).logits(images)
    graphs = [(CLASSIFIER, made), *_others(folder, images, made, feature_map)]
    yardstick = Yardstick(reference, "the weights before they were stored")
    yardstick.own, yardstick.own_probability = own, (own or 0.0) / 4  # the slope of the sigmoid is at most 1/4
    return {name: yardstick.check(name, values) for name, values in graphs}


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


def _check_finite(logits: Values) -> None:
    if not np.isfinite(logits).all():
        raise ExportError(
            f"{CLASSIFIER} gives {LOGITS} that are no numbers (NaN or infinite) on some images. "
            "Look for damaged weights, or for another range of [image] than the model was trained with."
        )
