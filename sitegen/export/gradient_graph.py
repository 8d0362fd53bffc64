"""The gradient graph of a classifier, beside it in the bundle's folder: one file more, and no weights of its own."""

from pathlib import Path

import onnx

from sitegen import gradient
from sitegen.export.averaging import last_average
from sitegen.export.names import CLASSIFIER
from sitegen.export.pooled_features import without_pooled_features
from sitegen.gradient.files import save

GRADIENT, SEED = "gradient.onnx", "seed"


def export_gradient(folder: Path, features: str | None = None) -> Path:
    """Write `gradient.onnx` for the `classifier.onnx` of a folder, and return its path.

    The graph takes the classifier's image and "seed", float32 [1, labels], and gives the logits, the gradient of
    <seed, logits> with respect to the image, and, where `features` names a tensor of the classifier, that tensor and
    the gradient with respect to it; pooled features, which a classifier may give beside its logits, it does not give.
    Weights stay in the classifier's external file. Raises GradientError where an operator has no gradient.
    """
    path = folder / CLASSIFIER
    image = onnx.load(str(path), load_external_data=False).graph.input[0].name
    model = gradient.compile(path, wrt=image, seed=SEED, also=(features,) if features else ())
    without_pooled_features(model)
    save(model, folder / GRADIENT, path)
    return folder / GRADIENT


def last_feature_map(classifier: Path) -> str:
    """Return the name of the tensor that a classifier, in the end, averages over the whole image.

    Class activation maps are drawn over it. Raises GradientError where there is no such step.
    """
    graph = onnx.load(str(classifier), load_external_data=False).graph
    return str(last_average(graph, classifier).input[0])
