"""Taking parts of tensors and joining them: a part's gradient is put back among zeros, a joined part's is cut out."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

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
    sizes = [part.dims[axis] for part in parts]
    known = [size for size in sizes if isinstance(size, int)]
    if len(known) < len(sizes):
        return _slices_at_run_time(g, parts, axis)
    ends = list(itertools.accumulate(known))
    return [op("Slice", g, ints(start), ints(end), ints(axis)) for start, end in itertools.pairwise([0, *ends])]


def _slices_at_run_time(g: Tensor, parts: Sequence[Tensor], axis: int) -> list[Tensor | None]:
    """Slices of g, whose ends are computed from the sizes that the parts turn out to have."""
    slices: list[Tensor | None] = []
    end: Tensor | None = None
    for part in parts:
        size = op("Slice", op("Shape", part), ints(axis), ints(axis + 1), ints(0))
        start, end = end, size if end is None else end + size
        slices.append(op("Slice", g, ints(0) if start is None else start, end, ints(axis)))
    return slices


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
    cuts = _cuts(node)
    if not all(cuts.values()):
        return zeros_like(node.x)
    if backwards := [axis for axis, taken in cuts.items() if taken.step < 0]:
        ones = np.ones(len(backwards), np.int64)
        g = op("Slice", g, -ones, (-_FARTHEST - 1) * ones, ints(*backwards), -ones)
    pads = np.zeros((2, node.x.rank), np.int64)
    for axis, taken in cuts.items():
        rising = taken if taken.step > 0 else taken[::-1]
        if len(rising) > 1 and rising.step > 1:
            g = _space_out(node, g, axis, len(rising), rising.step)
        pads[:, axis] = rising[0], node.sizes(node.x, [axis])[0] - rising[-1] - 1
    return op("Pad", g, pads.reshape(-1), 0) if pads.any() else g


def _cuts(node: Node) -> dict[int, range]:
    """Return which positions are taken along the axes where not all are."""
    starts, ends, axes, steps = (
        node.constant(index, what) for index, what in enumerate(("starts", "ends", "axes", "steps"), 1)
    )
    if starts is None or ends is None:
        raise node.unsupported("starts or ends are missing")
    along = np.arange(len(starts)) if axes is None else axes
    strides = np.ones_like(starts) if steps is None else steps
    cuts = {}
    for axis, start, end, step in zip(*(part.tolist() for part in (along, starts, ends, strides)), strict=True):
        if (start, step) == (0, 1) and end >= _FARTHEST:
            continue  # all, of however many
        axis %= node.x.rank
        size = node.sizes(node.x, [axis])[0]
        if step < 0 and end >= _FARTHEST:
            raise node.unsupported(
                "engines and ONNX read an end beyond all sizes differently where the step is negative"
            )
        # ONNX, other than Python, goes back from the first where the start lies before it
        cuts[axis] = range(*slice(max(start, -size), end, step).indices(size))
    return cuts


def _space_out(node: Node, t: Tensor, axis: int, count: int, step: int) -> Tensor:
    """Put step − 1 zeros between the `count` elements along an axis."""
    after = node.y.dims[axis + 1 :]
    spaced = pad_axis(op("Unsqueeze", t, ints(axis + 1)), node.y.rank + 1, axis + 1, 0, step - 1)
    joined = reshape_from(node, spaced, axis, [count * step, *after])
    return op("Slice", joined, ints(0), ints((count - 1) * step + 1), ints(axis))


@pullback("Pad")
def pad(node: Node, g: Tensor) -> Tensor:
    """the inside of g, where pads are negative among zeros; reflect, edge, wrap: plus what arrives at the copies"""
    pads, mode = _pads(node), node.get("mode", "constant")
    if mode == "constant":
        return _inside(node, g, pads)
    for axis in sorted(pads, reverse=True):  # so that all axes that follow have their own size again
        size = node.sizes(node.x, [axis])[0]
        g = put_back(node, g, axis, _copied(size, *pads[axis], mode), size, node.x.dims[axis + 1 :])
    return g


def _inside(node: Node, g: Tensor, pads: dict[int, tuple[int, int]]) -> Tensor:
    """Cut off what was added, and put zeros where x was cut."""
    added = {axis: pair for axis, pair in pads.items() if max(pair) > 0}
    if added:
        starts = [max(before, 0) for before, _ in added.values()]
        ends = [-after if after > 0 else _FARTHEST for _, after in added.values()]
        g = op("Slice", g, ints(*starts), ints(*ends), ints(*added))
    lost = np.zeros((2, node.x.rank), np.int64)
    for axis, pair in pads.items():
        size = node.x.dims[axis]
        most = size if isinstance(size, int) else _FARTHEST
        lost[:, axis] = [min(max(-count, 0), most) for count in pair]
    return op("Pad", g, lost.reshape(-1), 0) if lost.any() else g


def _pads(node: Node) -> dict[int, tuple[int, int]]:
    """Return how much is added before and after, for every axis where that is not nothing."""
    pads, axes = node.constant(1, "pads"), node.constant(3, "axes")
    if pads is None:
        raise node.unsupported("pads are missing")
    along = range(node.x.rank) if axes is None else axes.tolist()
    pairs = zip(*pads.reshape(2, -1).tolist(), strict=True)
    return {axis % node.x.rank: pair for axis, pair in zip(along, pairs, strict=True) if any(pair)}


def _copied(size: int, before: int, after: int, mode: str) -> list[int]:
    """Return which position along an axis each position of the padded axis is a copy of."""
    positions = np.arange(size)[max(-before, 0) : size - max(-after, 0)]
    return np.pad(positions, (max(before, 0), max(after, 0)), mode=mode).tolist()  # type: ignore[call-overload,no-any-return]


@pullback("Trilu")
def triangle(node: Node, g: Tensor) -> Tensor:
    """the same triangle of g"""
    diagonal = node.input(1) if node.has_input(1) else None
    return op("Trilu", g, *([diagonal] if diagonal else []), upper=node.get("upper", 1))
