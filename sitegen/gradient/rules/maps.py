"""Linear maps along one axis of a tensor, known when the graph is written, and their transposes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sitegen.gradient.node import Node
from sitegen.gradient.tensor import Dimension, Tensor, ints, op
from sitegen.gradient.writer import Array

_LEAST = -(2**31)
_MOST_RUNS, _LONG_RUN = 8, 8
_MOST_ROUNDS = 8
_LARGEST_MATRIX = 1 << 20


def reshape_from(node: Node, t: Tensor, axis: int, sizes: Sequence[Dimension]) -> Tensor:
    """Return `t` with `sizes` in place of its dimensions from `axis` on.

    One of them may be open. Raises GradientError where more are.
    """
    if sum(isinstance(size, str) for size in sizes) > 1:
        node.sizes(node.x, range(node.x.rank))
    return op("Reshape", t, ints(*[0] * axis, *(size if isinstance(size, int) else -1 for size in sizes)))


def multiply(node: Node, matrix: Array, t: Tensor, axis: int, after: Sequence[Dimension]) -> Tensor:
    """Multiply `t` along an axis by `matrix` (new size, old size). `after` are the sizes of the axes that follow."""
    if not after:
        return op("MatMul", t, matrix.T)
    if len(after) == 1:
        return op("MatMul", matrix, t)
    rows = reshape_from(node, t, axis, [matrix.shape[1], -1])
    return reshape_from(node, op("MatMul", matrix, rows), axis, [matrix.shape[0], *after])


def put_back(node: Node, t: Tensor, axis: int, taken: Sequence[int], size: int, after: Sequence[Dimension]) -> Tensor:
    """Add the slices of `t` along an axis into zeros of length `size`: slice k at position `taken[k]`.

    The transpose of taking slices, without scattering, which graphics cards lack: as a sum of padded runs where there
    are few and long ones; as a product with a matrix where many slices come from one position; else gathered.
    """
    rank, runs = axis + 1 + len(after), _runs(taken)
    if not runs:
        return pad_axis(t, rank, axis, 0, size)
    if len(runs) == 1 and taken[0] <= taken[-1]:
        return pad_axis(t, rank, axis, taken[0], size - taken[-1] - 1)
    if len(runs) <= min(_MOST_RUNS, max(1, len(taken) // _LONG_RUN)):
        parts = [_place_run(t, rank, axis, first, run, size) for first, run in runs]
    else:
        slices: list[list[int]] = [[] for _ in range(size)]
        for number, position in enumerate(taken):
            slices[position].append(number)
        most = max(map(len, slices))
        if most > _MOST_ROUNDS and len(taken) * size <= _LARGEST_MATRIX:
            matrix = np.zeros((size, len(taken)))
            matrix[list(taken), range(len(taken))] = 1
            return multiply(node, matrix, t, axis, after)
        # round m gathers, for each position, the m-th slice that was taken there, or zero
        padded, zero = pad_axis(t, rank, axis, 0, 1), len(taken)
        rounds = zip(*(numbers + [zero] * (most - len(numbers)) for numbers in slices), strict=True)
        parts = [op("Gather", padded, ints(*chosen), axis=axis) for chosen in rounds]
    return sum(parts[1:], start=parts[0])


def _runs(taken: Sequence[int]) -> list[tuple[int, list[int]]]:
    """Split positions into runs that rise or fall by one, each with the number of its first."""
    runs: list[tuple[int, list[int]]] = []
    for number, position in enumerate(taken):
        run = runs[-1][1] if runs else []
        step = position - run[-1] if run else 0
        if abs(step) == 1 and (len(run) == 1 or step == run[1] - run[0]):
            run.append(position)
        else:
            runs.append((number, [position]))
    return runs


def _place_run(t: Tensor, rank: int, axis: int, first: int, run: list[int], size: int) -> Tensor:
    """Take the slices of one run, from number `first` on, and put them among zeros where they belong."""
    if run[0] <= run[-1]:
        start, end, step = first, first + len(run), 1
    else:
        start, end, step = first + len(run) - 1, first - 1 if first else _LEAST, -1
    part = op("Slice", t, ints(start), ints(end), ints(axis), ints(step))
    return pad_axis(part, rank, axis, min(run), size - max(run) - 1)


def pad_axis(t: Tensor, rank: int, axis: int, before: int, after: int) -> Tensor:
    """Return `t`, of a given rank, with zeros before and after along one axis."""
    if not before and not after:
        return t
    pads = np.zeros((2, rank), np.int64)
    pads[:, axis] = before, after
    return op("Pad", t, pads.reshape(-1), 0)
