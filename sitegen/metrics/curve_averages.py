"""Curves over several findings at once: scores and targets are [N, L], unknown targets are left out.

    micro    every image and finding is one example, so frequent findings count more
    macro    the mean of the findings' own curves, so all count the same; findings without both classes are left out

The area under a macro curve is the mean of the findings' areas exactly, because the mean is taken on both sides of
every jump. (Interpolating on one side only, as is often done, gives a little more.)
"""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import ArrayLike

from sitegen.metrics.examples import Given, Scores, finite, known_targets
from sitegen.metrics.precision_recall import PrecisionRecallCurve, precision_recall_curve
from sitegen.metrics.roc import RocCurve, roc_curve


def micro_roc(scores: ArrayLike, targets: Given) -> RocCurve:
    """Return the ROC curve of all cells. Raises ValueError where one of the classes is missing."""
    checked, cells = _cells(scores, targets)
    return roc_curve(checked.ravel(), cells.ravel())


def micro_precision_recall(scores: ArrayLike, targets: Given) -> PrecisionRecallCurve:
    """Return the precision–recall curve of all cells. Raises ValueError where there is no positive."""
    checked, cells = _cells(scores, targets)
    return precision_recall_curve(checked.ravel(), cells.ravel())


def macro_roc(scores: ArrayLike, targets: Given) -> RocCurve:
    """Return the mean true positive rate over findings at each false positive rate; thresholds are NaN.

    Raises ValueError where no finding has both classes.
    """
    curves = [roc_curve(*column) for column in _columns(scores, targets, need_negatives=True)]
    rates = np.unique(np.concatenate([curve.false_positive_rate for curve in curves]))
    sides = np.mean([_both_sides(rates, curve) for curve in curves], axis=0)
    return RocCurve(np.full(2 * len(rates), np.nan), sides.ravel(), np.repeat(rates, 2))


def macro_precision_recall(scores: ArrayLike, targets: Given) -> PrecisionRecallCurve:
    """Return the mean precision over findings at each recall; thresholds are NaN.

    A finding's precision at a recall is that of the first threshold that reaches it. Raises ValueError where no finding
    has a positive.
    """
    curves = [precision_recall_curve(*column) for column in _columns(scores, targets, need_negatives=False)]
    recalls = np.unique(np.concatenate([curve.recall for curve in curves]))
    precision = np.mean([curve.precision[np.searchsorted(curve.recall, recalls)] for curve in curves], axis=0)
    return PrecisionRecallCurve(np.full(len(recalls), np.nan), precision, recalls)


def mean_over_findings(
    statistic: Callable[[Scores, Scores], float], scores: ArrayLike, targets: Given, *, need_negatives: bool = True
) -> float:
    """Return the macro mean of a statistic of (scores [M], targets [M]), such as `auc` or `average_precision`."""
    return float(np.mean([statistic(*column) for column in _columns(scores, targets, need_negatives)]))


def _both_sides(rates: Scores, curve: RocCurve) -> Scores:
    """The true positive rate [R, 2] just before and just after each false positive rate."""
    x, y = curve.false_positive_rate, curve.true_positive_rate
    first, last = np.searchsorted(x, rates, "left"), np.searchsorted(x, rates, "right") - 1
    between = np.interp(rates, x, y)
    jump = last >= first  # the curve has a point here
    return np.stack(
        [np.where(jump, y[np.minimum(first, len(y) - 1)], between), np.where(jump, y[last], between)], axis=1
    )


def _cells(scores: ArrayLike, targets: Given) -> tuple[Scores, Scores]:
    checked, (known, positive) = finite(scores, "scores"), known_targets(targets)
    if checked.ndim != 2 or checked.shape != known.shape:
        raise ValueError(f"scores and targets of several findings are [N, L], not {checked.shape} and {known.shape}")
    return checked, np.where(known, positive.astype(np.float64), np.nan)


def _columns(scores: ArrayLike, targets: Given, need_negatives: bool) -> Iterator[tuple[Scores, Scores]]:
    checked, cells = _cells(scores, targets)
    usable = (cells == 1).any(axis=0)
    if need_negatives:
        usable &= (cells == 0).any(axis=0)
    if not usable.any():
        raise ValueError(f"no finding has {'positives and negatives' if need_negatives else 'a positive'}")
    yield from ((checked[:, column], cells[:, column]) for column in np.nonzero(usable)[0])
