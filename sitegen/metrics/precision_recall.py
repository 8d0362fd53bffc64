"""Precision against recall: the curve, average precision, and the lines of equal F1."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from sitegen.metrics.examples import Given, Scores, examples
from sitegen.metrics.roc import cumulated


@dataclass(frozen=True)
class PrecisionRecallCurve:
    """Precision and recall (0..1) at falling thresholds, float64 [T + 1].

    The first threshold is infinite, where nothing counts as positive: recall 0, and precision 1 by convention.
    """

    thresholds: Scores
    precision: Scores
    recall: Scores

    @property
    def average_precision(self) -> float:
        """Precision weighted by the recall that each threshold adds: the area under steps, not under straight lines.

        Straight lines between the points would promise what no threshold gives.
        """
        return float(np.sum(np.diff(self.recall) * self.precision[1:]))


def precision_recall_curve(scores: ArrayLike, targets: Given, weights: ArrayLike | None = None) -> PrecisionRecallCurve:
    """Return a point for every distinct score, and the start. Raises ValueError where there is no positive."""
    given = examples(scores, targets, weights)
    if not given.positives:
        raise ValueError("recall is not defined without a positive")
    thresholds, true_positives, false_positives = cumulated(given)
    found = true_positives + false_positives
    # A threshold that only examples of weight 0 reach finds nothing.
    precision = np.divide(true_positives, found, out=np.zeros_like(found), where=found > 0)
    return PrecisionRecallCurve(
        np.concatenate([[np.inf], thresholds]),
        np.concatenate([[1.0], precision]),
        np.concatenate([[0.0], true_positives / true_positives[-1]]),
    )


def average_precision(scores: ArrayLike, targets: Given, weights: ArrayLike | None = None) -> float:
    """Return sum over thresholds of (R_n - R_(n-1)) P_n. Raises ValueError where there is no positive."""
    return precision_recall_curve(scores, targets, weights).average_precision


def iso_f1(f1: float, recalls: Sequence[float] | Scores) -> Scores:
    """Return the precision [M] that has this F1 at each recall: f1 r / (2 r - f1), NaN where none in 0..1 has.

    Raises ValueError where F1 does not lie between 0 and 1.
    """
    if not 0 < f1 < 1:
        raise ValueError(f"F1 of a line lies between 0 and 1, not at {f1}")
    recall = np.asarray(recalls, np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        precision = f1 * recall / (2 * recall - f1)
    # Rounding must not take the end of the line away, where recall is f1 / (2 - f1) and precision 1.
    return np.where((2 * recall > f1) & (precision <= 1 + 1e-12), np.minimum(precision, 1), np.nan)
