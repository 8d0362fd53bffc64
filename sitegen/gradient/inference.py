"""Shape inference, by onnx, for models as they are: with what onnx does not see said to it."""

from collections.abc import Mapping
from math import prod
from pathlib import Path

import onnx
from onnx import TensorProto, external_data_helper, numpy_helper, shape_inference

from sitegen.errors import GradientError
from sitegen.gradient.writer import Array

UNINFERRED = {"GroupNormalization"}
"""Operators whose output onnx does not infer, though it has the type and shape of the first input."""
SIZED_BY_INPUTS = {"ConstantOfShape", "Expand", "Pad", "Reshape", "Resize", "Slice", "Tile"}
"""Operators whose output's size depends on the value of an input, which exporters like to compute in the graph."""
_SMALL = 4096  # elements: constants that rules and shapes depend on are axes, pads, scales; never weights


def infer(model: onnx.ModelProto) -> onnx.GraphProto:
    """Return the graph with the types and shapes that onnx infers. Raises GradientError where it finds a fault."""
    try:
        return shape_inference.infer_shapes(model, strict_mode=True, data_prop=True).graph
    except shape_inference.InferenceError as error:
        raise GradientError(
            f"The shapes of the model cannot be inferred: {str(error).strip()}. Export it again; or, where weights "
            "lie in an external file, give the model's path instead of its content."
        ) from error


def prepared(model: onnx.ModelProto, folder: Path | None) -> onnx.ModelProto:
    """Return a model of the same shapes that onnx can infer.

    Small external constants are read from `folder`, where that is known; operators that onnx does not infer are
    replaced by Identity. The model itself is not changed.
    """
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    for tensor in copy.graph.initializer:
        if folder and is_small(tensor) and external_data_helper.uses_external_data(tensor):
            tensor.CopyFrom(read_external(tensor, folder))
    for node in copy.graph.node:
        if node.op_type in UNINFERRED:
            node.op_type = "Identity"
            del node.input[1:]
            del node.attribute[:]
    return copy


def with_sizes(model: onnx.ModelProto, sizes: Mapping[str, Array]) -> onnx.ModelProto:
    """Return the model with the values of computed tensors written out for the operators that are sized by them."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    constants = {name: f"{name} (known)" for name in sizes}
    copy.graph.initializer.extend(numpy_helper.from_array(value, constants[name]) for name, value in sizes.items())
    for node in copy.graph.node:
        if node.op_type in SIZED_BY_INPUTS:
            node.input[1:] = [constants.get(name, name) for name in node.input[1:]]
    return copy


def is_small(tensor: TensorProto) -> bool:
    """Whether a constant may be read for its value."""
    return bool(prod(tensor.dims) <= _SMALL)


def read_external(tensor: TensorProto, folder: Path) -> TensorProto:
    """Return a constant that lies in an external file, with its value."""
    copy = TensorProto()
    copy.CopyFrom(tensor)
    external_data_helper.load_external_data_for_tensor(copy, str(folder))
    copy.data_location = TensorProto.DEFAULT
    del copy.external_data[:]
    return copy
