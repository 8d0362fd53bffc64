"""Receiver operating characteristic: the curve, the area under it, and the operating point.

A score at or above a threshold counts as positive. Weights say how much each example counts (all alike by default).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sitegen.metrics.examples import Examples, Given, Scores, Targets, examples


@dataclass(frozen=True)
class RocCurve:
    """Rates (0..1) at falling thresholds, float64 [T + 1]: the first is infinite, where nothing counts as positive."""

    thresholds: Scores
    true_positive_rate: Scores
    false_positive_rate: Scores

    @property
    def area(self) -> float:
        """The area under the straight lines between the points."""
        return float(np.trapezoid(self.true_positive_rate, self.false_positive_rate))

    def corners(self) -> "RocCurve":
        """Return the curve without points halfway between their neighbours: shorter, and of the same shape."""
        bends = [np.abs(np.diff(rate, 2)) > 1e-12 for rate in (self.true_positive_rate, self.false_positive_rate)]
        keep = np.concatenate([[True], bends[0] | bends[1], [True]])
        return RocCurve(self.thresholds[keep], self.true_positive_rate[keep], self.false_positive_rate[keep])


@dataclass(frozen=True)
class OperatingPoint:
    """A threshold with what it gives: true and false positive rate (0..1); and the lowest score that it counts."""

    threshold: float
    sensitivity: float
    false_positive_rate: float
    score: float


def auc(scores: ArrayLike, targets: Given, weights: ArrayLike | None = None) -> float:
    """Return the area under the ROC curve: the chance that a positive scores higher than a negative, ties half.

    Raises ValueError where one of the classes is missing.
    """
    given = examples(scores, targets, weights)
    given.need_both()
    return float(auc_of_draws(given.scores, given.targets, given.weights[np.newaxis])[0])


def auc_of_draws(scores: Scores, targets: Targets, draws: NDArray[np.float64]) -> Scores:
    """Return the AUC [B] for each row of weights [B, N], NaN where a row leaves only one class.

    Mann and Whitney's U, from weights instead of ranks: of every group of tied scores, the positives' weight times the
    weight of the negatives below and of half the negatives beside them.
    """
    order = np.argsort(scores, kind="stable")
    starts = np.concatenate([[0], np.nonzero(np.diff(scores[order]))[0] + 1])
    ordered = draws[:, order]
    positive = np.add.reduceat(ordered * targets[order], starts, axis=1)
    negative = np.add.reduceat(ordered * ~targets[order], starts, axis=1)
    below = np.cumsum(negative, axis=1) - negative / 2
    pairs = positive.sum(axis=1) * negative.sum(axis=1)
    with np.errstate(invalid="ignore"):
        return np.asarray((positive * below).sum(axis=1) / pairs)


def roc_curve(scores: ArrayLike, targets: Given, weights: ArrayLike | None = None) -> RocCurve:
    """Return a point for every distinct score, and (0, 0). Raises ValueError where one of the classes is missing."""
    given = examples(scores, targets, weights)
    given.need_both()
    thresholds, true_positives, false_positives = cumulated(given)
    start = np.zeros(1)
    return RocCurve(
        np.concatenate([[np.inf], thresholds]),
        np.concatenate([start, true_positives / true_positives[-1]]),
        np.concatenate([start, false_positives / false_positives[-1]]),
    )


def cumulated(given: Examples) -> tuple[Scores, Scores, Scores]:
    """Return the distinct scores [T], falling, with the weight of positives and of negatives that reach each."""
    order = np.argsort(-given.scores, kind="stable")
    ordered = given.scores[order]
    last_of_ties = np.append(np.nonzero(np.diff(ordered))[0], len(ordered) - 1)
    true_positives = np.cumsum(given.weights[order] * given.targets[order])[last_of_ties]
    false_positives = np.cumsum(given.weights[order] * ~given.targets[order])[last_of_ties]
    return ordered[last_of_ties], true_positives, false_positives


def operating_point(scores: ArrayLike, targets: Given, weights: ArrayLike | None = None) -> OperatingPoint:
    """Return the threshold at which sensitivity minus false positive rate (Youden's J) is largest.

    It is the mean of the lowest score that counts as positive (`score`) and the next lower one, so that neither lies on
    the edge; of equal maxima the first, with the highest threshold. Raises ValueError where one of the classes is
    missing.
    """
    given = examples(scores, targets, weights)
    given.need_both()
    thresholds, true_positives, false_positives = cumulated(given)
    positives, negatives = true_positives[-1], false_positives[-1]
    # Not the difference of the two rates: whole numbers stay exact, so that equal maxima are seen to be equal.
    best = int(np.argmax(true_positives * negatives - false_positives * positives))
    above = thresholds[best]
    below = thresholds[best + 1] if best + 1 < len(thresholds) else above
    middle = (above + below) / 2
    return OperatingPoint(
        float(middle if middle > below else above),
        float(true_positives[best] / positives),
        float(false_positives[best] / negatives),
        float(above),
    )
