"""Writing the backward half of a graph: nodes and constants that are added to a forward graph.

Rules do not see this; they compute with `Tensor`s (tensor.py), and every operation on those ends here.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

Array = NDArray[Any]


class Writer:
    """Collects new nodes and constants. The same operation on the same inputs is written once."""

    def __init__(self, taken: Iterable[str], opset: int) -> None:
        """Names will differ from all those in `taken`; operators are written as of the version `opset`."""
        self.opset = opset
        self.nodes: list[onnx.NodeProto] = []
        self._prefix = _free_prefix(taken)
        self._written: dict[object, list[str]] = {}
        self._makers: dict[str, onnx.NodeProto] = {}
        self._constants: dict[object, onnx.TensorProto] = {}

    def node(self, operator: str, inputs: Sequence[str], attributes: Mapping[str, Any], outputs: int = 1) -> list[str]:
        """Write a node and return the names of its outputs."""
        key = (operator, tuple(inputs), repr(sorted(attributes.items())), outputs)
        if key not in self._written:
            number = len(self.nodes) + 1
            first = f"{self._prefix}{number}_{operator}"
            names = [first, *(f"{first}_{index}" for index in range(1, outputs))]
            made = helper.make_node(operator, list(inputs), names, name=first, **attributes)
            self.nodes.append(made)
            self._written[key] = names
            self._makers |= dict.fromkeys(names, made)
        return self._written[key]

    def constant(self, values: Array) -> str:
        """Write a constant and return its name."""
        key = (values.dtype.str, values.shape, values.tobytes())
        if key not in self._constants:
            name = f"{self._prefix}constant_{len(self._constants) + 1}"
            self._constants[key] = numpy_helper.from_array(np.asarray(values, order="C"), name)
        return self._constants[key].name

    def maker(self, name: str) -> onnx.NodeProto | None:
        """Return the new node that gives a tensor, or None where the forward half or a constant does."""
        return self._makers.get(name)

    def needed(self, outputs: Iterable[str]) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
        """Return the nodes and constants that `outputs` depend on, in order: rules may write more than is asked for."""
        ends = set(outputs)
        nodes = needed_nodes(self.nodes, ends)
        wanted = ends.union(*(node.input for node in nodes))
        return nodes, [tensor for tensor in self._constants.values() if tensor.name in wanted]


def needed_nodes(nodes: Sequence[onnx.NodeProto], outputs: Iterable[str]) -> list[onnx.NodeProto]:
    """Return those of the nodes, in their order, that `outputs` depend on."""
    wanted = set(outputs)
    needed = []
    for node in reversed(nodes):
        if wanted.intersection(node.output):
            needed.append(node)
            wanted.update(node.input)
    return needed[::-1]


def _free_prefix(taken: Iterable[str]) -> str:
    names = list(taken)
    prefix = "back_"
    while any(name.startswith(prefix) for name in names):
        prefix += "_"
    return prefix
