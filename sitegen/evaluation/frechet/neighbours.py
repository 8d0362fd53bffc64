"""Precision, recall, density, coverage: whether generated images lie among the real ones, and all of these near some.

Around each image lies a ball that reaches its k-th nearest neighbour in its own set. Precision is the share of
generated images in some real ball, recall that of real images in some generated ball (Kynkäänniemi et al., "Improved
precision and recall metric …", NeurIPS 2019). Density counts in how many real balls a generated image lies, over k;
coverage is the share of real balls with a generated image in them (Naeem et al., "Reliable fidelity and diversity
metrics …", ICML 2020).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


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
    apart = _distances(real, generated)
    real_balls, generated_balls = (_reach(each, k) for each in (real, generated))
    in_real = apart < real_balls[:, np.newaxis]
    return Neighbours(
        float(in_real.any(axis=0).mean()),
        float((apart < generated_balls[np.newaxis]).any(axis=1).mean()),
        float(in_real.sum(axis=0).mean() / k),
        float((apart.min(axis=1) < real_balls).mean()),
    )


def _reach(features: Values, k: int) -> Values:
    """Each one's distance from its k-th nearest neighbour."""
    apart = _distances(features, features)
    np.fill_diagonal(apart, -1.0)  # itself comes first, whatever rounding says
    return np.asarray(np.partition(apart, k, axis=1)[:, k])


def _distances(first: Values, second: Values) -> Values:
    squares = (first**2).sum(axis=1)[:, np.newaxis] + (second**2).sum(axis=1) - 2 * first @ second.T
    return np.asarray(np.sqrt(np.maximum(squares, 0.0)))
