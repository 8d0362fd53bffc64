"""Where a classifier's graph averages its last feature map over the whole image."""

from collections.abc import Mapping
from pathlib import Path

from onnx import GraphProto, NodeProto, TensorProto, numpy_helper

from sitegen.errors import GradientError


def last_average(graph: GraphProto, file: Path) -> NodeProto:
    """Return the last node of a graph that averages over the whole image; `file` is what errors call the graph.

    Raises GradientError where there is no such step.
    """
    constants = {tensor.name: tensor for tensor in graph.initializer}
    nodes: list[NodeProto] = list(graph.node)
    for node in reversed(nodes):
        if node.op_type == "GlobalAveragePool" or _averages_over_space(node, constants):
            return node
    raise GradientError(f"{file} averages nothing over the whole image; name its last feature map yourself.")


def _averages_over_space(node: NodeProto, constants: Mapping[str, TensorProto]) -> bool:
    if node.op_type != "ReduceMean":
        return False
    axes = [axis for entry in node.attribute if entry.name == "axes" for axis in entry.ints]  # up to opset 17
    if len(node.input) > 1 and node.input[1] in constants:
        axes = numpy_helper.to_array(constants[node.input[1]]).tolist()
    return sorted(axes) in ([2, 3], [-2, -1])
