"""A perceptual hash: pictures that look alike have hashes that differ in few bits.

It is the well-known one by the discrete cosine transform (C. Zauner, "Implementation and benchmarking of perceptual
image hash functions", 2010): the picture at 32 x 32, its 8 x 8 lowest frequencies, and of each whether it lies above
their median; without the lowest of all, which is the mean grey. So it has 63 bits. It is made of the values that the
classifier takes, which are at hand: no file is decoded twice for it, and what lies outside of the network's square has
no part in it.

It is defined here in a few lines of NumPy since a package for it would bring SciPy and wavelets, and take pictures of
Pillow only.
"""

import numpy as np
from numpy.typing import NDArray

SIDE, LOW = 32, 8
BITS = LOW * LOW - 1
_FLAT = 1e-6
"""Frequencies below this share of the picture's range are rounding: the picture has one grey."""


def perceptual_hash(plane: NDArray[np.float32]) -> int | None:
    """Return 63 bits of a square grey picture [side, side]; None of one that has a single grey."""
    shrink = _shares(plane.shape[0])
    small = shrink @ plane.astype(np.float64) @ shrink.T
    cosines = _cosines()
    low = (cosines @ small @ cosines.T).ravel()[1:]
    if np.abs(low).max() <= _FLAT * SIDE:
        return None
    return int("".join("1" if each else "0" for each in low > np.median(low)), 2)


def distance(first: NDArray[np.uint64], second: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """Return in how many bits hashes differ."""
    return np.asarray(np.bitwise_count(first ^ second))


def _shares(side: int) -> NDArray[np.float64]:
    """How much of each of `side` pixels lies in each of SIDE cells, as a mean: [SIDE, side]."""
    edges = np.arange(side + 1) * SIDE / side
    low, high = edges[:-1], edges[1:]
    cells = np.arange(SIDE)[:, np.newaxis]
    inside = np.clip(np.minimum(high, cells + 1) - np.maximum(low, cells), 0, None)
    return np.asarray(inside / inside.sum(axis=1, keepdims=True))


def _cosines() -> NDArray[np.float64]:
    """The lowest frequencies of the DCT-II: [LOW, SIDE]."""
    return np.cos(np.pi / SIDE * np.outer(np.arange(LOW), np.arange(SIDE) + 0.5))
