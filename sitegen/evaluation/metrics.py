"""How well scores tell positives from negatives, and how sure that is.

Scores are float64 [N], targets bool [N]; a score at or above a threshold counts as positive. Functions that compare the
two classes raise ValueError where one of them is missing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]
Targets = NDArray[np.bool_]


@dataclass(frozen=True)
class OperatingPoint:
    """A threshold with what it gives: true and false positive rate (0..1)."""

    threshold: float
    sensitivity: float
    false_positive_rate: float


@dataclass(frozen=True)
class Interval:
    """A value with the ends of its interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f}–{self.high:.3f})"


def auc(scores: Scores, targets: Targets) -> float:
    """Return the area under the ROC curve: the chance that a positive scores higher than a negative, ties half.

    Mann and Whitney's U over ranks, divided by the number of pairs.
    """
    positives = int(targets.sum())
    negatives = len(targets) - positives
    _need_both(positives, negatives)
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = np.cumsum(counts) - (counts - 1) / 2
    rank_sum = float(ranks[inverse][targets].sum())
    return (rank_sum - positives * (positives + 1) / 2) / (positives * negatives)


def operating_point(scores: Scores, targets: Targets, weights: Scores | None = None) -> OperatingPoint:
    """Return the threshold at which sensitivity minus false positive rate (Youden's J) is largest.

    It is the mean of the lowest score that counts as positive and the next lower one, so that neither lies on the edge;
    of equal maxima the highest threshold. `weights` [N] say how much each example counts (all alike by default).
    """
    weights = np.ones(len(scores)) if weights is None else weights
    positive, negative = weights * targets, weights * ~targets
    _need_both(positive.sum(), negative.sum())
    order = np.argsort(-scores, kind="stable")
    ordered = scores[order]
    last_of_ties = np.append(np.nonzero(np.diff(ordered))[0], len(ordered) - 1)
    sensitivity = np.cumsum(positive[order])[last_of_ties] / positive.sum()
    false_positives = np.cumsum(negative[order])[last_of_ties] / negative.sum()
    best = int(np.argmax(sensitivity - false_positives))
    above = ordered[last_of_ties[best]]
    below = ordered[last_of_ties[best + 1]] if best + 1 < len(last_of_ties) else above
    return OperatingPoint(float((above + below) / 2), float(sensitivity[best]), float(false_positives[best]))


def bootstrap_interval(
    statistic: Callable[[NDArray[np.int64]], float],
    patients: Sequence[str],
    resamples: int = 1000,
    share: float = 0.95,
    seed: int = 0,
) -> Interval:
    """Return `statistic` of all examples, with its percentile bootstrap interval over patients.

    Whole patients are drawn with replacement, because images of one are alike; `statistic` takes the indices [M] of the
    examples drawn. A draw for which it raises ValueError (one class is missing) is drawn again; more than `resamples`
    such draws raise ValueError.
    """
    names, inverse = np.unique(np.asarray(patients), return_inverse=True)
    members = [np.nonzero(inverse == index)[0] for index in range(len(names))]
    rng = np.random.default_rng(seed)
    values: list[float] = []
    failures = 0
    while len(values) < resamples:
        drawn = np.concatenate([members[index] for index in rng.integers(0, len(names), len(names))])
        try:
            values.append(statistic(drawn))
        except ValueError:
            failures += 1
            if failures > resamples:
                raise
    low, high = np.quantile(values, [(1 - share) / 2, (1 + share) / 2])
    return Interval(statistic(np.arange(len(patients))), float(low), float(high))


def _need_both(positives: float, negatives: float) -> None:
    if not positives or not negatives:
        raise ValueError(f"positives and negatives are both needed, not {positives:g} and {negatives:g}")
