"""Taking parts of tensors and joining them: a part's gradient is put back among zeros, a joined part's is cut out."""

from __future__ import annotations

import itertools

import numpy as np

from sitegen.gradient.node import Node
from sitegen.gradient.rules.maps import pad_axis, put_back, reshape_from
from sitegen.gradient.shapes import zeros_like
from sitegen.gradient.table import pullback
from sitegen.gradient.tensor import Tensor, ints, op

_FARTHEST = 2**31 - 1


@pullback("Concat")
def concatenate(node: Node, g: Tensor) -> list[Tensor | None]:
    """each input: its slice of g

    Not one Split: with many outputs that exceeds the number of buffers that graphics cards bind.
    """
    axis = node.get("axis") % node.y.rank
    parts = [tensor for tensor in node.inputs if tensor is not None]
    if len(parts) == 1:
        return [g]
    ends = list(itertools.accumulate(node.sizes(part, [axis])[0] for part in parts))
    return [op("Slice", g, ints(start), ints(end), ints(axis)) for start, end in itertools.pairwise([0, *ends])]


@pullback("Split", all_outputs=True)
def split(node: Node, g: Tensor) -> Tensor:
    """the gradients of the outputs, joined"""
    axis = node.get("axis", 0) % node.x.rank
    parts = [
        zeros_like(part) if gradient is None and part is not None else gradient
        for part, gradient in zip(node.outputs, node.gradients, strict=True)
    ]
    return op("Concat", *parts, axis=axis) if len(parts) > 1 else g


@pullback("Slice")
def slice_(node: Node, g: Tensor) -> Tensor:
    """g among zeros, where it was taken from; reversed where the step is negative"""
    x = node.x
    cuts: dict[int, range] = {}
    for axis, start, end, step in _cuts(node):
        axis %= x.rank
        if step == 1 and start == 0 and end >= _FARTHEST:
            continue  # all of it, of whatever size
        size = node.sizes(x, [axis])[0]
        cuts[axis] = range(*slice(start, end, step).indices(size))
    backwards = [axis for axis, taken in cuts.items() if taken.step < 0 and len(taken) > 1]
    if backwards:
        each = [1] * len(backwards)
        first, last = ints(*(-n for n in each)), ints(*(-(_FARTHEST + 1) * n for n in each))
        g = op("Slice", g, first, last, ints(*backwards), first)
    pads = np.zeros((2, x.rank), np.int64)
    for axis, taken in cuts.items():
        taken = taken if taken.step > 0 else taken[::-1]
        if len(taken) > 1 and taken.step > 1:
            g = _space_out(node, g, axis, len(taken), taken.step)
        start, end = (taken[0], taken[-1] + 1) if taken else (0, 0)
        pads[:, axis] = start, node.sizes(x, [axis])[0] - end
    return op("Pad", g, pads.reshape(-1), 0) if pads.any() else g


def _cuts(node: Node) -> list[tuple[int, int, int, int]]:
    """Axis, start, end and step of every axis that is cut."""
    starts, ends, axes, steps = (
        node.constant(index, what) for index, what in enumerate(("starts", "ends", "axes", "steps"), 1)
    )
    if starts is None or ends is None:
        raise node.unsupported("starts or ends are missing")
    along = range(len(starts)) if axes is None else axes.tolist()
    strides = [1] * len(starts) if steps is None else steps.tolist()
    return list(zip(along, starts.tolist(), ends.tolist(), strides, strict=True))


def _space_out(node: Node, t: Tensor, axis: int, count: int, step: int) -> Tensor:
    """Put step − 1 zeros between the `count` elements along an axis."""
    after = node.y.dims[axis + 1 :]
    spaced = pad_axis(op("Unsqueeze", t, ints(axis + 1)), node.y.rank + 1, axis + 1, 0, step - 1)
    joined = reshape_from(node, spaced, axis, [count * step, *after])
    return op("Slice", joined, ints(0), ints((count - 1) * step + 1), ints(axis))


@pullback("Pad")
def pad(node: Node, g: Tensor) -> Tensor:
    """the inside of g, where pads are negative among zeros; reflect, edge, wrap: plus what arrives at the copies"""
    before, after = _pads(node)
    mode = node.get("mode", "constant")
    if mode != "constant":
        for axis in reversed(range(node.x.rank)):
            if before[axis] or after[axis]:
                size = node.sizes(node.x, [axis])[0]
                taken = _copied(size, before[axis], after[axis], mode)
                # the axes that follow are back at their own size already
                g = put_back(node, g, axis, taken, size, node.x.dims[axis + 1 :])
        return g
    cut = [axis for axis in range(node.x.rank) if before[axis] > 0 or after[axis] > 0]
    if cut:
        starts = [max(before[axis], 0) for axis in cut]
        ends = [-after[axis] if after[axis] > 0 else _FARTHEST for axis in cut]
        g = op("Slice", g, ints(*starts), ints(*ends), ints(*cut))
    lost = [max(-count, 0) for count in (*before, *after)]
    return op("Pad", g, ints(*lost), 0) if any(lost) else g


def _pads(node: Node) -> tuple[list[int], list[int]]:
    """How much is added before and after, for every axis."""
    pads, axes = node.constant(1, "pads"), node.constant(3, "axes")
    if pads is None:
        raise node.unsupported("pads are missing")
    along = range(node.x.rank) if axes is None else [int(axis) % node.x.rank for axis in axes]
    both = np.zeros((2, node.x.rank), np.int64)
    both[:, list(along)] = pads.reshape(2, -1)
    return both[0].tolist(), both[1].tolist()


def _copied(size: int, before: int, after: int, mode: str) -> list[int]:
    """Return which position along an axis each position of the padded axis is a copy of."""
    positions = np.arange(size)[max(-before, 0) : size - max(-after, 0)]
    return np.pad(positions, (max(before, 0), max(after, 0)), mode=mode).tolist()  # type: ignore[call-overload,no-any-return]


@pullback("Gather")
def gather(node: Node, g: Tensor) -> Tensor:
    """Σ over the indices that name a slice of x, of what arrives at their slices"""
    indices = node.constant(1, "indices")
    if indices is None:
        raise node.unsupported("indices are missing")
    x = node.x
    axis = node.get("axis", 0) % x.rank
    size, after = node.sizes(x, [axis])[0], x.dims[axis + 1 :]
    if indices.ndim != 1:
        g = reshape_from(node, g, axis, [indices.size, *after])
    return put_back(node, g, axis, (indices.reshape(-1) % size).tolist(), size, after)
