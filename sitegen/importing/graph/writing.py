"""Writing an ONNX graph node by node: what every translation into ONNX writes with."""

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

from sitegen.importing.graph.passes import free_name


class NodeWriter:
    """Collects ONNX nodes and constants, under names that are free."""

    def __init__(self, taken: Collection[str]) -> None:
        """`taken` are names that results will have."""
        self.nodes: list[NodeProto] = []
        self.initialisers: dict[str, TensorProto] = {}
        self._taken = set(taken)

    def write(self, operator: str, inputs: Sequence[str], result: str | None = None, **attributes: Any) -> str:
        """Write a node and return the name of its result: the given one, or a new one."""
        name = result or free_name(self._taken, operator)
        self.nodes.append(helper.make_node(operator, list(inputs), [name], name=name, **attributes))
        return name

    def constant(self, values: NDArray[Any] | Sequence[int], wanted: str) -> str:
        """Add a constant and return its name; lists are of 64-bit integers."""
        array = np.asarray(values) if isinstance(values, np.ndarray) else np.array(values, np.int64)
        name = free_name(self._taken, wanted)
        self.initialisers[name] = numpy_helper.from_array(array, name)
        return name
