"""What an attack on the classifier's input does to the gate's: the same change, at the gate's own scale.

The change of each cell, as a share of the range, is averaged over the cells of the gate that it lies in, by area; where
the gate sees what the classifier does not, nothing changes.
"""

from __future__ import annotations  # array[float] is a name for type checkers until Python 3.12

from array import array

import numpy as np
from numpy.typing import NDArray

from sitegen_runtime.bundle.model import NetworkInput
from sitegen_runtime.interventions.fillings import Canvas


def carried_over(before: Canvas, after: array[float], gate: Canvas) -> array[float]:
    """Return the gate's input, changed as the classifier's was from `before` to `after`, held in its range."""
    change = _shares(after, before.entry) - _shares(before.values, before.entry)
    if len(change) != len(gate.entry.mean):  # a grey gate beside a classifier that takes colours, or the other way
        change = np.repeat(change.mean(axis=0, keepdims=True), len(gate.entry.mean), axis=0)
    down = _overlap(gate.square.top, gate.square.side, gate.entry.cells, before.square.top, before)
    across = _overlap(gate.square.left, gate.square.side, gate.entry.cells, before.square.left, before)
    shares = _shares(gate.values, gate.entry)
    # What the file's own rounding has left outside of 0..1 stays; a change does not lead out of it.
    held = np.clip(shares + down @ change @ across.T, np.minimum(shares, 0), np.maximum(shares, 1))
    return array("f", _values(held, gate.entry).astype(np.float32).tobytes())


def _overlap(start: float, side: float, cells: int, other: float, before: Canvas) -> NDArray[np.float64]:
    """How much of each of the gate's cells, along a side, lies in each of the classifier's: [gate, classifier]."""
    edges = start + side * np.arange(cells + 1) / cells
    theirs = other + before.square.side * np.arange(before.entry.cells + 1) / before.entry.cells
    common = np.minimum(edges[1:, None], theirs[None, 1:]) - np.maximum(edges[:-1, None], theirs[None, :-1])
    return np.asarray(np.maximum(common, 0) * cells / side)


def _columns(entry: NetworkInput) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return np.array(entry.mean).reshape(-1, 1, 1), np.array(entry.std).reshape(-1, 1, 1)


def _shares(values: array[float], entry: NetworkInput) -> NDArray[np.float64]:
    """Values as shares of the range, [C, H, W]."""
    (low, high), (mean, std) = entry.range, _columns(entry)
    planes = np.array(values, np.float64).reshape(-1, entry.cells, entry.cells)
    return np.asarray((planes * std + mean - low) / (high - low))


def _values(shares: NDArray[np.float64], entry: NetworkInput) -> NDArray[np.float64]:
    (low, high), (mean, std) = entry.range, _columns(entry)
    return np.asarray((low + shares * (high - low) - mean) / std)
