"""Reductions: sums, means, norms and extrema over axes, and running sums.

Formulas: g and y as if their reduced dimensions had been kept with size 1, so that they broadcast against x.
"""

import math

import numpy as np
from onnx import TensorProto

from sitegen.gradient.node import Node
from sitegen.gradient.shapes import reduce, spread
from sitegen.gradient.table import pullback
from sitegen.gradient.tensor import Tensor, ints, op


def _axes(node: Node) -> list[int]:
    """The reduced axes, from 0, in rising order: an attribute or an input, by version; all where left out."""
    rank = node.x.rank
    axes = node.get("axes")
    if axes is None and node.has_input(1):
        given = node.constant(1, "the list of axes")
        axes = None if given is None else given.tolist()
    if not axes:
        return [] if node.get("noop_with_empty_axes", 0) else list(range(rank))
    return sorted(axis % rank for axis in axes)


def _kept(node: Node, t: Tensor, axes: list[int]) -> Tensor:
    """Return a tensor of the output's shape with its reduced dimensions, of size 1."""
    if node.get("keepdims", 1) or not axes:
        return t
    return op("Unsqueeze", t, ints(*axes))


@pullback("ReduceSum")
def reduce_sum(node: Node, g: Tensor) -> Tensor:
    """g, repeated"""
    axes = _axes(node)
    return _spread(node, _kept(node, g, axes), axes)


@pullback("ReduceMean")
def reduce_mean(node: Node, g: Tensor) -> Tensor:
    """g / n, repeated; n elements are averaged"""
    axes = _axes(node)
    return _spread(node, _kept(node, _divided(node, g, axes), axes), axes)


def _spread(node: Node, t: Tensor, axes: list[int]) -> Tensor:
    return spread(t, node.x, axes) if axes else t


def _divided(node: Node, g: Tensor, axes: list[int]) -> Tensor:
    sizes = [node.x.dims[axis] for axis in axes]
    known = [size for size in sizes if isinstance(size, int)]
    if len(known) == len(sizes):
        return g * (1 / math.prod(known))
    count = op("ReduceProd", op("Gather", op("Shape", node.x), ints(*axes)), keepdims=0)
    return g / op("Cast", count, to=g.dtype)


@pullback("ReduceSumSquare")
def reduce_sum_square(node: Node, g: Tensor) -> Tensor:
    """2·g·x"""
    return _kept(node, g * 2, _axes(node)) * node.x


@pullback("ReduceL1")
def reduce_l1(node: Node, g: Tensor) -> Tensor:
    """g·sign(x)"""
    return _kept(node, g, _axes(node)) * op("Sign", node.x)


@pullback("ReduceL2")
def reduce_l2(node: Node, g: Tensor) -> Tensor:
    """g·x / y, 0 where y = 0"""
    ratio = op("Where", op("Equal", node.y, 0), 0, g / node.y)
    return _kept(node, ratio, _axes(node)) * node.x


@pullback("ReduceLogSum")
def reduce_log_sum(node: Node, g: Tensor) -> Tensor:
    """g / Σ x, repeated"""
    axes = _axes(node)
    total = reduce("ReduceSum", node.x, axes) if axes else node.x
    return _spread(node, _kept(node, g, axes) / total, axes)


@pullback("ReduceLogSumExp")
def reduce_log_sum_exp(node: Node, g: Tensor) -> Tensor:
    """g·exp(x − y)"""
    axes = _axes(node)
    return _kept(node, g, axes) * op("Exp", node.x - _kept(node, node.y, axes))


@pullback("ReduceProd")
def reduce_prod(node: Node, g: Tensor) -> Tensor:
    """g times the product of the other elements

    That is y / x but for zeros: one takes the product of all others, and with two everything is 0.
    """
    axes, x = _axes(node), node.x
    if not axes:
        return g
    is_zero = op("Equal", x, 0)
    zeros = op("Cast", is_zero, to=x.dtype)
    factors = op("Where", is_zero, 1, x)
    another = op("Greater", reduce("ReduceSum", zeros, axes) - zeros, 0.5)
    others = op("Where", another, 0, reduce("ReduceProd", factors, axes) / factors)
    return _kept(node, g, axes) * others


@pullback("ReduceMax", "ReduceMin")
def reduce_extremum(node: Node, g: Tensor) -> Tensor:
    """g at the extremum, 0 elsewhere; at the first in row-major order where several tie

    Axis by axis: the first row that holds the extremum, then the first place in that row.
    """
    axes = _axes(node)
    partial = [node.x]
    for axis in reversed(axes):
        partial.append(reduce(node.operator, partial[-1], [axis]))
    g = _kept(node, g, axes)
    for axis, extremum, among in zip(axes, partial[:0:-1], partial[-2::-1], strict=True):
        g = op("Where", _first(op("Equal", among, extremum), axis), g, 0)
    return g


def _first(holds: Tensor, axis: int) -> Tensor:
    """Return where a condition holds for the first time along an axis."""
    before = op("CumSum", op("Cast", holds, to=TensorProto.FLOAT), np.array(axis, np.int64), exclusive=1)
    return op("And", holds, op("Less", before, 0.5))


@pullback("CumSum")
def cumulative_sum(node: Node, g: Tensor) -> list[Tensor | None]:
    """the running sum of g from the other end"""
    exclusive, reverse = node.get("exclusive", 0), node.get("reverse", 0)
    return [op("CumSum", g, node.input(1), exclusive=exclusive, reverse=1 - reverse), None]
