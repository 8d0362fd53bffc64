"""Resizing: a linear map along each axis, known when the graph is written; the gradient is its transpose."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from onnx import TensorProto

from sitegen.gradient.node import Node
from sitegen.gradient.rules.maps import multiply
from sitegen.gradient.table import pullback
from sitegen.gradient.tensor import Tensor, made_by, op
from sitegen.gradient.writer import Array

_TIE = 1e-6  # how near to the middle of two pixels engines round as if exactly there


@pullback("Resize")
def resize(node: Node, g: Tensor) -> Tensor:
    """Rᵀ·g along each axis, with R the weights of nearest, linear or cubic interpolation"""
    _check(node)
    if node.x.dims == node.y.dims:
        return g  # engines copy then, whatever the scales
    matrices = {axis: _weights(node, axis, scale) for axis, scale in _scales(node).items()}
    if copies := _copies(node, matrices):
        return _sum_copies(g, copies)
    for axis in sorted(matrices, reverse=True):
        g = multiply(node, matrices[axis].T, g, axis, node.x.dims[axis + 1 :])
    return g


def _sum_copies(g: Tensor, copies: Sequence[int]) -> Tensor:
    """Add up blocks of pixels. ONNX Runtime moves a Pad into a pooling next to it, which may then refuse its pads."""
    count = math.prod(copies)
    if made_by(g, "Pad"):
        return op("AveragePool", g * count, kernel_shape=copies, strides=copies)
    return op("AveragePool", g, kernel_shape=copies, strides=copies) * count


def _check(node: Node) -> None:
    if node.get("coordinate_transformation_mode") == "tf_crop_and_resize":
        raise node.unsupported(
            "a region that is cut out is not supported; slice it out before, and resize with half_pixel",
            "coordinate_transformation_mode",
        )
    if node.get("keep_aspect_ratio_policy", "stretch") != "stretch":
        raise node.unsupported("engines differ in it; write the sizes that it leads to", "keep_aspect_ratio_policy")


def _scales(node: Node) -> dict[int, float]:
    """Return the axes that change, with their scales: as given, or from the sizes."""
    rank = node.x.rank
    axes = [axis % rank for axis in node.get("axes") or range(rank)]
    scales = node.constant(2, "scales") if node.has_input(2) else None
    if scales is not None and scales.size:
        return {axis: float(scale) for axis, scale in zip(axes, scales, strict=True) if scale != 1}
    changed = [axis for axis in axes if node.x.dims[axis] != node.y.dims[axis] and not _is_open_batch(node, axis)]
    pairs = zip(changed, node.sizes(node.y, changed), node.sizes(node.x, changed), strict=True)
    return {axis: made / size for axis, made, size in pairs}


def _is_open_batch(node: Node, axis: int) -> bool:
    """Whether an axis is a batch left open on both sides: under which names does not tell that it changes."""
    return axis == 0 and isinstance(node.x.dims[0], str) and isinstance(node.y.dims[0], str)


def _weights(node: Node, axis: int, scale: float) -> Array:
    """Return R, with which y = R·x along an axis."""
    size, count = node.sizes(node.x, [axis])[0], node.sizes(node.y, [axis])[0]
    places = _coordinates(node.get("coordinate_transformation_mode", "half_pixel"), size, count, scale)
    mode = node.get("mode", "nearest")
    if mode == "nearest":
        return _gathered(
            _nearest(node.get("nearest_mode", "round_prefer_floor"), places)[:, None], np.ones((count, 1)), size
        )
    wide = max(1 / scale, 1.0) if node.get("antialias", 0) else 1.0
    kernel, support = (_triangle, 1) if mode == "linear" else (_keys(node.get("cubic_coeff_a", -0.75)), 2)
    first = np.floor(places - support * wide).astype(np.int64)
    taps = first[:, None] + np.arange(math.ceil(2 * support * wide) + 2)
    weights = kernel((taps - places[:, None]) / wide)
    if node.get("exclude_outside", 0):
        weights = weights * ((taps >= 0) & (taps < size))
    return _gathered(taps, weights / weights.sum(axis=1, keepdims=True), size)


def _coordinates(mode: str, size: int, count: int, scale: float) -> Array:
    """Return where each output lies in the input, in single precision, in which engines round it."""
    one, half = np.float32(1), np.float32(0.5)
    out, ratio = np.arange(count, dtype=np.float32), np.float32(scale)
    if mode == "align_corners":
        return out * np.float32(size - 1) / np.float32(max(count - 1, 1))
    if mode == "asymmetric":
        return out / ratio
    if mode == "pytorch_half_pixel" and count == 1:
        return np.zeros_like(out)
    if mode == "half_pixel_symmetric":
        offset = np.float32(size / 2) * (one - np.float32(count) / (ratio * np.float32(size)))
        return (offset + (out.astype(float) + 0.5) / ratio - 0.5).astype(np.float32)
    return (out + half) / ratio - half


def _nearest(mode: str, places: Array) -> Array:
    if mode == "round_prefer_floor":
        whole = np.ceil(places.astype(float) - 0.5 - _TIE)
    elif mode == "round_prefer_ceil":
        whole = np.floor(places.astype(float) + 0.5 + _TIE)
    else:
        whole = np.floor(places) if mode == "floor" else np.ceil(places)
    return whole.astype(np.int64)


def _triangle(distance: Array) -> Array:
    return np.asarray(np.maximum(1 - np.abs(distance), 0))


def _keys(a: float) -> Callable[[Array], Array]:
    """Return the cubic kernel of Keys (1981) with the coefficient `a`."""

    def kernel(distance: Array) -> Array:
        d = np.abs(distance)
        near = ((a + 2) * d - (a + 3)) * d * d + 1
        far = ((a * d - 5 * a) * d + 8 * a) * d - 4 * a
        return np.where(d <= 1, near, np.where(d < 2, far, 0))

    return kernel


def _gathered(taps: Array, weights: Array, size: int) -> Array:
    """Return the matrix whose rows hold `weights` at the positions `taps`, those outside moved to the border."""
    matrix = np.zeros((len(taps), size))
    rows = np.broadcast_to(np.arange(len(taps))[:, None], taps.shape)
    np.add.at(matrix, (rows, np.clip(taps, 0, size - 1)), weights)
    return matrix


def _copies(node: Node, matrices: dict[int, Array]) -> list[int] | None:
    """Return how often each pixel is repeated along the spatial axes, where that is all that R does."""
    if node.x.dtype != TensorProto.FLOAT or not matrices or min(matrices) < 2 or node.x.rank > 5:
        return None
    factors = [1] * (node.x.rank - 2)
    for axis, matrix in matrices.items():
        count, size = matrix.shape
        if count % size or not np.array_equal(matrix, np.repeat(np.eye(size), count // size, axis=0)):
            return None
        factors[axis - 2] = count // size
    return factors
