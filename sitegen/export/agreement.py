"""When two engines agree on a logit, and on how many images that is looked at.

A difference is absolute for logits between -1 and 1, and a share of the logit beyond: float32 has seven digits, so that
a logit of 20 cannot be had more exactly. Probabilities agree to a quarter of that, for z σ'(z) stays below 1/4.
"""

import numpy as np
from numpy.typing import NDArray

TOLERANCE = 1e-5
SAMPLES = 32


def apart(made: NDArray[np.float64], expected: NDArray[np.float64]) -> float:
    """Return the largest difference between logits of one shape, as said above; NaN where one is not a number."""
    return float((np.abs(made - expected) / np.maximum(1, np.abs(expected))).max())


def samples(count: int) -> list[int]:
    """Return the indices of at most SAMPLES of so many images, spread evenly over all of them."""
    return sorted({round(place) for place in np.linspace(0, count - 1, min(SAMPLES, count)).tolist()})
