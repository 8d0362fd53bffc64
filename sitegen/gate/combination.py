"""Several scores as one: a logistic function of where an image lies among validation images by each of them.

    combined = sigmoid(intercept + sum of weight * position)

A position is the share of validation images that are less unlike, 0 to 1, so that scores of any scale go together. The
weights are fitted by logistic regression between validation images and altered ones (`sitegen.gate.altered`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.linear_model import LogisticRegression

from sitegen.errors import DataError, SettingsError
from sitegen.gate.quantiles import gate_with_table
from sitegen_runtime.gate.combination import combined
from sitegen_runtime.gate.metrics import COMBINED

STRENGTH = 1.0  # scikit-learn's C: weights of a few units for positions in 0..1, none without bound

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Combination:
    """The weight of each metric's position, and the intercept."""

    weights: Mapping[str, float]
    intercept: float

    @property
    def document(self) -> dict[str, Any]:
        """What `bundle.json` has as `gate.combination`."""
        return {"weights": dict(self.weights), "intercept": self.intercept}


def fit_combination(
    inside: Mapping[str, ArrayLike], outside: Mapping[str, ArrayLike], kinds: Sequence[str], strength: float = STRENGTH
) -> Combination:
    """Return the combination that best tells altered images from validation images.

    `inside` has for each metric the positions of the validation images [N], `outside` those of altered ones [M], and
    `kinds` says how each of these was altered [M]. Both sides weigh the same, and each kind the same on its side.
    `strength` is scikit-learn's C, the inverse of the penalty on large weights; the penalty is taken against N images
    on each side.

    Raises SettingsError for no metrics and for `combined` among them, DataError for metrics that differ, numbers of
    images that differ or are 0, and positions that are not in 0..1.
    """
    metrics = list(inside)
    if not metrics or COMBINED in metrics:
        raise SettingsError(f"a combination is made of one other metric at least, not of {metrics}")
    if set(outside) != set(metrics):
        raise DataError(f"The validation images have the metrics {sorted(metrics)}, altered ones {sorted(outside)}.")
    ordinary = _positions(inside, metrics, "validation")
    unlike = _positions(outside, metrics, "altered")
    if len(kinds) != len(unlike):
        raise DataError(f"There are {len(unlike)} altered images, and {len(kinds)} kinds of how they were.")
    names, which, counts = np.unique(np.asarray(kinds), return_inverse=True, return_counts=True)
    weights = np.concatenate([np.ones(len(ordinary)), len(ordinary) / (len(names) * counts[which])])
    fitted = LogisticRegression(C=strength, tol=1e-10, max_iter=10_000).fit(
        np.concatenate([ordinary, unlike]), np.repeat([0, 1], [len(ordinary), len(unlike)]), weights
    )
    found = (float(weight) for weight in fitted.coef_[0])
    return Combination(dict(zip(metrics, found, strict=True)), float(fitted.intercept_[0]))


def combined_scores(scores: Mapping[str, ArrayLike], table: Mapping[str, Any], combination: Combination) -> Values:
    """Return the runtime's score `combined` [N] of raw values [N] by metric, with a table of quantiles.

    Raises DataError where a metric of the combination is missing among the scores, or in the table.
    """
    parts = list(combination.weights)
    missing = [metric for metric in parts if metric not in scores or metric not in table["values"]]
    if missing:
        raise DataError(f"The combination needs values and quantiles of {parts}; there are none of {missing}.")
    gate = gate_with_table(table, combination.weights, combination.intercept)
    columns = (np.asarray(scores[metric], np.float64).tolist() for metric in parts)
    return np.array([combined(dict(zip(parts, row, strict=True)), gate) for row in zip(*columns, strict=True)])


def _positions(given: Mapping[str, ArrayLike], metrics: Sequence[str], which: str) -> Values:
    """The positions as one array [images, metrics]."""
    columns = [np.asarray(given[metric], np.float64) for metric in metrics]
    counts = {column.shape for column in columns}
    if len(counts) > 1 or columns[0].ndim != 1 or not len(columns[0]):
        raise DataError(f"Each metric needs the position of every one of the {which} images, and there must be some.")
    positions = np.stack(columns, axis=1)
    if not ((positions >= 0) & (positions <= 1)).all():
        raise DataError(f"A position of the {which} images is not between 0 and 1; give positions, not raw values.")
    return positions
