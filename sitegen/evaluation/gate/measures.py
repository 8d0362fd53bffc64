"""How well scores tell images outside from images inside, on many weighted draws of the images at once.

Positive is what lies out of distribution. AUROC and AUPR are those of `roc` and `comparison`; here are the false
positive rate at a stated sensitivity, and all of them together.
"""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from sitegen.evaluation.classifier.comparison import average_precision_of_draws
from sitegen.metrics.examples import Scores, Targets
from sitegen.metrics.roc import auc_of_draws

SENSITIVITY = 0.95


def false_positive_rate_of_draws(
    scores: Scores, targets: Targets, draws: NDArray[np.float64], sensitivity: float = SENSITIVITY
) -> Scores:
    """Return the share of negatives that reach the highest threshold which `sensitivity` of the positives reach.

    `scores` and `targets` are [N], higher and True are positive; the shares are [B], one for each row of weights
    [B, N], NaN where a row leaves only one class. No line is drawn between the points of the ROC curve: the threshold
    is one of the scores.
    """
    order = np.argsort(-scores, kind="stable")
    last_of_ties = np.append(np.nonzero(np.diff(scores[order]))[0], len(order) - 1)
    ordered = draws[:, order]
    true_positives = np.cumsum(ordered * targets[order], axis=1)[:, last_of_ties]
    false_positives = np.cumsum(ordered * ~targets[order], axis=1)[:, last_of_ties]
    with np.errstate(invalid="ignore"):
        reached = true_positives / true_positives[:, -1:] >= sensitivity
        rates = false_positives / false_positives[:, -1:]
    first = reached.argmax(axis=1)
    rate = rates[np.arange(len(draws)), first]
    return np.where(reached.any(axis=1), rate, np.nan)


OF_DRAWS: Mapping[str, Callable[[Scores, Targets, NDArray[np.float64]], Scores]] = {
    "auroc": auc_of_draws,
    "aupr": average_precision_of_draws,
    "fpr95": false_positive_rate_of_draws,
}
"""The figures of a detector on one category, by the names that they have in documents."""
