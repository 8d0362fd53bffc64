"""Precision, recall, density, coverage: whether generated images lie among the real ones, and all of these near some.

Around each image lies a ball that reaches its k-th nearest neighbour in its own set. Precision is the share of
generated images in some real ball, recall that of real images in some generated ball (Kynkäänniemi et al., "Improved
precision and recall metric …", NeurIPS 2019). Density counts in how many real balls a generated image lies, over k;
coverage is the share of real balls with a generated image in them (Naeem et al., "Reliable fidelity and diversity
metrics …", ICML 2020).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
CELLS = 8_000_000  # distances in memory at once


@dataclass(frozen=True)
class Neighbours:
    """Shares from 0 to 1; density may be above 1."""

    precision: float
    recall: float
    density: float
    coverage: float


def neighbours(real: Values, generated: Values, k: int = 5) -> Neighbours:
    """Return the four figures of features [N, D] and [M, D]. Raises ValueError where a set has k images or fewer."""
    if min(len(real), len(generated)) <= k:
        raise ValueError(f"{k} neighbours need more images than {len(real)} and {len(generated)}; ask for fewer")
    real_balls, generated_balls = (_reach(each, k) for each in (real, generated))
    balls = np.zeros(len(generated), np.int64)  # real ones that each generated image lies in
    recalled = covered = 0
    for part in _parts(len(real), len(generated)):
        apart = _distances(real[part], generated)
        inside = apart < real_balls[part, np.newaxis]
        balls += inside.sum(axis=0)
        covered += int(inside.any(axis=1).sum())
        recalled += int((apart < generated_balls).any(axis=1).sum())
    shares = (float((balls > 0).mean()), recalled / len(real), float(balls.mean() / k), covered / len(real))
    return Neighbours(*shares)


def _parts(rows: int, columns: int) -> Iterator[slice]:
    """Parts of so many rows as memory should hold."""
    step = max(1, CELLS // columns)
    return (slice(start, start + step) for start in range(0, rows, step))


def _reach(features: Values, k: int) -> Values:
    """Each one's distance from its k-th nearest neighbour."""
    found = np.empty(len(features))
    for part in _parts(len(features), len(features)):
        apart = _distances(features[part], features)
        rows = np.arange(len(apart))
        apart[rows, rows + part.start] = -1.0  # itself comes first, whatever rounding says
        found[part] = np.partition(apart, k, axis=1)[:, k]
    return found


def _distances(first: Values, second: Values) -> Values:
    squares = (first**2).sum(axis=1)[:, np.newaxis] + (second**2).sum(axis=1) - 2 * first @ second.T
    return np.asarray(np.sqrt(np.maximum(squares, 0.0)))
