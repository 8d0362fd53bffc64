"""Accuracy, precision, recall and F1 over several findings, or over the two classes of one.

    binary      of the finding itself (one finding only)
    micro       of all decisions together
    macro       the mean over findings
    weighted    the mean over findings, each by its number of positives
    samples     the mean over images (several findings only)

Equal to scikit-learn's where every target is known. Unknown targets are left out of every count: a finding or image of
which nothing is known takes no part in a mean.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from sitegen.metrics.confusion import Counts, cell_weights, count_outcomes
from sitegen.metrics.examples import Given, Scores, known_targets


@dataclass(frozen=True)
class Ratios:
    """Four ratios (0..1) of one way of averaging."""

    accuracy: float
    precision: float
    recall: float
    f1: float


def finding_scores(predicted: ArrayLike, targets: Given, weights: ArrayLike | None = None) -> dict[str, Ratios]:
    """Return micro, macro, weighted and samples averages of decisions [N, L].

    `weights` are one for each image [N] or for each target [N, L] (`balanced_weights`, say); an image weighs in
    "samples" what its known targets weigh on average. Raises ValueError where nothing is known, or shapes do not fit.
    """
    known, _ = known_targets(targets)
    if known.ndim != 2:
        raise ValueError(f"decisions on several findings are [N, L], not {known.shape}; see `binary_scores`")
    columns, rows = (count_outcomes(predicted, targets, weights, axis) for axis in (0, 1))
    cells = np.where(known, cell_weights(weights, known.shape), 0.0)
    by_image = cells.sum(axis=1) / np.maximum(1, known.sum(axis=1))
    return {
        "micro": _micro(columns),
        "macro": _mean(columns, (columns.total > 0).astype(np.float64)),
        "weighted": _mean(columns, columns.support),
        "samples": _mean(rows, by_image),
    }


def binary_scores(predicted: ArrayLike, targets: Given, weights: ArrayLike | None = None) -> dict[str, Ratios]:
    """Return binary, micro, macro and weighted averages of decisions [N] on one finding.

    Having it and not having it are two classes, and the last three average over both. Raises ValueError where nothing
    is known, or shapes do not fit.
    """
    known, positive = known_targets(targets)
    if known.ndim != 1:
        raise ValueError(f"decisions on one finding are [N], not {known.shape}; see `finding_scores`")
    counts = count_outcomes(predicted, np.where(known, positive.astype(np.float64), np.nan), weights)
    # Seen from the other class, right stays right, and the two kinds of errors change places.
    both = Counts(
        np.array([counts.true_negatives, counts.true_positives]),
        np.array([counts.false_negatives, counts.false_positives]),
        np.array([counts.true_positives, counts.true_negatives]),
        np.array([counts.false_positives, counts.false_negatives]),
    )
    return {
        "binary": _micro(counts),
        "micro": _micro(both),
        "macro": _mean(both, np.asarray(both.support > 0, np.float64)),
        "weighted": _mean(both, both.support),
    }


def exact_match(predicted: ArrayLike, targets: Given, weights: ArrayLike | None = None) -> float:
    """Return the share of images [N, L] on which every known target is met, `weights` one for each image [N].

    Raises ValueError where nothing is known.
    """
    rows = count_outcomes(predicted, targets, axis=1)
    weight = np.where(rows.total > 0, cell_weights(weights, rows.total.shape), 0.0)
    return _average(np.asarray(rows.accuracy == 1, np.float64), weight)


def _micro(counts: Counts) -> Ratios:
    four = (counts.true_positives, counts.false_positives, counts.true_negatives, counts.false_negatives)
    summed = Counts(*(np.asarray(np.sum(part), np.float64) for part in four))
    return _mean(summed, summed.total)


def _mean(counts: Counts, weights: Scores) -> Ratios:
    ratios = (counts.accuracy, counts.precision, counts.recall, counts.f1)
    return Ratios(*(_average(ratio, weights) for ratio in ratios))


def _average(values: Scores, weights: Scores) -> float:
    total = np.sum(weights)
    if not total:
        raise ValueError("there is nothing known to average over")
    return float(np.sum(values * weights) / total)
