"""Moving gradients between shapes: what broadcasting, reductions and reshapes owe to the way back.

Sizes that the model leaves open, the batch above all, are asked for when the graph runs; where they are known, plain
constants are written, which every engine can plan with.
"""

from collections.abc import Iterable

import numpy as np
from onnx import helper

from sitegen.gradient.tensor import Tensor, ints, op


def reshape_like(t: Tensor, like: Tensor) -> Tensor:
    """Return `t` in the shape of `like`, which has as many elements."""
    if t.shape is not None and t.shape == like.shape:
        return t
    if sum(not isinstance(size, int) for size in like.dims) <= 1:
        target = (size if isinstance(size, int) else -1 for size in like.dims)
        return op("Reshape", t, ints(*target)).shaped(like.shape)
    return op("Reshape", t, op("Shape", like)).shaped(like.shape)


def spread(t: Tensor, like: Tensor, axes: Iterable[int]) -> Tensor:
    """Return `t`, which has size 1 along `axes` and else the shape of `like`, repeated to that shape."""
    along = set(axes)
    target = [size if axis in along else 1 for axis, size in enumerate(like.dims)]
    known = [size for size in target if isinstance(size, int)]
    if len(known) == len(target):
        return op("Expand", t, ints(*known)).shaped(like.shape)
    return op("Expand", t, op("Shape", like)).shaped(like.shape)


def zeros_like(t: Tensor) -> Tensor:
    """Return zeros of a tensor's type and shape."""
    zero = Tensor(t.writer, t.writer.constant(np.zeros((), helper.tensor_dtype_to_np_dtype(t.dtype))), t.dtype)
    known = [size for size in t.dims if isinstance(size, int)]
    sizes = ints(*known) if len(known) == t.rank else op("Shape", t)
    return op("Expand", zero, sizes).shaped(t.shape)


def sum_to(g: Tensor, like: Tensor, summed: Tensor) -> Tensor:
    """Return `g`, of the shape of `summed`, added up to the shape of `like`, along what broadcasting repeated of it."""
    extra = summed.rank - like.rank
    pairs = list(zip(summed.dims[extra:], like.dims, strict=True))
    if any(big != small and small != 1 for big, small in pairs):
        return _sum_at_run_time(g, like, extra, summed)
    axes = [*range(extra), *(extra + axis for axis, (big, small) in enumerate(pairs) if small == 1 and big != 1)]
    if axes:
        g = reduce("ReduceSum", g, axes)
    return reshape_like(g, like) if extra else g.shaped(like.shape)


def _sum_at_run_time(g: Tensor, like: Tensor, extra: int, summed: Tensor) -> Tensor:
    """Sizes that go by different names may be equal, or one of them 1: compare them when the graph runs."""
    sizes = op("Shape", like)
    if extra:
        ones = Tensor(g.writer, g.writer.constant(ints(*[1] * extra)), sizes.dtype)
        sizes = op("Concat", ones, sizes, axis=0)
    repeated = op("Not", op("Equal", sizes, op("Shape", summed)))
    axes = op("Reshape", op("NonZero", repeated), ints(-1))
    total = op("ReduceSum", g, axes, keepdims=1, noop_with_empty_axes=1)
    return op("Reshape", total, op("Shape", like)).shaped(like.shape)


def reduce(operator: str, t: Tensor, axes: Iterable[int], *, keepdims: bool = True) -> Tensor:
    """Reduce along axes, which some operators take as an attribute before opset 18."""
    along = list(axes)
    if operator == "ReduceSum" or t.writer.opset >= 18:
        return op(operator, t, ints(*along), keepdims=int(keepdims))
    return op(operator, t, axes=along, keepdims=int(keepdims))
