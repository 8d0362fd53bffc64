"""Two models on the same images: differences with paired intervals, and the second model's curves."""

from collections.abc import Callable
from dataclasses import asdict
from typing import cast

import numpy as np
from numpy.typing import NDArray

from sitegen.bundle.origin import together
from sitegen.errors import DataError
from sitegen.evaluation.classifier.curve_points import precision_recall_points, roc_points
from sitegen.evaluation.classifier.document_types import ComparedFinding, ComparisonDocument, DifferenceDocument
from sitegen.evaluation.classifier.finding_document import Finding, decisions, findings_of
from sitegen.evaluation.classifier.scored import Scored
from sitegen.metrics.document_types import IntervalDocument
from sitegen.metrics.examples import Scores, Targets, or_none
from sitegen.metrics.precision_recall import precision_recall_curve
from sitegen.metrics.resampling import Resampling, Statistic, interval_by_patient
from sitegen.metrics.roc import auc_of_draws, roc_curve

OfDraws = Callable[[Scores, Targets, Scores], Scores]


def comparison(first: Scored, second: Scored, how: Resampling) -> ComparisonDocument:
    """Return what docs/evaluation.md describes under `against`: the second model beside the first.

    Images are paired by file, labels by name, capitals aside. A difference is the first's figure less the second's;
    its interval is a bootstrap by patient in which both models see the same draws. Raises DataError where there is no
    image, or no label, in common.
    """
    one, other = _same_images(first, second)
    theirs = {finding.label.lower(): finding for finding in findings_of(_as_judged(other, one))}
    pairs = [(mine, theirs[mine.label.lower()]) for mine in findings_of(one) if mine.label.lower() in theirs]
    if not pairs:
        raise DataError(
            f"The models share no label: one has {', '.join(first.labels)}, the other {', '.join(second.labels)}."
        )
    return {
        "model": dict(second.model),
        "from": together(second.origin(record).relation for record in one.records),
        "images": len(one.records),
        "operating_points": second.chosen_on or None,
        "findings": [_finding(mine, other_finding, how) for mine, other_finding in pairs],
    }


def average_precision_of_draws(scores: Scores, targets: Targets, draws: NDArray[np.float64]) -> Scores:
    """Return the average precision [B] for each row of weights [B, N], NaN where a row leaves no positive."""
    order = np.argsort(-scores, kind="stable")
    last_of_ties = np.append(np.nonzero(np.diff(scores[order]))[0], len(order) - 1)
    ordered = draws[:, order]
    true_positives = np.cumsum(ordered * targets[order], axis=1)[:, last_of_ties]
    found = np.cumsum(ordered, axis=1)[:, last_of_ties]
    precision = np.divide(true_positives, found, out=np.zeros_like(found), where=found > 0)
    gained = np.diff(true_positives, axis=1, prepend=0.0)
    with np.errstate(invalid="ignore"):
        return np.asarray((gained * precision).sum(axis=1) / true_positives[:, -1])


def _same_images(first: Scored, second: Scored) -> tuple[Scored, Scored]:
    rows = {record.path: row for row, record in enumerate(second.records)}
    shared = [row for row, record in enumerate(first.records) if record.path in rows]
    if not shared:
        raise DataError("The two models have no image in common that both can analyse.")
    one = first.only(shared)
    return one, second.only([rows[record.path] for record in one.records])


def _as_judged(second: Scored, first: Scored) -> Scored:
    """The second's scores with the first's records, so that the same truth is held against both."""
    names = {label.lower(): label for label in first.labels}
    renamed = {label: names.get(label.lower(), label) for label in second.labels}
    return Scored(
        second.model,
        tuple(renamed[label] for label in second.labels),
        first.records,
        second.logits,
        second.probabilities,
        second.calibrated,
        second.operating_points,
    )


def _finding(mine: Finding, theirs: Finding, how: Resampling) -> ComparedFinding:
    return {
        "label": mine.label,
        "images": len(mine.records),
        "auc": _difference(mine, theirs, auc_of_draws, how),
        "average_precision": _difference(mine, theirs, average_precision_of_draws, how),
        "operating_point": theirs.operating_point,
        "decisions": decisions(theirs),
        "roc": or_none(lambda: roc_points(roc_curve(theirs.probabilities, theirs.targets))),
        "precision_recall": or_none(
            lambda: precision_recall_points(precision_recall_curve(theirs.probabilities, theirs.targets))
        ),
    }


def _difference(mine: Finding, theirs: Finding, figure: OfDraws, how: Resampling) -> DifferenceDocument | None:
    """Both models' figure, and the difference with its interval; None where the figure is not defined."""
    targets = mine.targets == 1
    patients = [record.patient for record in mine.records]
    if not patients:
        return None

    def of(finding: Finding) -> Statistic:
        return lambda draws: figure(finding.probabilities, targets, draws)

    everything = np.ones((1, len(patients)))
    try:
        difference = interval_by_patient(
            lambda draws: of(mine)(draws) - of(theirs)(draws), patients, how.resamples, seed=how.seed
        )
    except ValueError:  # a class is missing
        return None
    return {
        "first": float(of(mine)(everything)[0]),
        "second": float(of(theirs)(everything)[0]),
        "difference": cast(IntervalDocument, asdict(difference)),
    }
