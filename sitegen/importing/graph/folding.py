"""What a graph computes of constants and fixed shapes, computed once, at the import."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from sitegen.importing.graph.passes import drop_unused
from sitegen.importing.graph.shapes import Shapes, shapes_of

_ALWAYS = 4096  # elements; more are stored only where they replace as many
_SHAPED = {"Expand", "Flatten", "Identity", "Reshape", "Squeeze", "Tile", "Transpose", "Trilu", "Unsqueeze"}
_PICKED = {"Concat", "Gather", "ScatterElements", "ScatterND", "Shape", "Size", "Slice", "Split", "Where"}
_COMPUTED = {
    "Abs",
    "Add",
    "Ceil",
    "Div",
    "Exp",
    "Floor",
    "Log",
    "Mod",
    "Mul",
    "Neg",
    "Pow",
    "Reciprocal",
    "Sqrt",
    "Sub",
}
_REDUCED = {"Max", "Min", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceSum"}
_COMPARED = {"And", "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Not", "Or", "Sign"}
_MADE = {"Cast", "CastLike", "Constant", "ConstantOfShape", "Range"}
_ALLOWED = _SHAPED | _PICKED | _COMPUTED | _REDUCED | _COMPARED | _MADE


def fold(model: ModelProto) -> None:
    """Replace operators on constants, and on the shapes of tensors, by their results; drop what nothing needs then.

    Precondition: the input's shape is fixed. Postcondition: sizes that exporters compute in the graph are constants,
    where they follow from the input's shape. Constants do not grow: more than 4096 elements are computed only of as
    many. Raises ModelError where operators and shapes contradict each other.
    """
    while True:
        shapes = shapes_of(model)
        values = {tensor.name: tensor for tensor in model.graph.initializer}
        results = {value.name for value in model.graph.output}
        found: dict[str, TensorProto] = {}
        for node in model.graph.node:
            if not results.intersection(node.output):
                found.update(_result(node, values | found, shapes, model.opset_import[0].version))
        if not found:
            return
        kept = [node for node in model.graph.node if not found.keys() & set(node.output)]
        del model.graph.node[:]
        model.graph.node.extend(kept)
        model.graph.initializer.extend(found.values())
        drop_unused(model)


def _result(node: NodeProto, values: dict[str, TensorProto], shapes: Shapes, opset: int) -> dict[str, TensorProto]:
    """Return what a node gives, by the outputs' names; nothing where that is not known before the model runs."""
    if node.domain or node.op_type not in _ALLOWED:
        return {}
    if node.op_type in ("Shape", "Size"):
        return _measured(node, shapes)
    inputs = {name: values.get(name) for name in node.input if name}
    sizes = [shapes.elements(name) for name in node.output if name]
    if any(tensor is None for tensor in inputs.values()) or any(size is None for size in sizes):
        return {}
    given = sum(shapes.elements(name) or 0 for name in inputs)
    if sum(size or 0 for size in sizes) > max(_ALWAYS, given):
        return {}
    return dict(_evaluated(node, {name: tensor for name, tensor in inputs.items() if tensor is not None}, opset))


def _measured(node: NodeProto, shapes: Shapes) -> dict[str, TensorProto]:
    sizes = shapes.sizes.get(node.input[0])
    if sizes is None:
        return {}
    bounds = {entry.name: entry.i for entry in node.attribute}
    wanted = sizes if node.op_type == "Size" else sizes[slice(bounds.get("start"), bounds.get("end"))]
    known = [size for size in wanted if size is not None]
    if len(known) < len(wanted):
        return {}
    result: NDArray[Any] = np.array(known, np.int64)
    result = result.prod() if node.op_type == "Size" else result
    return {node.output[0]: numpy_helper.from_array(np.asarray(result, np.int64), node.output[0])}


def _evaluated(node: NodeProto, inputs: dict[str, TensorProto], opset: int) -> Iterator[tuple[str, TensorProto]]:
    from onnx.reference import ReferenceEvaluator  # costs a second to import

    outputs = [name for name in node.output if name]
    graph = helper.make_graph(
        [node],
        "constant",
        [],
        [helper.make_tensor_value_info(name, TensorProto.UNDEFINED, None) for name in outputs],
        list(inputs.values()),
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    results = ReferenceEvaluator(model).run(None, {})
    for name, value in zip(outputs, results, strict=True):
        yield name, numpy_helper.from_array(np.asarray(value), name)
