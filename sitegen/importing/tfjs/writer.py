"""Writing an ONNX graph for the nodes of a TensorFlow graph: what the rules of `operators` write with."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import numpy_helper

from sitegen.importing.graph.writing import NodeWriter
from sitegen.importing.tfjs.nodes import TfNode

TO_NCHW, TO_NHWC = (0, 3, 1, 2), (0, 2, 3, 1)
_OF_SIZES = {"Identity", "Pack", "StridedSlice"}


class TfWriter(NodeWriter):
    """Collects ONNX nodes and constants; a TensorFlow node's result has the node's name."""

    def __init__(self, nodes: Sequence[TfNode], weights: Mapping[str, NDArray[Any]]) -> None:
        self._weights = weights
        self._makers = {node.name: node for node in nodes}
        super().__init__(self._makers)

    def read(self, node: TfNode, index: int) -> str:
        """Return the name of what a node reads; constants are added as they are."""
        name = node.inputs[index]
        if name not in self.initialisers and self._makers[name].operator == "Const":
            self.initialisers[name] = numpy_helper.from_array(np.asarray(self._weights[name]), name)
        return name

    def value(self, node: TfNode, index: int) -> NDArray[Any]:
        """Return the value of a constant that a node reads. Raises ModelError where it is computed by the model."""
        maker = self._makers[node.inputs[index]]
        while maker.operator == "Identity":
            maker = self._makers[maker.inputs[0]]
        if maker.operator != "Const":
            raise node.unsupported(f"its input {node.inputs[index]!r} must be a constant, and is computed")
        return self._weights[maker.name]

    def integers(self, node: TfNode, index: int) -> list[int]:
        """Return the whole numbers of a constant that a node reads, row by row."""
        return [int(number) for number in self.value(node, index).reshape(-1)]

    def is_constant(self, node: TfNode, index: int) -> bool:
        """Whether a node reads a constant there."""
        return self._makers[node.inputs[index]].operator == "Const"

    def is_size(self, name: str) -> bool:
        """Whether numbers follow from constants and the shapes of tensors: known before the model runs."""
        maker = self._makers[name]
        known = maker.operator in ("Const", "Shape")
        return known or (maker.operator in _OF_SIZES and all(map(self.is_size, maker.inputs)))

    def channels_first(self, node: TfNode, index: int = 0) -> str:
        """Return an image as [batch, channels, rows, columns], for a node whose images lie as its data_format says."""
        name = self.read(node, index)
        return self.write("Transpose", [name], perm=TO_NCHW) if is_last(node) else name

    def as_it_was(self, node: TfNode, name: str) -> None:
        """Make an image [batch, channels, rows, columns] the node's result."""
        if is_last(node):
            self.write("Transpose", [name], node.name, perm=TO_NHWC)
        else:
            self.write("Identity", [name], node.name)


def is_last(node: TfNode) -> bool:
    """Whether channels are the last axis of a node's images."""
    return node.text("data_format", "NHWC") == "NHWC"


def spatial(node: TfNode, numbers: Sequence[int]) -> list[int]:
    """Return those of four numbers, one an axis, that are for rows and columns."""
    return list(numbers[1:3] if is_last(node) else numbers[2:4])


def padding(node: TfNode) -> dict[str, Any]:
    """Return the attributes of ONNX that pad as a node says."""
    mode = node.text("padding")
    if mode == "SAME":
        return {"auto_pad": "SAME_UPPER"}
    if mode == "EXPLICIT":
        pairs = np.array(node.numbers("explicit_paddings")).reshape(4, 2)
        (top, bottom), (left, right) = spatial_pairs(node, pairs)
        return {"pads": [top, left, bottom, right]}
    if mode != "VALID":
        raise node.unsupported(f"the padding {mode!r} is not known")
    return {"pads": [0, 0, 0, 0]}


def spatial_pairs(node: TfNode, pairs: NDArray[Any]) -> list[list[int]]:
    """Return of four pairs of paddings those of rows and columns."""
    return [[int(number) for number in pair] for pair in (pairs[1:3] if is_last(node) else pairs[2:4])]
