"""The gradient graphs of a classifier, beside it in the bundle's folder: three files more, and no weights of their own.

`gradient.onnx` goes back to the image. `cam.onnx` goes back to the last feature map alone, and so costs about as much
as the classifier: engines run every node of a graph, whatever outputs are asked for. `guided.onnx` goes back to the
image by guided backpropagation.
"""

from pathlib import Path

import onnx

from sitegen import gradient
from sitegen.export.pooled_features import without_pooled_features
from sitegen.gradient.files import save
from sitegen.graphs.averaging import last_average
from sitegen.graphs.names import CLASSIFIER

GRADIENT, CAM, GUIDED, SEED = "gradient.onnx", "cam.onnx", "guided.onnx", "seed"


def export_gradient(folder: Path, features: str | None = None) -> Path:
    """Write `gradient.onnx` for the `classifier.onnx` of a folder, and return its path.

    The graph takes the classifier's image and "seed", float32 [1, labels], and gives the logits, the gradient of
    <seed, logits> with respect to the image, and, where `features` names a tensor of the classifier, that tensor and
    the gradient with respect to it; pooled features, which a classifier may give beside its logits, it does not give.
    Weights stay in the classifier's external file. Raises GradientError where an operator has no gradient.
    """
    path = folder / CLASSIFIER
    return _save(
        gradient.compile(path, wrt=_image(path), seed=SEED, also=(features,) if features else ()), path, GRADIENT
    )


def export_cam(folder: Path, features: str) -> Path:
    """Write `cam.onnx` for the `classifier.onnx` of a folder, and return its path.

    The graph takes what that of `export_gradient` does, and gives the logits, the tensor `features` of the classifier,
    [1, channels, rows, columns], and the gradient of <seed, logits> with respect to it. Raises GradientError where an
    operator behind it has no gradient.
    """
    path = folder / CLASSIFIER
    return _save(gradient.compile(path, wrt=features, seed=SEED, also=(features,)), path, CAM)


def export_guided(folder: Path) -> Path | None:
    """Write `guided.onnx` for the `classifier.onnx` of a folder, and return its path; None where nothing rectifies.

    The graph takes what that of `export_gradient` does, and gives the logits and the guided gradient of <seed, logits>
    with respect to the image: every Relu, and every Clip from 0, passes on positive gradients only (Springenberg et
    al. 2015). Raises GradientError where an operator has no gradient.
    """
    path = folder / CLASSIFIER
    (folder / GUIDED).unlink(missing_ok=True)
    image = _image(path)
    if not gradient.has_rectifier(path, wrt=image):
        return None
    return _save(gradient.compile(path, wrt=image, seed=SEED, guided=True), path, GUIDED)


def _image(classifier: Path) -> str:
    return str(onnx.load(str(classifier), load_external_data=False).graph.input[0].name)


def _save(model: onnx.ModelProto, classifier: Path, file: str) -> Path:
    without_pooled_features(model)
    save(model, classifier.parent / file, classifier)
    return classifier.parent / file


def last_feature_map(classifier: Path) -> str:
    """Return the name of the tensor that a classifier, in the end, averages over the whole image.

    Class activation maps are drawn over it. Raises GradientError where there is no such step.
    """
    graph = onnx.load(str(classifier), load_external_data=False).graph
    return str(last_average(graph, classifier).input[0])
