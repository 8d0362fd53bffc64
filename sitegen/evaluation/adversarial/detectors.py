"""Detectors of attacks: what of the effects of masking they read, and one that is fitted to it.

Every score is higher for what is taken for attacked. `spread` and `size` are stated beforehand and fit nothing; the
fitted one is a logistic regression on the mean effect of each label and the logarithm of its deviation, each image's
score made by a fit that has seen no image of its patient.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sitegen.metrics.examples import Scores

FOLDS = 5
FITTED = "effects-fitted"
_FLOOR = 1e-6  # of a deviation, on the logit: masking may change nothing at all


def spread(effects: Scores) -> float:
    """Return the standard deviation of effects [masks, labels] over masks, its mean over labels."""
    return float(effects.std(axis=0).mean())


def size(effects: Scores) -> float:
    """Return the mean over labels of the absolute expected effect, of effects [masks, labels]."""
    return float(np.abs(effects.mean(axis=0)).mean())


SIMPLE: Mapping[str, Callable[[Scores], float]] = {"effect-spread": spread, "effect-size": size}
"""Detectors that read a number off the effects of an image."""


def features(effects: Scores) -> Scores:
    """Return what the fitted detector reads: each label's mean effect, and the logarithm of its deviation."""
    return np.concatenate([effects.mean(axis=0), np.log(effects.std(axis=0) + _FLOOR)])


def fitted_scores(
    clean: Scores, attacked: Scores, judged: Scores, patients: Sequence[str], seed: int
) -> tuple[Scores, Scores] | None:
    """Return the scores of the `clean` and of the `judged` images, features [N, F] each, of the same N images.

    For the patients of each of FOLDS parts the detector is fitted on the others' clean and `attacked` images. None
    where there is one patient alone.
    """
    parts = _parts(patients, seed)
    if parts.max() < 1:
        return None
    scores = np.zeros((2, len(patients)))
    for part in range(parts.max() + 1):
        inside, others = parts == part, parts != part
        known = np.concatenate([clean[others], attacked[others]])
        targets = np.repeat([0, 1], int(others.sum()))
        fit = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(known, targets)
        for row, given in zip(scores, (clean, judged), strict=True):
            row[inside] = fit.decision_function(given[inside])
    return scores[0], scores[1]


def _parts(patients: Sequence[str], seed: int) -> NDArray[np.int64]:
    """The part that each image's patient is in, counted from 0."""
    names, members = np.unique(np.asarray(patients), return_inverse=True)
    order = np.random.default_rng(seed).permutation(len(names))
    return np.asarray(order[members] % min(FOLDS, len(names)))
