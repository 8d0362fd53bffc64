"""Rectifiers that write to a place of their own: in WebAssembly some twenty times as fast as over their input."""

from collections import Counter

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper, shape_inference

_TAKEN_IN = {"Add", "Conv", "ConvTranspose", "Gemm", "MatMul", "Sum"}
"""What ONNX Runtime computes together with the Relu that follows, in one operator."""


def rectify_apart(model: ModelProto) -> bool:
    """Write Relu as Max(x, 0), where the engine would run it by itself; return whether any was.

    ONNX Runtime lets Relu write over its input, and what WebAssembly makes of that loop takes one number at a time.
    Max has an output of its own, and takes four. Outputs are the same to the bit.

    Asked: tensors of float32, as bundles have them. A Relu behind a convolution, a sum or a matrix product stays,
    because the engine runs both as one; so does that behind a normalisation that the engine merges into a convolution,
    and that before a quantisation, which rectifies by itself.
    """
    graph = model.graph
    floats = _floats(model)
    quantised = {name for node in graph.node if node.op_type == "QuantizeLinear" for name in node.input}
    makers = {name: node for node in graph.node for name in node.output}
    readers = Counter(name for node in graph.node for name in node.input)
    chosen = [
        node
        for node in graph.node
        if node.op_type == "Relu"
        and not node.domain
        and node.input[0] in floats
        and quantised.isdisjoint(node.output)
        and not _is_merged(node, makers, readers)
    ]
    if not chosen:
        return False
    zero = _free({*makers, *readers, *(tensor.name for tensor in graph.initializer)}, "zero")
    graph.initializer.append(numpy_helper.from_array(np.array(0, np.float32), zero))
    for node in chosen:
        node.CopyFrom(helper.make_node("Max", [node.input[0], zero], node.output, name=node.name))
    return True


def _is_merged(node: NodeProto, makers: dict[str, NodeProto], readers: Counter[str]) -> bool:
    before = makers.get(node.input[0])
    if before is not None and before.op_type == "BatchNormalization" and readers[before.input[0]] == 1:
        before = makers.get(before.input[0])
        return before is not None and before.op_type == "Conv"
    return before is not None and before.op_type in _TAKEN_IN


def _floats(model: ModelProto) -> set[str]:
    graph = shape_inference.infer_shapes(model).graph
    values = (*graph.input, *graph.value_info, *graph.output)
    return {value.name for value in values if value.type.tensor_type.elem_type == TensorProto.FLOAT}


def _free(taken: set[str], name: str) -> str:
    while name in taken:
        name += "_"
    return name
