"""Lists that grow: a Concat whose inputs begin with those of an earlier Concat.

Dense blocks are mostly written so: every layer joins all that came before. Going back, each of n layers would return n
slices, to be added one by one: n² small nodes. Read as Concat(earlier Concat, the rest), it returns two.
"""

from collections.abc import Sequence

import onnx
from onnx import helper


def nest_concats(path: Sequence[onnx.NodeProto]) -> list[onnx.NodeProto]:
    """Return the nodes with every Concat reading the longest earlier one that its inputs begin with.

    Precondition: `path` is in the graph's order. Postcondition: every node computes what it computed.
    """
    joined: dict[tuple[int, tuple[str, ...]], str] = {}
    return [_nested(node, joined) if node.op_type == "Concat" else node for node in path]


def _nested(node: onnx.NodeProto, joined: dict[tuple[int, tuple[str, ...]], str]) -> onnx.NodeProto:
    axis = next(entry.i for entry in node.attribute if entry.name == "axis")
    inputs = tuple(node.input)
    joined.setdefault((axis, inputs), node.output[0])
    for count in range(len(inputs) - 1, 1, -1):
        if earlier := joined.get((axis, inputs[:count])):
            return helper.make_node("Concat", [earlier, *inputs[count:]], list(node.output), name=node.name, axis=axis)
    return node
