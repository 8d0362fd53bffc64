"""Isotonic regression: the rising function that comes closest to given values (pool adjacent violators)."""

import numpy as np

from sitegen.metrics.examples import Scores


def rising_steps(positions: Scores, values: Scores, weights: Scores) -> list[tuple[float, float]]:
    """Return the points, strictly rising in position and never falling in value, of least weighted squared error.

    All three arguments are [N]. Values at the same position are averaged first. Of a level stretch only the two ends
    are returned: between points the function is read on the straight line, beyond them it stays constant.
    """
    places, inverse = np.unique(positions[weights > 0], return_inverse=True)
    weight = np.bincount(inverse, weights[weights > 0])
    mean = np.bincount(inverse, (values * weights)[weights > 0]) / weight
    blocks: list[tuple[float, float, float, float]] = []  # first and last position, value, weight
    for place, value, mass in zip(places.tolist(), mean.tolist(), weight.tolist(), strict=True):
        block = (place, place, value, mass)
        while blocks and blocks[-1][2] >= block[2]:
            first, _, before, mass_before = blocks.pop()
            mass = mass_before + block[3]
            block = (first, block[1], (before * mass_before + block[2] * block[3]) / mass, mass)
        blocks.append(block)
    ends = [[(first, value), (last, value)] if last > first else [(first, value)] for first, last, value, _ in blocks]
    return [point for block in ends for point in block]
