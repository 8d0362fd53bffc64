"""The bounds of every tensor of an ONNX graph, from its first operator to its last."""

from collections.abc import Callable, Mapping

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, numpy_helper

from sitegen.importing.graph import bounds
from sitegen.importing.graph.bounds import FAR, SIGMOID, SOFTMAX, UNCLEAR, Bounds, Known
from sitegen.importing.graph.passes import attribute, constants_of

_SAME = {"Cast", "Dropout", "Flatten", "Identity", "QuantizeLinear", "DequantizeLinear", "Reshape", "Squeeze"}
_SAME |= {"Unsqueeze", "Round"}
_PARTS = {"Expand", "Gather", "GatherElements", "GatherND", "ReduceMax", "ReduceMin", "Slice", "Split", "Tile"}
_PARTS |= {"AveragePool", "GlobalAveragePool", "GlobalMaxPool", "MaxPool", "ReduceMean", "TopK", "Transpose"}
_UNCLEAR = {
    "CumSum",
    "Exp",
    "Log",
    "LogSoftmax",
    "Reciprocal",
    "ReduceLogSumExp",
    "ReduceProd",
    "ReduceSumSquare",
    "Softplus",
}
_HULLS = {"Concat", "Max", "Mean", "Min"}
_LARGEST = 1 << 20  # elements of a constant that are looked at: ends are small


def bounds_of(model: ModelProto) -> dict[str, Known]:
    """Return between which numbers each tensor lies; None where it may hold any. Precondition: weights are inside."""
    read = _Reading(constants_of(model))
    for node in model.graph.node:
        found = read.made_by(node)
        for name in node.output:
            read.known[name] = found
    return read.known


class _Reading:
    """What is known so far."""

    def __init__(self, constants: Mapping[str, TensorProto]) -> None:
        self.known: dict[str, Known] = {}
        self._constants = constants

    def made_by(self, node: NodeProto) -> Known:
        """Return the bounds of what a node gives."""
        operator = node.op_type
        if operator in _SAME:
            return self._of(node, 0)
        if operator in _PARTS:
            return bounds.part(self._of(node, 0))
        if operator in _UNCLEAR:
            return UNCLEAR
        if operator in _HULLS:
            return bounds.hull([self._of(node, at) for at in range(len(node.input))])
        rule = _RULES.get(operator)
        return rule(self, node) if rule else None

    def _of(self, node: NodeProto, at: int) -> Known:
        if at >= len(node.input) or not node.input[at]:
            return None
        name = node.input[at]
        if name not in self.known and name in self._constants:
            values = self._values(name)
            self.known[name] = None if values is None else bounds.constant(values)
        return self.known.get(name)

    def _values(self, name: str) -> np.ndarray | None:
        tensor = self._constants.get(name)
        if tensor is None or tensor.data_location == TensorProto.EXTERNAL or np.prod(tensor.dims) > _LARGEST:
            return None
        return np.asarray(numpy_helper.to_array(tensor), np.float64)

    def scalar(self, node: NodeProto, at: int, name: str) -> float | None:
        """Return a limit that older operators have as an attribute and newer ones as an input."""
        old: float | None = attribute(node, name, None)
        if old is not None or at >= len(node.input) or not node.input[at]:
            return old
        values = self._values(node.input[at])
        return None if values is None or not values.size else float(values.reshape(-1)[0])

    def clip(self, node: NodeProto) -> Known:
        low, high = self.scalar(node, 1, "min"), self.scalar(node, 2, "max")
        return bounds.clipped(self._of(node, 0), low, high)

    def softmax(self, node: NodeProto) -> Known:
        return SOFTMAX if attribute(node, "axis", -1) in (-1, 1) else bounds.part(SOFTMAX)

    def sums(self, node: NodeProto) -> Known:
        given = self._of(node, 0)
        return given if given is None else Bounds(-FAR if given.low < 0 else 0.0, FAR, given.share)

    def arithmetic(self, node: NodeProto) -> Known:
        one, other = self._of(node, 0), self._of(node, 1)
        match node.op_type:
            case "Sub":
                return bounds.total([one, bounds.negative(other)])
            case "Mul":
                return bounds.product(one, other)
            case "Div":
                return bounds.quotient(one, other)
        return bounds.total([self._of(node, at) for at in range(len(node.input))])

    def negative(self, node: NodeProto) -> Known:
        return bounds.negative(self._of(node, 0))

    def where(self, node: NodeProto) -> Known:
        return bounds.hull([self._of(node, 1), self._of(node, 2)])

    def power(self, node: NodeProto) -> Known:
        exponent = 0.5 if node.op_type == "Sqrt" else self.scalar(node, 1, "exponent")
        return bounds.power(self._of(node, 0), exponent or 0.0)

    def weighted(self, node: NodeProto) -> Known:
        given, matrix = self._of(node, 0), self._values(node.input[1])
        if given is None or matrix is None or matrix.ndim != 2 or attribute(node, "transA", 0):
            return None
        if node.op_type == "MatMul":
            return bounds.weighted(given, matrix.T)
        added = bounds.product(self._of(node, 2), bounds.constant(attribute(node, "beta", 1.0)))
        turned = matrix if attribute(node, "transB", 0) else matrix.T
        return bounds.weighted(given, turned * attribute(node, "alpha", 1.0), added)


_RULES: dict[str, Callable[[_Reading, NodeProto], Known]] = {
    "Sigmoid": lambda read, node: SIGMOID,
    "HardSigmoid": lambda read, node: Bounds(0.0, 1.0),
    "Tanh": lambda read, node: Bounds(-1.0, 1.0),
    "Softmax": _Reading.softmax,
    "Clip": _Reading.clip,
    "Relu": lambda read, node: bounds.clipped(read._of(node, 0), 0.0, None),
    "ReduceSum": _Reading.sums,
    "Neg": _Reading.negative,
    "Where": _Reading.where,
    "Pow": _Reading.power,
    "Sqrt": _Reading.power,
    **dict.fromkeys(("Add", "Sub", "Mul", "Div", "Sum"), _Reading.arithmetic),
    **dict.fromkeys(("Gemm", "MatMul"), _Reading.weighted),
}
