"""Each phantom is drawn once in a process of tests, not for each import and data set: a large one takes a second."""

import functools

import numpy as np
from numpy.typing import NDArray

import sitegen.phantom


def draw_once() -> None:
    """Have `sitegen.phantom` keep what it drew."""
    drawn = functools.lru_cache(maxsize=1024)(sitegen.phantom._drawn)

    @functools.wraps(drawn)
    def copied(seed: int, size: int, opacity: bool) -> NDArray[np.uint8]:
        return drawn(seed, size, opacity).copy()

    sitegen.phantom._drawn = copied
