"""Draws of images for intervals of a gate's figures: patients with replacement, within each set of images.

How many images a category has is the choice of whoever gathered them, and no chance: so every draw has as many patients
of each set as there are, and a category of one image is in all of them. All detectors and figures see the same draws,
so that differences of them have intervals, too.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sitegen.metrics.document_types import IntervalDocument
from sitegen.metrics.examples import Scores
from sitegen.metrics.resampling import drawn_patients

SHARE = 0.95  # of an interval


def draws_by_patient(
    patients: Sequence[str], sets: Sequence[str], resamples: int, seed: int = 0
) -> NDArray[np.float64]:
    """Return rows of weights [1 + resamples, N]: first every image once, then how often each was drawn.

    `patients` and `sets` are one for each image. In each set as many patients are drawn as it has; a patient of two
    sets is drawn in each by itself.
    """
    rng = np.random.default_rng(seed)
    weights = np.ones((1 + resamples, len(patients)))
    names, members = np.unique(np.asarray(sets), return_inverse=True)
    for index in range(len(names)):
        columns = np.nonzero(members == index)[0]
        weights[1:, columns] = next(drawn_patients(np.asarray(patients)[columns].tolist(), resamples, rng))
    return weights


def interval_of(values: Scores) -> IntervalDocument:
    """Return value, low and high of a statistic's values [1 + resamples], the first of all images; 95 % percentiles."""
    low, high = np.quantile(values[1:], [(1 - SHARE) / 2, (1 + SHARE) / 2]) if len(values) > 1 else (values[0],) * 2
    return {"value": float(values[0]), "low": float(low), "high": float(high)}


def mean_interval(parts: Sequence[Scores]) -> IntervalDocument | None:
    """Return the interval of the mean of several statistics, draw by draw; None without any."""
    return interval_of(np.mean(parts, axis=0)) if len(parts) else None
