"""What an attack on the classifier's input does to the gate's: the same change, at the gate's own scale.

The change of each cell, as a share of the range, is averaged over the cells of the gate that it lies in, by area; where
the gate sees what the classifier does not, nothing changes.
"""

from __future__ import annotations  # array[float] is a name for type checkers until Python 3.12

from array import array
from collections.abc import Iterator, Sequence
from itertools import chain
from operator import sub

from sitegen_runtime.gate.reconstruction_scores import as_shares
from sitegen_runtime.interventions.fillings import Canvas

Weights = list[list[tuple[int, float]]]  # for each cell: those of the other grid that it lies over, and how much of it


def carried_over(before: Canvas, after: array[float], gate: Canvas) -> array[float]:
    """Return the gate's input, changed as the classifier's was from `before` to `after`, held in its range."""
    pairs = zip(as_shares(after, before.entry), as_shares(before.values, before.entry), strict=True)
    changes = [list(map(sub, *pair)) for pair in pairs]
    if len(changes) != len(gate.entry.mean):  # a grey gate beside a classifier that takes colours, or the other way
        changes = [[sum(cell) / len(changes) for cell in zip(*changes, strict=True)]] * len(gate.entry.mean)
    ours, theirs = gate.square, before.square
    (rows, columns), (deep, wide) = gate.entry.grid, before.entry.grid
    across = _overlaps((ours.left, ours.width, columns), (theirs.left, theirs.width, wide))
    down = _overlaps((ours.top, ours.height, rows), (theirs.top, theirs.height, deep))
    low, high = gate.entry.range
    changed = array("f")
    planes = zip(as_shares(gate.values, gate.entry), changes, gate.entry.mean, gate.entry.std, strict=True)
    for shares, change, mean, std in planes:
        moved = _averaged(change, wide, across, down)
        held = (_held(share, share + by) for share, by in zip(shares, moved, strict=True))
        changed.extend([(low + share * (high - low) - mean) / std for share in held])
    return changed


def _held(share: float, changed: float) -> float:
    """What the file's own rounding has left outside of 0..1 stays; a change does not lead out of it."""
    return min(max(changed, min(share, 0.0)), max(share, 1.0))


def _overlaps(own: tuple[float, float, int], other: tuple[float, float, int]) -> Weights:
    """How much of each of the gate's cells, along a side, lies in which of the classifier's.

    Of both: where the side begins, its length, and how many cells it has.
    """
    (start, length, count), (begins, whole, cells) = own, other
    cell, their = length / count, whole / cells
    return [list(_shared(start + number * cell - begins, cell, their, cells)) for number in range(count)]


def _shared(begins: float, length: float, width: float, cells: int) -> Iterator[tuple[int, float]]:
    """The cells of this width that a length from `begins` on lies over, and the share of the length in each."""
    first, last = max(int(begins // width), 0), min(int((begins + length) // width) + 1, cells)
    for cell in range(first, last):
        common = min(begins + length, (cell + 1) * width) - max(begins, cell * width)
        if common > 0:
            yield cell, common / length


def _averaged(values: Sequence[float], columns: int, across: Weights, down: Weights) -> Iterator[float]:
    lines = [values[start : start + columns] for start in range(0, len(values), columns)]
    wide = [[sum(line[cell] * share for cell, share in parts) for parts in across] for line in lines]
    narrow = zip(*wide, strict=True)  # columns
    low = [[sum(column[cell] * share for cell, share in parts) for parts in down] for column in narrow]
    return chain.from_iterable(zip(*low, strict=True))
