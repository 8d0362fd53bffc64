"""The gradient graph of a classifier, beside it in the bundle's folder: one file more, and no weights of its own."""

from collections.abc import Mapping
from pathlib import Path

import onnx
from onnx import NodeProto, TensorProto, numpy_helper

from sitegen import gradient
from sitegen.errors import GradientError
from sitegen.gradient.files import save

CLASSIFIER, GRADIENT = "classifier.onnx", "gradient.onnx"
SEED = "seed"


def export_gradient(folder: Path, features: str | None = None) -> Path:
    """Write `gradient.onnx` for the `classifier.onnx` of a folder, and return its path.

    The graph takes the classifier's image and "seed", float32 [1, labels], and gives the logits, the gradient of
    <seed, logits> with respect to the image, and, where `features` names a tensor of the classifier, that tensor and
    the gradient with respect to it. Weights stay in the classifier's external file. Raises GradientError where an
    operator has no gradient.
    """
    path = folder / CLASSIFIER
    image = onnx.load(str(path), load_external_data=False).graph.input[0].name
    model = gradient.compile(path, wrt=image, seed=SEED, also=(features,) if features else ())
    save(model, folder / GRADIENT, path)
    return folder / GRADIENT


def last_feature_map(classifier: Path) -> str:
    """Return the name of the tensor that a classifier, in the end, averages over the whole image.

    Class activation maps are drawn over it. Raises GradientError where there is no such step.
    """
    graph = onnx.load(str(classifier), load_external_data=False).graph
    constants = {tensor.name: tensor for tensor in graph.initializer}
    for node in reversed(graph.node):
        if node.op_type == "GlobalAveragePool" or _averages_over_space(node, constants):
            return str(node.input[0])
    raise GradientError(f"{classifier} averages nothing over the whole image; name its last feature map yourself.")


def _averages_over_space(node: NodeProto, constants: Mapping[str, TensorProto]) -> bool:
    if node.op_type != "ReduceMean":
        return False
    axes = [axis for entry in node.attribute if entry.name == "axes" for axis in entry.ints]  # up to opset 17
    if len(node.input) > 1 and node.input[1] in constants:
        axes = numpy_helper.to_array(constants[node.input[1]]).tolist()
    return sorted(axes) in ([2, 3], [-2, -1])
