"""Counts of right and wrong decisions, and the ratios made of them, as scikit-learn defines them.

A ratio of nothing (the precision of a model that found nothing) is 0, as there.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sitegen.metrics.examples import Given, Scores, checked_weights, known_targets


@dataclass(frozen=True)
class Counts:
    """Weights of the four outcomes, float64 of one shape: [L] by finding, [N] by image, or [] in all."""

    true_positives: Scores
    false_positives: Scores
    true_negatives: Scores
    false_negatives: Scores

    @property
    def total(self) -> Scores:
        """All examples."""
        return self.true_positives + self.false_positives + self.true_negatives + self.false_negatives

    @property
    def support(self) -> Scores:
        """The examples that have the finding."""
        return self.true_positives + self.false_negatives

    @property
    def accuracy(self) -> Scores:
        """The share of decisions that are right."""
        return _ratio(self.true_positives + self.true_negatives, self.total)

    @property
    def precision(self) -> Scores:
        """Of those found, the share that have the finding."""
        return _ratio(self.true_positives, self.true_positives + self.false_positives)

    @property
    def recall(self) -> Scores:
        """Of those that have the finding, the share found: the sensitivity."""
        return _ratio(self.true_positives, self.support)

    @property
    def specificity(self) -> Scores:
        """Of those that have it not, the share not found."""
        return _ratio(self.true_negatives, self.true_negatives + self.false_positives)

    @property
    def f1(self) -> Scores:
        """The harmonic mean of precision and recall."""
        found = 2 * self.true_positives
        return _ratio(found, found + self.false_positives + self.false_negatives)


def count_outcomes(
    predicted: ArrayLike, targets: Given, weights: ArrayLike | None = None, axis: int | None = None
) -> Counts:
    """Count the outcomes of decisions (bool) over an axis, or over all; unknown targets are left out.

    `predicted` and `targets` are [N] or [N, L]; `weights` one for each target, or one for each image [N]. Axis 0 counts
    by finding, axis 1 by image. Raises ValueError for shapes that do not fit.
    """
    known, positive = known_targets(targets)
    found = np.asarray(predicted, np.bool_)
    weight = np.where(known, cell_weights(weights, known.shape), 0.0)
    if found.shape != known.shape:
        raise ValueError(f"decisions and targets must have one shape, not {found.shape} and {known.shape}")
    add = partial(np.sum, axis=axis)
    return Counts(
        add(weight * (found & positive)),
        add(weight * (found & ~positive)),
        add(weight * (~found & ~positive)),
        add(weight * (~found & positive)),
    )


def cell_weights(weights: ArrayLike | None, shape: tuple[int, ...]) -> Scores:
    """Return one weight for each target, of weights for each target, for each image, or of none."""
    if weights is None:
        return np.ones(shape)
    checked = checked_weights(weights)
    if checked.shape == shape[:1] != shape:
        checked = np.repeat(checked[:, np.newaxis], shape[1], axis=1)
    if checked.shape != shape:
        raise ValueError(f"weights must be one for each image or target, of the shape {shape}, not {checked.shape}")
    return checked


def _ratio(part: NDArray[np.float64], whole: NDArray[np.float64]) -> Scores:
    part, whole = np.asarray(part, np.float64), np.asarray(whole, np.float64)
    return np.divide(part, whole, out=np.zeros_like(whole), where=whole > 0)
