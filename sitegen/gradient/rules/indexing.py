"""Taking elements by their indices, and putting some in.

Indices that the model fixes are turned round when the graph is written. Those that it computes leave nothing but
scattering, which browsers do not run on graphics cards.
"""

from __future__ import annotations

import math

import numpy as np

from sitegen.gradient.node import Node
from sitegen.gradient.rules.maps import put_back, reshape_from
from sitegen.gradient.shapes import reshape_like, zeros_like
from sitegen.gradient.table import pullback
from sitegen.gradient.tensor import Tensor, ints, op


@pullback("Gather")
def gather(node: Node, g: Tensor) -> Tensor:
    """Σ g over the indices that name the same slice"""
    indices, x = node.known(1), node.x
    axis = node.get("axis", 0) % x.rank
    if indices is None:
        return _scattered(node, g, axis)
    size, after = node.sizes(x, [axis])[0], x.dims[axis + 1 :]
    if indices.ndim != 1:
        g = reshape_from(node, g, axis, [indices.size, *after])
    return put_back(node, g, axis, (indices.reshape(-1) % size).tolist(), size, after)


def _scattered(node: Node, g: Tensor, axis: int) -> Tensor:
    """Σ g over the indices that name the same slice, where they are known at run time only."""
    x, indices = node.x, node.input(1)
    if indices.rank != 1:
        g = reshape_from(node, g, axis, ["count", *x.dims[axis + 1 :]])
    column = op("Reshape", indices, ints(-1, *[1] * (x.rank - axis - 1)))
    positions = op("Expand", column, op("Shape", g))
    return op("ScatterElements", zeros_like(x), positions, g, axis=axis, reduction="add")


@pullback("GatherND")
def gather_nd(node: Node, g: Tensor) -> Tensor:
    """Σ g over the indices that name the same part; at fixed indices"""
    if node.get("batch_dims", 0):
        raise node.unsupported("only indices of the first dimensions are supported; write it with Gather", "batch_dims")
    indices = node.constant(1, "indices")
    if indices is None:
        raise node.unsupported("indices are missing")
    first, after = indices.shape[-1], node.x.dims[indices.shape[-1] :]
    sizes = node.sizes(node.x, range(first))
    positions = np.ravel_multi_index(tuple(np.moveaxis(indices % sizes, -1, 0)), sizes)
    rows = reshape_from(node, g, 0, [positions.size, *after])
    return reshape_like(put_back(node, rows, 0, positions.reshape(-1).tolist(), math.prod(sizes), after), node.x)


@pullback("GatherElements")
def gather_elements(node: Node, g: Tensor) -> Tensor:
    """Σ g over the indices that name the same element"""
    zeros = zeros_like(node.x)
    return op("ScatterElements", zeros, node.input(1), g, axis=node.get("axis", 0), reduction="add")


@pullback("TopK")
def top(node: Node, g: Tensor) -> Tensor:
    """g where the elements were, else 0"""
    return op("ScatterElements", zeros_like(node.x), node.outputs[1], g, axis=node.get("axis", -1))


@pullback("ScatterElements", "ScatterND")
def scatter(node: Node, g: Tensor) -> list[Tensor | None]:
    """x: g, 0 where elements were replaced; updates: g where they are; with reduction="add" x: g"""
    reduction = node.get("reduction", "none")
    if reduction not in ("none", "add"):
        raise node.unsupported("only replacing and adding are supported; write it with other operators", "reduction")
    indices, updates = node.input(1), node.input(2)
    along = {"axis": node.get("axis", 0)} if node.operator == "ScatterElements" else {}
    gather = "GatherElements" if along else "GatherND"
    rest = op(node.operator, g, indices, zeros_like(updates), **along) if reduction == "none" else g
    return [rest, None, op(gather, g, indices, **along)]
