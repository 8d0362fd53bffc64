"""The pooled features of a classifier as a second output of its graph, for scores that tell how unlike an image is.

Pooled features are the average over the image of the last feature map. The graph computes them anyway; naming them an
output adds one operator that moves nothing, and leaves the way to the logits as it is.
"""

from pathlib import Path

import onnx
from onnx import ModelProto, NodeProto, TensorProto, helper

from sitegen.errors import ExportError
from sitegen.graphs.averaging import last_average
from sitegen.graphs.names import FEATURES


def add_pooled_features(classifier: Path) -> int:
    """Give a classifier's graph the output "features", float32 [1, F], and return F.

    The graph alone is written anew; its file of weights is not touched. Raises GradientError where the
    classifier averages nothing over the image, ExportError where it has something of this name already, or where F is
    not known.
    """
    model = onnx.load(str(classifier), load_external_data=False)
    graph = model.graph
    if FEATURES in {name for node in graph.node for name in (*node.input, *node.output)}:
        raise ExportError(f"{classifier} already has a tensor {FEATURES!r}. Export the network again without it.")
    average = last_average(graph, classifier)
    size = _size(model, average, classifier)
    keeps_cells = average.op_type == "GlobalAveragePool" or _keeps_dimensions(average)
    kind = "Flatten" if keeps_cells else "Identity"  # Flatten keeps the first axis by default
    graph.node.append(helper.make_node(kind, [average.output[0]], [FEATURES], name=FEATURES))
    graph.output.append(helper.make_tensor_value_info(FEATURES, TensorProto.FLOAT, [1, size]))
    classifier.write_bytes(model.SerializeToString(deterministic=True))
    onnx.checker.check_model(str(classifier), full_check=True)
    return size


def without_pooled_features(model: ModelProto) -> None:
    """Take out of a model what `add_pooled_features` put in; a model without it stays as it is."""
    graph = model.graph
    for node in [node for node in graph.node if node.name == FEATURES and list(node.output) == [FEATURES]]:
        graph.node.remove(node)
        graph.output.remove(next(output for output in graph.output if output.name == FEATURES))


def _keeps_dimensions(node: NodeProto) -> bool:
    return next((bool(entry.i) for entry in node.attribute if entry.name == "keepdims"), True)


def _size(model: ModelProto, average: NodeProto, classifier: Path) -> int:
    """How many channels the averaged map has."""
    inferred = onnx.shape_inference.infer_shapes(model, data_prop=True).graph
    for value in (*inferred.value_info, *inferred.output):
        dimensions = value.type.tensor_type.shape.dim
        if value.name == average.output[0] and len(dimensions) > 1 and dimensions[1].dim_value:
            return int(dimensions[1].dim_value)
    raise ExportError(f"The number of channels that {classifier} averages is not known. Export it with fixed shapes.")
