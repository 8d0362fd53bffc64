"""Linear maps along one axis of a tensor, known when the graph is written, and their transposes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sitegen.gradient.node import Node
from sitegen.gradient.tensor import Dimension, Tensor, ints, op
from sitegen.gradient.writer import Array

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

    The transpose of taking slices, without scattering, which graphics cards lack: round m gathers, for each position,
    the m-th slice that was taken there, or zero. Where that needs many rounds, it is a product with a matrix.
    """
    count, rank = len(taken), axis + 1 + len(after)
    start = taken[0] if count else 0
    if list(taken) == list(range(start, start + count)):
        return pad_axis(t, rank, axis, start, size - start - count)
    readers: list[list[int]] = [[] for _ in range(size)]
    for number, position in enumerate(taken):
        readers[position].append(number)
    rounds = max(map(len, readers))
    if rounds > _MOST_ROUNDS and count * size <= _LARGEST_MATRIX:
        matrix = np.zeros((size, count))
        matrix[list(taken), range(count)] = 1
        return multiply(node, matrix, t, axis, after)
    padded = pad_axis(t, rank, axis, 0, 1)
    first, *others = (
        op("Gather", padded, ints(*(numbers[m] if m < len(numbers) else count for numbers in readers)), axis=axis)
        for m in range(rounds)
    )
    return sum(others, start=first)


def pad_axis(t: Tensor, rank: int, axis: int, before: int, after: int) -> Tensor:
    """Return `t`, of a given rank, with zeros before and after along one axis."""
    if not before and not after:
        return t
    pads = np.zeros((2, rank), np.int64)
    pads[:, axis] = before, after
    return op("Pad", t, pads.reshape(-1), 0)
