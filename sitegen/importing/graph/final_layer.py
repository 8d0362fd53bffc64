"""The last layer of a classifier, read from its ONNX graph: what class activation maps are made of.

Where a graph ends with the average over the image and linear operators, logits = W · mean(feature map) + b, however
many operators that takes. Walking back from the logits, W and b are gathered until the average is reached.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, numpy_helper
from onnx.external_data_helper import uses_external_data

from sitegen.bundle import FeatureMap
from sitegen.gradient.inference import read_external
from sitegen.graphs.names import CLASSIFIER, FINAL_WEIGHTS
from sitegen.importing.graph.image import producer
from sitegen.importing.graph.passes import attribute, constants_of
from sitegen.importing.graph.shapes import Shapes, shapes_of

Numbers = NDArray[np.float64]
_ARRANGES = {"Cast", "Dropout", "Flatten", "Identity", "Reshape", "Squeeze", "Unsqueeze"}
_OVER_CELLS = {"Add", "BatchNormalization", "Cast", "Clip", "Concat", "Div", "Dropout", "Elu", "Gelu", "HardSigmoid"}
_OVER_CELLS |= {"HardSwish", "Identity", "InstanceNormalization", "LeakyRelu", "Max", "Mish", "Mul", "PRelu", "Pad"}
_OVER_CELLS |= {"AveragePool", "MaxPool", "Relu", "Resize", "Sigmoid", "Softplus", "Sub", "Sum", "Swish", "Tanh"}
_WEIGHTED = {"Conv", "ConvTranspose", "Gemm", "MatMul"}
LATE = "late_map"
_CONVOLUTIONS = {"Conv", "ConvTranspose", "QLinearConv"}


def final_layer(model: ModelProto, folder: Path | None = None) -> tuple[Numbers, Numbers, str] | None:
    """Return the weights [labels, channels], the bias [labels], and the name of the feature map.

    None where the graph does not end with the average over the image and linear operators. `folder` is where external
    weights lie. Precondition: one output [1, labels], fixed shapes.
    """
    name, shapes = model.graph.output[0].name, shapes_of(model)
    (_, labels) = shapes.fixed(name) or (1, 0)
    walk = _Walk(constants_of(model), folder, shapes, np.eye(labels), np.zeros(labels))
    while (node := producer(model, name)) is not None:
        if _averages(node, shapes, walk.value):
            channels = (shapes.fixed(node.input[0]) or (0, 0))[1]
            return (walk.weights, walk.bias, node.input[0]) if channels == walk.weights.shape[1] else None
        further = walk.back(node)
        if further is None:
            return None
        name = further
    return None


@dataclass
class _Walk:
    """The linear map from where the walk is to the logits."""

    constants: dict[str, TensorProto]
    folder: Path | None
    shapes: Shapes
    weights: Numbers
    bias: Numbers

    def value(self, name: str) -> Numbers | None:
        """Return a constant of the graph."""
        tensor = self.constants.get(name)
        if tensor is None:
            return None
        if uses_external_data(tensor):
            if self.folder is None:
                return None
            tensor = read_external(tensor, self.folder)
        return np.asarray(numpy_helper.to_array(tensor), np.float64)

    def back(self, node: NodeProto) -> str | None:
        """Take a node into the map, and return the tensor that it reads; None where it is not linear."""
        if node.op_type in _ARRANGES:
            return str(node.input[0])
        rule = _RULES.get(node.op_type)
        return rule(self, node) if rule else None

    def _take(self, matrix: Numbers, added: Numbers) -> None:
        """Take in y = matrix · x + added."""
        self.bias = self.weights @ added + self.bias
        self.weights = self.weights @ matrix

    def gemm(self, node: NodeProto) -> str | None:
        """alpha · x · B + beta · C, B transposed or not."""
        matrix = self.value(node.input[1])
        added = self.value(node.input[2]) if len(node.input) > 2 and node.input[2] else np.zeros(1)
        if matrix is None or added is None or attribute(node, "transA", 0):
            return None
        matrix = matrix if attribute(node, "transB", 0) else matrix.T
        self._take(matrix * attribute(node, "alpha", 1.0), self._row(added) * attribute(node, "beta", 1.0))
        return str(node.input[0])

    def matmul(self, node: NodeProto) -> str | None:
        """x · B."""
        matrix = self.value(node.input[1])
        if matrix is None or matrix.ndim != 2:
            return None
        self._take(matrix.T, np.zeros(matrix.shape[1]))
        return str(node.input[0])

    def convolution(self, node: NodeProto) -> str | None:
        """A convolution of one cell with one cell."""
        kernel = self.value(node.input[1])
        added = self.value(node.input[2]) if len(node.input) > 2 else np.zeros(1)
        one_cell = (self.shapes.fixed(node.input[0]) or ())[2:] == (1, 1)
        if kernel is None or added is None or not one_cell or kernel.shape[2:] != (1, 1):
            return None
        if attribute(node, "group", 1) != 1 or (self.shapes.fixed(node.output[0]) or ())[2:] != (1, 1):
            return None
        self._take(kernel[:, :, 0, 0], self._row(added))
        return str(node.input[0])

    def pairwise(self, node: NodeProto) -> str | None:
        """Sums, differences, products and quotients with a constant."""
        left, right = self.value(node.input[0]), self.value(node.input[1])
        constant = right if left is None else left
        if constant is None or (left is not None and node.op_type in ("Sub", "Div")):
            return None
        row = self._row(constant)
        ones = np.ones_like(row)
        scale, added = {
            "Add": (ones, row),
            "Sub": (ones, -row),
            "Mul": (row, 0 * row),
            "Div": (ones / row, 0 * row),
        }[node.op_type]
        self._take(np.diag(scale), added)
        return str(node.input[1] if left is not None else node.input[0])

    def _row(self, values: Numbers) -> Numbers:
        """Return a constant as one number for each of those that the map takes."""
        flat = values.reshape(-1)
        return np.broadcast_to(flat, (self.weights.shape[1],)) if flat.size == 1 else flat


_RULES: dict[str, Callable[[_Walk, NodeProto], str | None]] = {
    "Gemm": _Walk.gemm,
    "MatMul": _Walk.matmul,
    "Conv": _Walk.convolution,
    **dict.fromkeys(("Add", "Sub", "Mul", "Div"), _Walk.pairwise),
}


def _averages(node: NodeProto, shapes: Shapes, value: Callable[[str], Any]) -> bool:
    """Whether a node averages over all cells of an image."""
    read = shapes.fixed(node.input[0])
    if read is None or len(read) != 4:
        return False
    if node.op_type == "GlobalAveragePool":
        return True
    if node.op_type == "ReduceMean":
        axes = attribute(node, "axes", None) or (value(node.input[1]) if len(node.input) > 1 else None)
        return axes is not None and sorted(int(axis) % 4 for axis in axes) == [2, 3]
    if node.op_type == "AveragePool":
        return _covers(node, read[2:]) and (shapes.fixed(node.output[0]) or ())[2:] == (1, 1)
    return False


def _covers(node: NodeProto, cells: Sequence[int]) -> bool:
    plain = attribute(node, "auto_pad", b"NOTSET") in (b"NOTSET", b"VALID")
    return (
        plain and not any(attribute(node, "pads", [0])) and tuple(attribute(node, "kernel_shape", ())) == tuple(cells)
    )


def write_final_layer(folder: Path) -> FeatureMap | None:
    """Write `final.weights` for the `classifier.onnx` of a folder, and return its description.

    None, and no file, where the graph does not end with the average over the image and linear operators. The feature
    map must be an output of the gradient graph, under the name that the description gives.
    """
    (folder / FINAL_WEIGHTS).unlink(missing_ok=True)
    found = final_layer(onnx.load(str(folder / CLASSIFIER), load_external_data=False), folder)
    if found is None:
        return None
    weights, bias, features = found
    rows = np.concatenate([weights, bias[:, np.newaxis]], axis=1).astype("<f4")
    (folder / FINAL_WEIGHTS).write_bytes(rows.tobytes())
    labels, columns = rows.shape
    return FeatureMap(output=features, weights=FINAL_WEIGHTS, shape=(labels, columns))


def last_map(folder: Path) -> str | None:
    """Return the name of the tensor of `classifier.onnx` that Grad-CAM is drawn over.

    It is the feature map of the final layer, where there is one; else what `late_maps` made of tokens; else the last
    one that is made of convolutions cell by cell, and has more than one cell. None where there is none.
    """
    model = onnx.load(str(folder / CLASSIFIER), load_external_data=False)
    found = final_layer(model, folder)
    if found:
        return found[2]
    if any(LATE in node.output for node in model.graph.node):
        return LATE
    return _last_convolved(model, shapes_of(model))


def layers_after(folder: Path, name: str) -> tuple[int, int]:
    """Return how many layers with weights of `classifier.onnx` come after a tensor, and how many there are."""
    model = onnx.load(str(folder / CLASSIFIER), load_external_data=False)
    needed, reached = _needed_for_output(model), {name}
    after = count = 0
    for node in model.graph.node:
        if node.output[0] not in needed:
            continue
        follows = not reached.isdisjoint(node.input)
        if follows:
            reached.update(node.output)
        if node.op_type in _WEIGHTED:
            count += 1
            after += follows
    return after, count


def _last_convolved(model: ModelProto, shapes: Shapes) -> str | None:
    needed = _needed_for_output(model)
    convolved: list[str] = []
    for node in model.graph.node:
        over_cells = node.op_type in _OVER_CELLS and not {*node.input}.isdisjoint(convolved)
        if (node.op_type in _CONVOLUTIONS or over_cells) and node.output[0] in needed:
            sizes = shapes.fixed(node.output[0])
            if sizes is not None and len(sizes) == 4 and min(sizes[2:]) > 1:
                convolved.append(node.output[0])
    return convolved[-1] if convolved else None


def _needed_for_output(model: ModelProto) -> set[str]:
    needed = {model.graph.output[0].name}
    for node in reversed(model.graph.node):
        if needed.intersection(node.output):
            needed.update(node.input)
    return needed
