"""From which probability on a finding is flagged: by the rule that a recipe asks for, on validation images alone.

    youden          where sensitivity less false positive rate is largest, for each finding by itself
    specificity     so that a share of the images without the finding is not flagged, in every source
    false-alarms    so that of the images without any finding no more than a share is flagged at all, in every source

A model of ten findings asks ten questions of every image: with the first rule most healthy people have one answered
wrongly. The last rule bounds that; all its findings have one specificity, the lowest that keeps the promise.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sitegen.errors import DataError
from sitegen.evaluation.classifier.scored import Scored
from sitegen.metrics import OperatingPoint, Scores, known_targets, operating_point
from sitegen.settings.recipe import PointRule, SpecificityRule, YoudenRule
from sitegen_runtime.bundle.relations import NO_FINDING

STEPS = tuple(at / 200 for at in range(100, 200))
"""The specificities that are tried for false alarms: 0.5 to 0.995."""


@dataclass(frozen=True)
class Points:
    """The operating point of each label, None where a class is missing; and what could not be done as asked."""

    of: tuple[OperatingPoint | None, ...]
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Seen:
    """The validation images: probabilities and targets [N, L], the rows of each source, those without findings."""

    labels: Sequence[str]
    probabilities: Scores
    targets: Scores
    sources: list[NDArray[np.bool_]]
    none: NDArray[np.bool_]


def choose_points(validation: Scored, rule: PointRule, weights: Sequence[Scores | None]) -> Points:
    """Return the operating points of all labels; `weights` are those of the images of which each label is known.

    A label that means the absence of findings always gets Youden's point. Raises DataError where false alarms are to be
    bounded and no validation image is known to be without findings.
    """
    names = np.array([record.source for record in validation.records])
    sources = [names == name for name in np.unique(names)]
    seen = _Seen(validation.labels, validation.probabilities, validation.targets, sources, without_findings(validation))
    youden = [_youden(seen, at, weights[at]) for at in range(len(validation.labels))]
    if isinstance(rule, YoudenRule):
        return Points(tuple(youden))
    if isinstance(rule, SpecificityRule):
        return Points(_at_specificity(seen, youden, rule.share))
    if not seen.none.any():
        raise DataError(
            "operating_points in the recipe's [export] bounds false alarms, and no validation image is known to be "
            "without findings. Choose another kind, or give such images to the split valid."
        )
    for share in STEPS:
        points = _at_specificity(seen, youden, share)
        if _false_alarms(seen, points) <= rule.share:
            return Points(points)
    return Points(points, (f"False alarms are {_false_alarms(seen, points):.3f}, not {rule.share:g}.",))


def without_findings(scored: Scored) -> NDArray[np.bool_]:
    """Return which images [N] are known to be without findings: a label says so, or all findings are absent."""
    absences = [at for at, name in enumerate(scored.labels) if name.lower() in NO_FINDING]
    others = [at for at in range(len(scored.labels)) if at not in absences]
    targets = scored.targets
    none: NDArray[np.bool_] = (targets[:, absences] == 1).any(axis=1) | (targets[:, others] == 0).all(axis=1)
    return none


def _youden(seen: _Seen, at: int, weights: Scores | None) -> OperatingPoint | None:
    known, positive = known_targets(seen.targets[:, at])
    if not 0 < positive[known].sum() < known.sum():
        return None
    return operating_point(seen.probabilities[known, at], positive[known], weights)


def _at_specificity(
    seen: _Seen, youden: Sequence[OperatingPoint | None], share: float
) -> tuple[OperatingPoint | None, ...]:
    points: list[OperatingPoint | None] = []
    for at, (name, point) in enumerate(zip(seen.labels, youden, strict=True)):
        kept = point is None or name.lower() in NO_FINDING
        points.append(point if kept else _specific(seen, at, share))
    return tuple(points)


def _specific(seen: _Seen, at: int, share: float) -> OperatingPoint:
    """The lowest threshold that a share of the negatives of every source stays below."""
    known, positive = known_targets(seen.targets[:, at])
    scores, absent = seen.probabilities[:, at], known & ~positive
    highest = max(_quantile(scores[absent & own], share) for own in seen.sources if (absent & own).any())
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


def _false_alarms(seen: _Seen, points: Sequence[OperatingPoint | None]) -> float:
    """The largest share, of all sources, of images without findings that have one at or above its operating point."""
    flagged = np.zeros(len(seen.none), bool)
    for at, (name, point) in enumerate(zip(seen.labels, points, strict=True)):
        if point and name.lower() not in NO_FINDING:
            flagged |= seen.probabilities[:, at] >= point.threshold
    return max(float(flagged[seen.none & own].mean()) for own in seen.sources if (seen.none & own).any())
