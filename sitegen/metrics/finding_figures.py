"""The figures of each finding: over all images, and by groups of them (age band, sex, view, source)."""

import re
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isnan
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sitegen.metrics.examples import Examples, Given, Scores, Targets, examples, or_none
from sitegen.metrics.precision_recall import average_precision
from sitegen.metrics.reliability import brier_score, calibration_error_by_chance, expected_calibration_error
from sitegen.metrics.resampling import Interval, half_split_deviation, interval_by_patient, share_of_draws
from sitegen.metrics.roc import auc_of_draws

Figure = TypeVar("Figure")
AGES = (18, 40, 60, 80)
UNKNOWN = "unknown"


@dataclass(frozen=True)
class FindingFigures:
    """What a model achieves on one finding: counts of known images, and figures, None where they are not defined.

    AUC, sensitivity and specificity have bootstrap intervals by patient; `half_splits` is the deviation of the AUC over
    10 random halves of the images. Sensitivity and specificity are those at the operating point.
    """

    images: int
    positives: int
    auc: Interval | None
    half_splits: float | None
    average_precision: float | None
    sensitivity: Interval | None
    specificity: Interval | None
    calibration_error: float
    calibration_error_by_chance: float
    brier: float


def finding_figures(
    probabilities: ArrayLike,
    targets: Given,
    patients: Sequence[str],
    operating_point: float,
    calibrated: ArrayLike | None = None,
    resamples: int = 1000,
    seed: int = 0,
) -> FindingFigures:
    """Return the figures of one finding from probabilities [N], targets [N] and the patient of each image.

    Calibration error and Brier score are those of `calibrated` [N] where it is given. Raises ValueError where no target
    is known.
    """
    given = examples(probabilities, targets)
    who = np.asarray(patients)[given.known]
    shown = given.scores if calibrated is None else examples(calibrated, targets).scores
    found = given.scores >= operating_point

    def interval(statistic: Callable[[Scores], Scores]) -> Interval | None:
        return or_none(lambda: interval_by_patient(statistic, who.tolist(), resamples, seed=seed))

    def area(draws: Scores) -> Scores:
        return auc_of_draws(given.scores, given.targets, draws)

    return FindingFigures(
        images=len(given.scores),
        positives=int(given.targets.sum()),
        auc=interval(area),
        half_splits=or_none(lambda: half_split_deviation(area, len(given.scores), seed=seed)),
        average_precision=or_none(lambda: average_precision(given.scores, given.targets)),
        sensitivity=interval(_share_within(given, found, True)),
        specificity=interval(_share_within(given, ~found, False)),
        calibration_error=expected_calibration_error(shown, given.targets),
        calibration_error_by_chance=calibration_error_by_chance(shown),
        brier=brier_score(shown, given.targets),
    )


def by_group(groups: Sequence[str | None], measure: Callable[[NDArray[np.int64]], Figure]) -> dict[str, Figure]:
    """Return what `measure` makes of the indices [M] of each group's images.

    Groups come in order, with numbers in their names as numbers; those of None are called "unknown" and come last.
    """
    names = np.array([UNKNOWN if group is None else group for group in groups], dtype=np.str_)
    return {name: measure(np.nonzero(names == name)[0]) for name in sorted(set(names.tolist()), key=_in_order)}


def age_band(age: float | None, borders: Sequence[int] = AGES) -> str | None:
    """Return the band of an age in years, such as "40–59" or "80 and over"; None where it is not known.

    Raises ValueError for a negative age.
    """
    if age is None or isnan(age):
        return None
    if age < 0:
        raise ValueError(f"an age is not negative, as {age:g} is")
    edges = [0, *borders]
    place = bisect_right(edges, age) - 1
    return f"{edges[place]} and over" if place == len(borders) else f"{edges[place]}–{edges[place + 1] - 1}"


def _in_order(name: str) -> tuple[bool, list[str | int]]:
    return name == UNKNOWN, [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", name)]


def _share_within(given: Examples, decided: Targets, positive: bool) -> Callable[[Scores], Scores]:
    """The share of `decided` among the positives, or among the negatives."""
    members = given.targets == positive
    return lambda draws: share_of_draws(decided[members], draws[:, members])
