"""From which probability on a finding is flagged: by the rule that a recipe asks for, on validation images alone.

    youden          where sensitivity less false positive rate is largest, for each finding by itself
    specificity     so that a share of the images without the finding is not flagged, in every source
    false-alarms    so that of the images without any finding no more than a share is flagged at all, in every source

A model of ten findings asks ten questions of every image: with the first rule most healthy people have one answered
wrongly. The last rule bounds that; all its findings have one specificity, the lowest that keeps the promise.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sitegen.data.records import NO_FINDING
from sitegen.errors import DataError
from sitegen.evaluation.classifier.scored import Scored
from sitegen.metrics import OperatingPoint, Scores, known_targets, operating_point
from sitegen.settings.recipe import PointRule, SpecificityRule, YoudenRule

STEPS = tuple(at / 200 for at in range(100, 200))
"""The specificities that are tried for false alarms: 0.5 to 0.995."""


@dataclass(frozen=True)
class Points:
    """The operating point of each label, None where a class is missing; and what could not be done as asked."""

    of: tuple[OperatingPoint | None, ...]
    remarks: tuple[str, ...] = ()


def choose_points(validation: Scored, rule: PointRule, weights: Sequence[Scores | None]) -> Points:
    """Return the operating points of all labels; `weights` are those of the images of which each label is known.

    A label that means the absence of findings always gets Youden's point. Raises DataError where false alarms are to be
    bounded and no validation image is known to be without findings.
    """
    youden = [_youden(validation, at, weights[at]) for at in range(len(validation.labels))]
    if isinstance(rule, YoudenRule):
        return Points(tuple(youden))
    if isinstance(rule, SpecificityRule):
        return Points(_at_specificity(validation, youden, rule.share))
    none = without_findings(validation)
    if not none.any():
        raise DataError(
            "operating_points in the recipe's [export] bounds false alarms, and no validation image is known to be "
            "without findings. Choose another kind, or give such images to the split valid."
        )
    for share in STEPS:
        points = _at_specificity(validation, youden, share)
        if _false_alarms(validation, points, none) <= rule.share:
            return Points(points)
    return Points(points, (f"False alarms are {_false_alarms(validation, points, none):.3f}, not {rule.share:g}.",))


def without_findings(scored: Scored) -> NDArray[np.bool_]:
    """Return which images [N] are known to be without findings: a label says so, or all findings are absent."""
    absences = [at for at, name in enumerate(scored.labels) if name.lower() in NO_FINDING]
    others = [at for at in range(len(scored.labels)) if at not in absences]
    told: NDArray[np.bool_] = (scored.targets[:, absences] == 1).any(axis=1)
    return told | (scored.targets[:, others] == 0).all(axis=1)


def _youden(validation: Scored, at: int, weights: Scores | None) -> OperatingPoint | None:
    known, positive = known_targets(validation.targets[:, at])
    if not 0 < positive[known].sum() < known.sum():
        return None
    return operating_point(validation.probabilities[known, at], positive[known], weights)


def _at_specificity(
    validation: Scored, youden: Sequence[OperatingPoint | None], share: float
) -> tuple[OperatingPoint | None, ...]:
    points: list[OperatingPoint | None] = []
    for at, (name, point) in enumerate(zip(validation.labels, youden, strict=True)):
        kept = point is None or name.lower() in NO_FINDING
        points.append(point if kept else _specific(validation, at, share))
    return tuple(points)


def _specific(validation: Scored, at: int, share: float) -> OperatingPoint:
    """The lowest threshold that a share of the negatives of every source stays below."""
    known, positive = known_targets(validation.targets[:, at])
    scores, absent = validation.probabilities[:, at], known & ~positive
    highest = max(_quantile(scores[absent & own], share) for own in _sources(validation) if (absent & own).any())
    above = scores[scores > highest]
    score = float(above.min()) if len(above) else highest
    # In the middle between what counts and what does not; above everything where nothing is higher.
    threshold = (highest + score) / 2 if score > highest else float(np.nextafter(highest, 1))
    flagged = scores > highest
    return OperatingPoint(
        threshold, float(flagged[known & positive].mean()), float(flagged[absent].mean()), max(score, threshold)
    )


def _quantile(scores: Scores, share: float) -> float:
    """The lowest of scores that at least a share of them does not exceed."""
    return float(np.quantile(scores, share, method="inverted_cdf"))


def _false_alarms(validation: Scored, points: Sequence[OperatingPoint | None], none: NDArray[np.bool_]) -> float:
    """The largest share, of all sources, of images without findings that have one at or above its operating point."""
    flagged = np.zeros(len(none), bool)
    for at, (name, point) in enumerate(zip(validation.labels, points, strict=True)):
        if point and name.lower() not in NO_FINDING:
            flagged |= validation.probabilities[:, at] >= point.threshold
    return max(float(flagged[none & own].mean()) for own in _sources(validation) if (none & own).any())


def _sources(validation: Scored) -> Iterator[NDArray[np.bool_]]:
    names = np.array([record.source for record in validation.records])
    return (names == name for name in np.unique(names))
