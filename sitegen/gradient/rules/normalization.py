"""Normalisations: batch, instance, layer, group, root mean square, and by a norm.

Where a layer takes mean and deviation from x itself, both move with x. With x̂ the normalised x, h = g·scale, and means
over what is normalised together, the gradient is (h − mean(h) − x̂·mean(h·x̂)) / deviation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from onnx import TensorProto, helper

from sitegen.gradient.node import Node
from sitegen.gradient.shapes import reduce, reshape_like, sum_to
from sitegen.gradient.table import pullback
from sitegen.gradient.tensor import Tensor, ints, made_by, op


@pullback("BatchNormalization")
def batch_normalization(node: Node, g: Tensor) -> list[Tensor | None]:
    """x: g·s with s = scale / √(var + ε); scale: Σ g·x̂; bias: Σ g; mean: −s·Σ g; var: −scale·Σ g·x̂ / (2·(var + ε))"""
    if node.get("training_mode", 0):
        raise node.unsupported("its statistics are the batch's; export the model in evaluation mode", "training_mode")
    x, scale, mean, variance = (node.input(index) for index in (0, 1, 3, 4))
    variance = variance + node.get("epsilon", 1e-5)
    deviation = op("Sqrt", variance)
    slope = _cast(_cast(scale, variance.dtype) / deviation, x.dtype)
    centred = x - _per_channel(_cast(mean, x.dtype), x.rank)
    total = _cast(_over_channel(g, x.rank), variance.dtype)
    product = _cast(_over_channel(g * centred, x.rank), variance.dtype) / deviation
    return [
        _times(g, _per_channel(slope, x.rank)),
        _cast(product, scale.dtype),
        _cast(total, scale.dtype),
        -(_cast(slope, variance.dtype) * total),
        _cast(scale, variance.dtype) * product / variance * -0.5,
    ]


def _times(g: Tensor, factor: Tensor) -> Tensor:
    """g·factor; where a Relu has just made g = Where(y > 0, u, 0), Where(y > 0, u·factor, 0).

    Mostly u comes from a convolution, which takes a constant factor into its kernel when a session is created.
    """
    condition, u, other = made_by(g, "Where") or (None, g, g)
    zero = g.writer.constant(np.zeros((), helper.tensor_dtype_to_np_dtype(g.dtype)))
    return op("Where", condition, u * factor, 0) if other.name == zero else g * factor


@dataclass(frozen=True)
class _Normalized:
    """What a layer normalises by itself: x̂ = (x − mean)·inverse, over `axes`; not centred, mean is 0.

    `inverse` is 1 / deviation: small, and multiplying by it costs less than dividing by the other.
    """

    value: Tensor
    inverse: Tensor
    axes: Sequence[int]
    centred: bool

    @classmethod
    def of(cls, x: Tensor, axes: Sequence[int], epsilon: float, *, centred: bool = True) -> _Normalized:
        """Compute both again from x: layers do not give them out."""
        if centred:
            x = x - reduce("ReduceMean", x, axes)
        inverse = 1 / op("Sqrt", reduce("ReduceMean", x * x, axes) + epsilon)
        return cls(x * inverse, inverse, axes, centred)

    def pull_back(self, h: Tensor) -> Tensor:
        """Return the gradient of x, from that of x̂."""
        rest = h - reduce("ReduceMean", h, self.axes) if self.centred else h
        return (rest - self.value * reduce("ReduceMean", h * self.value, self.axes)) * self.inverse


@pullback("InstanceNormalization")
def instance_normalization(node: Node, g: Tensor) -> list[Tensor | None]:
    """x: (h − mean(h) − x̂·mean(h·x̂)) / deviation with h = g·scale, by image and channel; scale: Σ g·x̂; bias: Σ g"""
    x = node.x
    normalized = _Normalized.of(x, range(2, x.rank), node.get("epsilon", 1e-5))
    return [
        normalized.pull_back(g * _per_channel(node.input(1), x.rank)),
        _over_channel(g * normalized.value, x.rank),
        _over_channel(g, x.rank),
    ]


@pullback("LayerNormalization", "RMSNormalization")
def layer_normalization(node: Node, g: Tensor) -> list[Tensor | None]:
    """as InstanceNormalization, over the dimensions from axis on; RMSNormalization: without mean(h)"""
    x, scale = node.x, node.input(1)
    kind = _stash(node)
    axes = range(node.get("axis", -1) % x.rank, x.rank)
    centred = node.operator == "LayerNormalization"
    normalized = _Normalized.of(_cast(x, kind), axes, node.get("epsilon", 1e-5), centred=centred)
    g = _cast(g, kind)
    return [
        _cast(normalized.pull_back(g * _cast(scale, kind)), x.dtype),
        _cast(sum_to(g * normalized.value, scale, node.y), scale.dtype),
        _cast(sum_to(g, node.input(2), node.y), x.dtype) if node.has_input(2) else None,
    ]


@pullback("GroupNormalization")
def group_normalization(node: Node, g: Tensor) -> list[Tensor | None]:
    """as InstanceNormalization, over groups of channels"""
    if node.opset < 21:
        raise node.unsupported("ONNX has withdrawn its old versions; export the model with opset 21 or later")
    x, scale = node.x, node.input(1)
    kind, grouped = _stash(node), ints(0, node.get("num_groups"), -1)
    normalized = _Normalized.of(op("Reshape", _cast(x, kind), grouped), [2], node.get("epsilon", 1e-5))
    g = _cast(g, kind)
    h = op("Reshape", g * _per_channel(_cast(scale, kind), x.rank), grouped)
    return [
        reshape_like(_cast(normalized.pull_back(h), x.dtype), x),
        _cast(_over_channel(g * reshape_like(normalized.value, x), x.rank), scale.dtype),
        _cast(_over_channel(g, x.rank), scale.dtype),
    ]


@pullback("LpNormalization")
def lp_normalization(node: Node, g: Tensor) -> Tensor:
    """(g − d·Σ g·y) / norm with d = y for p = 2, sign(x) for p = 1; 0 where the norm is 0"""
    axis, p = [node.get("axis", -1)], node.get("p", 2)
    norm = reduce(f"ReduceL{p}", node.x, axis)
    direction = node.y if p == 2 else op("Sign", node.x)
    inside = g - direction * reduce("ReduceSum", g * node.y, axis)
    return op("Where", op("Equal", norm, 0), 0, inside / norm)


def _stash(node: Node) -> int:
    """The type in which statistics are computed: stash_type where x has fewer bits."""
    short = node.x.dtype in (TensorProto.FLOAT16, TensorProto.BFLOAT16)
    return int(node.get("stash_type", TensorProto.FLOAT)) if short else node.x.dtype


def _cast(t: Tensor, dtype: int) -> Tensor:
    return t if t.dtype == dtype else op("Cast", t, to=dtype)


def _per_channel(t: Tensor, rank: int) -> Tensor:
    """Return a vector such that it runs along dimension 1 of a tensor of a rank."""
    return t if rank == 2 else op("Reshape", t, ints(-1, *[1] * (rank - 2)))


def _over_channel(t: Tensor, rank: int) -> Tensor:
    """Sum over everything but dimension 1."""
    return reduce("ReduceSum", t, [0, *range(2, rank)], keepdims=False)
