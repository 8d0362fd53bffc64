"""Weights laid out for packing: gzip finds little in floating-point numbers as they lie, and more of it byte by byte.

    name            what is packed
    NAME.halves     of weights that are all float16 numbers: float16, first all low bytes, then all high ones
    NAME.bytes      of weights that are whole numbers times scales: see `byte_layout`
    NAME.planes     of others: float32, first the lowest byte of each number, and so on to the highest
    NAME.plain      as they are: no whole number of float32, or read by the runtime as well

The page lays them out as they were, to the bit, before the engine sees them (`templates/worker/weights.js`). Were they
stored with 16 bits in the graph, the engine would widen them, and hold them several times over while it does.
"""

from collections.abc import Sequence

import numpy as np

from sitegen.graphs.signature import StoredTensor
from sitegen.site.byte_layout import bytes_of

HALVES, PLANES, PLAIN, BYTES = ".halves", ".planes", ".plain", ".bytes"


def layout_of(weights: bytes, tensors: Sequence[StoredTensor] = ()) -> str:
    """Return the suffix that tells how weights, float32 little-endian, are best packed; `tensors` are those in it."""
    if len(weights) % 4:
        return PLAIN
    with np.errstate(over="ignore", invalid="ignore"):
        half = np.frombuffer(weights, "<f4").astype("<f2")
    if np.isfinite(half).all() and half.astype("<f4").tobytes() == weights:  # every bit comes back
        return HALVES
    return BYTES if bytes_of(weights, tensors) else PLANES


def lay_out(weights: bytes, layout: str, tensors: Sequence[StoredTensor] = ()) -> bytes:
    """Return what is packed of weights in a layout that `layout_of` says; in any other, and in none, as they are."""
    if layout == BYTES and (laid := bytes_of(weights, tensors)):
        return laid
    if layout == HALVES:
        return _planes(np.frombuffer(weights, "<f4").astype("<f2").tobytes(), 2)
    return _planes(weights, 4) if layout == PLANES else weights


def _planes(content: bytes, width: int) -> bytes:
    return np.frombuffer(content, np.uint8).reshape(-1, width).T.tobytes()
