"""Weights that make classes count alike: n / (k n_c) (Eq. 1.1 of "Diagnosing X-rays with an app", 2019).

n is the number of examples, k that of classes, n_c that of the examples of class c; unknown targets are not counted.
"""

import numpy as np
from numpy.typing import ArrayLike

from sitegen.metrics.examples import Given, Scores, known_targets


def class_weights(classes: ArrayLike) -> dict[str, float]:
    """Return the weight of each class that occurs among the names or numbers of classes [N].

    Raises ValueError where there are none.
    """
    names, counts = np.unique(np.asarray(classes), return_counts=True)
    if not len(names):
        raise ValueError("there are no examples to weight")
    weights = counts.sum() / (len(names) * counts)
    return {str(name): float(weight) for name, weight in zip(names, weights, strict=True)}


def balanced_weights(targets: Given) -> Scores:
    """Return the weight of every target [N] or [N, L] in its own column, 0 where it is unknown.

    The weights of a column's known targets have the mean 1; where only one class occurs, all are 1.
    """
    known, positive = known_targets(targets)
    negative = known & ~positive
    counts = [known.sum(axis=0), positive.sum(axis=0), negative.sum(axis=0)]
    classes = (counts[1] > 0).astype(np.int64) + (counts[2] > 0)
    weight = [counts[0] / np.maximum(1, classes * count) for count in counts[1:]]
    return np.where(positive, weight[0], np.where(negative, weight[1], 0.0))
