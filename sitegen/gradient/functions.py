"""Operators that ONNX defines by others: where they have no rule, their definition has."""

from collections.abc import Iterable

import onnx
from onnx import defs, helper, inliner

STANDARD = ("", "ai.onnx")
"""Names of the domain of the standard operators."""


def written_out(model: onnx.ModelProto, kinds: Iterable[tuple[str, str]]) -> onnx.ModelProto:
    """Return the model with some kinds of operators, by domain and name, replaced by their definitions.

    Definitions may depend on types, and onnx asks value_info for those of initialisers, too.
    """
    typed = onnx.ModelProto()
    typed.CopyFrom(model)
    graph = typed.graph
    known = {value.name for value in (*graph.input, *graph.value_info)}
    unknown = [tensor for tensor in graph.initializer if tensor.name not in known]
    graph.value_info.extend(
        helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims) for tensor in unknown
    )
    return inliner.inline_selected_functions(typed, sorted(kinds), inline_schema_functions=True)


def is_function(node: onnx.NodeProto, opset: int) -> bool:
    """Whether a node's operator is defined by others."""
    if node.domain not in STANDARD or not defs.has(node.op_type, opset):
        return False
    schema = defs.get_schema(node.op_type, opset)
    return bool(getattr(schema, "has_function", False) or getattr(schema, "has_context_dependent_function", False))
