"""Controls of the shortcut audit: labels that mean nothing, and how well a source is told from its images."""

from collections.abc import Sequence

import numpy as np

from sitegen.data.audit.shortcuts.features import Matrix
from sitegen.data.audit.shortcuts.models import (
    RESAMPLES,
    SEED,
    Folds,
    Targets,
    area,
    boosted,
    cross_validated,
    folds_by_patient,
    logistic,
    too_few,
)
from sitegen.metrics import Interval, interval_by_patient

SHUFFLES = 3
"""How often labels are shuffled; the figure is the mean."""


def shuffled(targets: Targets, patients: Sequence[str], seed: int) -> Targets:
    """Return labels that patients exchanged among them: each gets another's, in order, again from the first if short.

    So images of a patient are as alike in their labels as they were, and no measure can tell them.
    """
    names, owner = np.unique(np.asarray(patients), return_inverse=True)
    images = [np.nonzero(owner == index)[0] for index in range(len(names))]
    given = np.empty_like(targets)
    for index, other in enumerate(np.random.default_rng(seed).permutation(len(names))):
        own, theirs = images[index], images[other]
        given[own] = targets[np.resize(theirs, len(own))]
    return given


def shuffled_figure(matrix: Matrix, targets: Targets, patients: Sequence[str]) -> Interval | None:
    """Return how well shuffled labels are told by all measures together, as an interval about 0.5.

    The mean over shuffles and both models; None where these images do not allow one.
    """
    runs: list[tuple[np.ndarray, Targets, Folds]] = []
    for number in range(SHUFFLES):
        given = shuffled(targets, patients, SEED + number)
        if too_few(given, patients):
            continue
        folds = folds_by_patient(given, patients)
        runs += [(cross_validated(matrix, given, folds, model), given, folds) for model in (logistic, boosted)]
    if not runs:
        return None
    try:
        return interval_by_patient(
            lambda draws: np.mean([area(*run, draws) for run in runs], axis=0), patients, RESAMPLES
        )
    except ValueError:
        return None
