"""Softmax and its logarithm, along one axis."""

from sitegen.gradient.node import Node
from sitegen.gradient.shapes import reduce
from sitegen.gradient.table import pullback
from sitegen.gradient.tensor import Tensor, op


@pullback("Softmax")
def softmax(node: Node, g: Tensor) -> Tensor:
    """y·(g − Σ g·y), the sum along the axis"""
    return node.y * (g - reduce("ReduceSum", g * node.y, [node.get("axis", -1)]))


@pullback("LogSoftmax")
def log_softmax(node: Node, g: Tensor) -> Tensor:
    """g − exp(y)·Σ g, the sum along the axis"""
    return g - op("Exp", node.y) * reduce("ReduceSum", g, [node.get("axis", -1)])
