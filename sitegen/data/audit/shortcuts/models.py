"""Small models with cross-validation by patient: how well a label is told from features, and how sure that is.

Scores of different folds come from different fits, and are never compared: an AUC counts the pairs of one positive and
one negative image of the same fold.
"""

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold

from sitegen.data.audit.shortcuts.features import Matrix
from sitegen.metrics import Interval, interval_by_patient
from sitegen.metrics.roc import auc_of_draws

FOLDS = 5
FEWEST = 10
"""Images with a label, and images without it, below which nothing is measured."""
RESAMPLES = 400
SEED = 1

Targets = NDArray[np.bool_]
Folds = NDArray[np.int64]
Scores = NDArray[np.float64]


def too_few(targets: Targets, patients: Sequence[str]) -> str:
    """Return why a label cannot be measured on these images, "" where it can."""
    owners = np.asarray(patients)
    for members, words in ((targets, "with"), (~targets, "without")):
        images, people = int(members.sum()), len(set(owners[members]))
        if images < FEWEST:
            return f"{images} images {words} it, and {FEWEST} are needed"
        if people < FOLDS:
            return f"images {words} it are of {people} patients, and {FOLDS} are needed"
    return ""


def folds_by_patient(targets: Targets, patients: Sequence[str]) -> Folds:
    """Return which fold each image is tested in, 0 to `FOLDS` - 1; a patient's images are all in one."""
    found = np.empty(len(targets), np.int64)
    splitter = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=SEED)
    for number, (_, tested) in enumerate(splitter.split(targets, targets, np.asarray(patients))):
        found[tested] = number
    return found


def logistic() -> Any:
    """Return a logistic regression, with scikit-learn's usual penalty."""
    return LogisticRegression(solver="newton-cholesky", max_iter=200)


def boosted() -> Any:
    """Return small gradient-boosted trees: what thresholds and pairs of measures tell."""
    return HistGradientBoostingClassifier(
        max_iter=50, max_leaf_nodes=8, learning_rate=0.1, early_stopping=False, random_state=SEED
    )


def cross_validated(matrix: Matrix, targets: Targets, folds: Folds, model: Callable[[], Any] = logistic) -> Scores:
    """Return each image's score [N] by a model that was fitted without its fold; 0 where there is nothing to fit."""
    scores = np.zeros(len(targets))
    if matrix.shape[1] == 0:
        return scores
    for number in range(FOLDS):
        tested = folds == number
        if not tested.any() or len(set(targets[~tested])) < 2:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a fit that needs more steps is good enough here
            fitted = model().fit(matrix[~tested], targets[~tested])
        scores[tested] = fitted.decision_function(matrix[tested])
    return scores


def area(scores: Scores, targets: Targets, folds: Folds, draws: Scores) -> Scores:
    """Return for each row of weights [B, N] the AUC [B] within folds, each fold as heavy as it has pairs.

    NaN where no fold has both classes.
    """
    total, pairs = np.zeros(len(draws)), np.zeros(len(draws))
    for number in range(FOLDS):
        tested = folds == number
        if not tested.any():
            continue
        weights = draws[:, tested]
        count = weights[:, targets[tested]].sum(axis=1) * weights[:, ~targets[tested]].sum(axis=1)
        found = auc_of_draws(scores[tested], targets[tested], weights)
        total += np.where(count > 0, np.nan_to_num(found) * count, 0)
        pairs += count
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(pairs > 0, total / pairs, np.nan)


def figure(scores: Scores, targets: Targets, folds: Folds, patients: Sequence[str]) -> Interval | None:
    """Return the AUC within folds with its 95 % interval by patient; None where these images do not allow one."""
    try:
        return interval_by_patient(lambda draws: area(scores, targets, folds, draws), patients, RESAMPLES)
    except ValueError:
        return None
