"""Proof that exported graphs give what the network gives: PyTorch beside native ONNX Runtime, on sample images.

Compared are the logits of `classifier.onnx`, those of `gradient.onnx`, `cam.onnx` and `guided.onnx`, and those that the
feature map and the final weights make: what a page may draw a class activation map from. Where the classifier gives its
pooled features, too, they are compared in the same way. What a difference is, `sitegen.export.agreement` says.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from sitegen.bundle import FeatureMap
from sitegen.errors import ExportError
from sitegen.export.agreement import TOLERANCE, apart
from sitegen.export.final_weights import read_final_weights
from sitegen.export.gradient_graph import CAM, GRADIENT, GUIDED, SEED
from sitegen.graphs.files import INPUT
from sitegen.graphs.names import CLASSIFIER, FEATURES
from sitegen.graphs.session import open_session
from sitegen.graphs.signature import read_signature
from sitegen.networks.classifier import Classifier

Images = NDArray[np.float32]


@dataclass(frozen=True)
class Proof:
    """The largest difference between PyTorch's logits and those of each graph, over all images and labels.

    `feature_map` is None where there are no final weights, `pooled` where the classifier gives no pooled features,
    `cam` and `guided` where there are no such graphs.
    """

    images: int
    classifier: float
    gradient: float
    feature_map: float | None
    pooled: float | None = None
    cam: float | None = None
    guided: float | None = None

    @property
    def largest(self) -> float:
        """The largest of all differences."""
        optional = (self.feature_map, self.pooled, self.cam, self.guided)
        return max(self.classifier, self.gradient, *(value or 0.0 for value in optional))


def prove(folder: Path, network: Classifier, images: Images, feature_map: FeatureMap | None) -> Proof:
    """Compare on images float32 [N, C, side, side] what the graphs in `folder` give with what the network gives.

    Raises ExportError where a number differs by more than TOLERANCE, or is not finite.
    """
    with torch.inference_mode():
        maps = network.eval().feature_maps(torch.from_numpy(images))
        expected, means = network.head(maps).double().numpy(), maps.mean((2, 3)).double().numpy()
    seed = np.zeros((1, expected.shape[1]), np.float32)
    features = [feature_map.output] if feature_map else []
    pooled = [FEATURES] if FEATURES in read_signature(folder / CLASSIFIER).outputs else []
    classifier = _run(folder / CLASSIFIER, images, ["logits", *pooled], {})
    gradient = _run(folder / GRADIENT, images, ["logits", *features], {SEED: seed})
    made: dict[str, NDArray[np.float64]] = {CLASSIFIER: classifier[0], GRADIENT: gradient[0]}
    if feature_map:
        made[feature_map.weights] = _from_features(gradient[1], read_final_weights(folder, feature_map))
    for name in (CAM, GUIDED):
        if (folder / name).is_file():
            made[name] = _run(folder / name, images, ["logits"], {SEED: seed})[0]
    differences = {name: _difference(name, logits, expected) for name, logits in made.items()}
    return Proof(
        len(images),
        differences[CLASSIFIER],
        differences[GRADIENT],
        differences[feature_map.weights] if feature_map else None,
        _difference(CLASSIFIER, classifier[1], means, "pooled features") if pooled else None,
        differences.get(CAM),
        differences.get(GUIDED),
    )


def _run(path: Path, images: Images, outputs: list[str], others: dict[str, Any]) -> list[NDArray[np.float64]]:
    """The outputs for each image by itself, as in a page, stacked."""
    session = open_session(path)
    given = [session.run(outputs, {INPUT: image[np.newaxis], **others}) for image in images]
    return [np.concatenate(values).astype(np.float64) for values in zip(*given, strict=True)]


def _from_features(maps: NDArray[np.float64], final: NDArray[np.float32]) -> NDArray[np.float64]:
    means = maps.mean(axis=(2, 3))
    return np.asarray(means @ final[:, :-1].T.astype(np.float64) + final[:, -1])


def _difference(name: str, made: NDArray[np.float64], expected: NDArray[np.float64], what: str = "logits") -> float:
    largest = apart(made, expected)
    if not largest <= TOLERANCE:  # also where it is NaN
        raise ExportError(
            f"{name} gives {what} that differ by {largest:.3g} from those of PyTorch, and at most {TOLERANCE:g} is "
            "allowed. The exporter translates this network wrongly: update torch and onnxruntime, or report it."
        )
    return largest
