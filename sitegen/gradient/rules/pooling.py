"""Pooling: windows of an image reduced to their maximum or mean."""

import math
from collections.abc import Sequence

import numpy as np
from onnx import TensorProto

from sitegen.gradient.node import Node
from sitegen.gradient.rules.windows import Window, pad_spatial
from sitegen.gradient.shapes import reshape_like, spread
from sitegen.gradient.table import pullback
from sitegen.gradient.tensor import Tensor, ints, op
from sitegen.gradient.writer import Array


@pullback("MaxPool")
def max_pool(node: Node, g: Tensor) -> Tensor:
    """g to the first maximum of each window, row by row, as in torch

    What is left of g passes over the positions of the window; the first that holds the maximum takes it. So ties are
    settled, overlapping windows add up, and no indices are needed, which not every engine gives.
    """
    window = _windows(node)
    rank = len(window.kernel)
    padded = pad_spatial(node.x, window.pads[:rank], window.pads[rank:], _least(node.x.dtype))
    *offsets, last = window.offsets
    shares = {}
    for offset in offsets:
        taken = op("Equal", window.view(padded, offset), node.y)
        shares[offset] = op("Where", taken, g, 0)
        g = op("Where", taken, 0, g)
    shares[last] = g
    return window.place(shares, node.sizes(node.x, [1])[0])


def _windows(node: Node) -> Window:
    """Return the windows of pooling. Raises GradientError where engines use others than ONNX infers."""
    window = Window.of(node, node.get("kernel_shape"), node.x, node.y)
    same, up = node.get("auto_pad", "NOTSET").startswith("SAME"), node.get("ceil_mode", 0)
    geometry = zip(window.count, window.strides, window.dilations, window.span, window.read, window.begin, strict=True)
    for (n, s, d, span, size, begin), margin in zip(geometry, _margin(node, window), strict=True):
        if same:
            agreed = n == -(-size // s) and d == 1 and (n - 1) * s + span >= size
        else:
            steps = size + begin + margin - span
            most = (-(-steps // s) if up else steps // s) + 1
            # no window begins beyond the end of the image
            agreed = n == most - (up and (most - 1) * s >= size + begin)
        if not agreed:
            raise node.unsupported(
                "engines use other windows than ONNX infers; write the padding out with Pad, or use opset 22 or later",
                "auto_pad" if same else "ceil_mode",
            )
    return window


def _margin(node: Node, window: Window) -> list[int]:
    """Return the padding at the ends, beyond which windows may reach by ceil_mode."""
    rank = len(window.kernel)
    mode = node.get("auto_pad", "NOTSET")
    if mode.startswith("SAME"):
        return window.pads[rank:]
    return list(node.get("pads", [0] * 2 * rank)[rank:]) if mode == "NOTSET" else [0] * rank


def _least(dtype: int) -> float:
    """Less than any activation, and finite: graphics cards need not know infinities."""
    return -65504.0 if dtype == TensorProto.FLOAT16 else -3e38


@pullback("AveragePool")
def average_pool(node: Node, g: Tensor) -> Tensor:
    """g / n to each of the n positions of a window, padding counted or not"""
    window = _windows(node)
    share = _divide(g, _counts(node, window))
    if _tiles(window) and len(window.kernel) == 2 and g.dtype == TensorProto.FLOAT:
        return pad_spatial(_repeat(share, window.kernel), [0, 0], window.rest)
    if set(window.strides) == {1} == set(window.dilations):
        pads = [d - pad for d, pad in zip([k - 1 for k in window.kernel] * 2, window.pads, strict=True)]
        total = op("AveragePool", share, kernel_shape=list(window.kernel), pads=pads, count_include_pad=1)
        return total * math.prod(window.kernel)
    return window.place(dict.fromkeys(window.offsets, share), node.sizes(node.x, [1])[0])


def _counts(node: Node, window: Window) -> Array:
    """How many positions each window divides by, in the shape [1, 1, *count]."""
    rank = len(window.kernel)
    margin = _margin(node, window)
    counts = np.ones([1] * (2 + rank))
    for axis in range(rank):
        low, high = 0, window.read[axis]
        if node.get("count_include_pad", 0):
            low, high = -window.begin[axis], high + margin[axis]
        starts = np.arange(window.count[axis]) * window.strides[axis] - window.begin[axis]
        read = starts[:, None] + np.arange(window.kernel[axis]) * window.dilations[axis]
        along = ((read >= low) & (read < high)).sum(axis=1)
        counts = counts * along.reshape([-1 if i == axis + 2 else 1 for i in range(2 + rank)])
    return counts


def _divide(g: Tensor, counts: Array) -> Tensor:
    if counts.min() == counts.max():
        return g * (1 / float(counts.max()))
    return g * (1 / counts)


def _tiles(window: Window) -> bool:
    """Whether the windows lie side by side, in an image without padding."""
    return set(window.dilations) == {1} and window.kernel == window.strides and not any(window.pads)


def _repeat(t: Tensor, factors: Sequence[int]) -> Tensor:
    """Return an image [N, C, H, W] with each pixel repeated: Resize is quicker than interleaving."""
    if set(factors) == {1}:
        return t
    scales = Tensor(t.writer, t.writer.constant(np.array([1, 1, *factors], np.float32)), TensorProto.FLOAT)
    asymmetric = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    return op("Resize", t, None, scales, mode="nearest", **asymmetric)


@pullback("GlobalAveragePool")
def global_average_pool(node: Node, g: Tensor) -> Tensor:
    """g / n to each of the n positions of an image"""
    count = math.prod(node.sizes(node.x))
    return spread(g * (1 / count), node.x, range(2, node.x.rank))


@pullback("GlobalMaxPool")
def global_max_pool(node: Node, g: Tensor) -> Tensor:
    """g to the first maximum of each image, row by row, as in torch"""
    count = math.prod(node.sizes(node.x))
    first = op("ArgMax", op("Reshape", node.x, ints(0, 0, count)), axis=2, keepdims=1)
    places = np.arange(count, dtype=np.int32)
    chosen = op("Equal", op("Cast", first, to=TensorProto.INT32), places)
    return reshape_like(op("Where", chosen, op("Reshape", g, ints(0, 0, 1)), 0), node.x)
