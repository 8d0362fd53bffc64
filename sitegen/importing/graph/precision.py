"""Graphs that compute in float16, bfloat16 or float64, in float32; and graphs in float32, in float64."""

import numpy as np
from onnx import GraphProto, ModelProto, TensorProto, numpy_helper

from sitegen.importing.graph.reading import nodes_of

OTHER_FLOATS: dict[int, str] = {
    TensorProto.FLOAT16: "float16",
    TensorProto.BFLOAT16: "bfloat16",
    TensorProto.DOUBLE: "float64",
}
_TYPE_ATTRIBUTES = {"to", "dtype"}  # of Cast, and of what makes tensors of nothing


def to_float32(model: ModelProto) -> list[str]:
    """Make every floating-point tensor of a model a float32 one; return the names of the types that were there.

    Numbers of float16 and bfloat16 stay exactly what they are; those of float64 are rounded, beyond the range of
    float32 to its ends. Precondition: the weights are in the model. Postcondition: it has no other float but float32.
    """
    found: set[int] = set()
    for graph in [model.graph, *_inner(model.graph)]:
        for index, tensor in enumerate(graph.initializer):
            if tensor.data_type in OTHER_FLOATS:
                found.add(tensor.data_type)
                graph.initializer[index].CopyFrom(_rounded(tensor))
        for value in (*graph.input, *graph.output, *graph.value_info):
            if value.type.tensor_type.elem_type in OTHER_FLOATS:
                found.add(value.type.tensor_type.elem_type)
                value.type.tensor_type.elem_type = TensorProto.FLOAT
    for node in nodes_of(model.graph):
        for attribute in node.attribute:
            if attribute.HasField("t") and attribute.t.data_type in OTHER_FLOATS:
                found.add(attribute.t.data_type)
                attribute.t.CopyFrom(_rounded(attribute.t))
            elif attribute.name in _TYPE_ATTRIBUTES and attribute.i in OTHER_FLOATS:
                found.add(attribute.i)
                attribute.i = TensorProto.FLOAT
    return [OTHER_FLOATS[kind] for kind in sorted(found)]


def to_float64(model: ModelProto) -> None:
    """Make every float32 tensor of a model a float64 one, for a run that tells what rounding does.

    Precondition: as after `to_float32`.
    """
    for graph in [model.graph, *_inner(model.graph)]:
        for tensor in graph.initializer:
            _widened(tensor)
        for value in (*graph.input, *graph.output, *graph.value_info):
            if value.type.tensor_type.elem_type == TensorProto.FLOAT:
                value.type.tensor_type.elem_type = TensorProto.DOUBLE
    for node in nodes_of(model.graph):
        for attribute in node.attribute:
            if attribute.HasField("t"):
                _widened(attribute.t)
            elif attribute.name in _TYPE_ATTRIBUTES and attribute.i == TensorProto.FLOAT:
                attribute.i = TensorProto.DOUBLE


def _widened(tensor: TensorProto) -> None:
    if tensor.data_type == TensorProto.FLOAT:
        wide = numpy_helper.to_array(tensor).astype(np.float64)
        tensor.CopyFrom(numpy_helper.from_array(wide, tensor.name))


def _inner(graph: GraphProto) -> list[GraphProto]:
    attributes = [attribute for node in nodes_of(graph) for attribute in node.attribute]
    return [inner for attribute in attributes for inner in (attribute.g, *attribute.graphs) if inner.node]


def _rounded(tensor: TensorProto) -> TensorProto:
    ends = np.finfo(np.float32)
    values = numpy_helper.to_array(tensor).astype(np.float64)
    finite = np.clip(values, ends.min, ends.max)
    kept = np.where(np.isfinite(values), finite, values)
    return numpy_helper.from_array(np.asarray(kept, np.float32), tensor.name)
