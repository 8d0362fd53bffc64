"""Weights laid out for packing: gzip finds little in floating-point numbers as they lie, and more of it byte by byte.

    name            what is packed
    NAME.halves     of weights that are all float16 numbers: float16, first all low bytes, then all high ones
    NAME.planes     of others: float32, first the lowest byte of each number, and so on to the highest

The page lays them out as they were, to the bit, before the engine sees them (`templates/worker/weights.js`). Were they
stored with 16 bits in the graph, the engine would widen them, and hold them several times over while it does.
"""

import numpy as np

HALVES, PLANES = ".halves", ".planes"


def lay_out(weights: bytes) -> tuple[str, bytes]:
    """Return weights, float32 little-endian, as they are packed, and the suffix that tells how.

    Bytes that are no whole number of float32 stay as they are, with an empty suffix.
    """
    if len(weights) % 4:
        return "", weights
    half = _as_half(weights)
    return (PLANES, _planes(weights, 4)) if half is None else (HALVES, _planes(half, 2))


def _as_half(weights: bytes) -> bytes | None:
    """The weights as finite float16 numbers, if that gives every bit back."""
    with np.errstate(over="ignore", invalid="ignore"):
        half = np.frombuffer(weights, "<f4").astype("<f2")
    if not np.isfinite(half).all() or half.astype("<f4").tobytes() != weights:
        return None
    return half.tobytes()


def _planes(content: bytes, width: int) -> bytes:
    return np.frombuffer(content, np.uint8).reshape(-1, width).T.tobytes()
