"""The evaluation document (schema sitegen.evaluation/1): everything that is measured of a model on a set of images.

    evaluation_document(scored, seed, resamples, prevalences)      a plain dictionary, as docs/evaluation.md describes

It is a pure function: the same scores give the same document. Tables and the HTML report show nothing else.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import cast

import numpy as np

from sitegen.evaluation.classifier.comparison import comparison
from sitegen.evaluation.classifier.curve_points import precision_recall_points, roc_points
from sitegen.evaluation.classifier.document_types import (
    AveragesDocument,
    CurvesDocument,
    DataDocument,
    EvaluationDocument,
    RatiosDocument,
)
from sitegen.evaluation.classifier.finding_document import Finding, finding_document, findings_of
from sitegen.evaluation.classifier.flagged import flagged_without_finding
from sitegen.evaluation.classifier.scored import Scored
from sitegen.evaluation.classifier.sources import whence
from sitegen.metrics import (
    Ratios,
    balanced_weights,
    binary_scores,
    exact_match,
    finding_scores,
    interval_by_patient,
    macro_precision_recall,
    macro_roc,
    micro_precision_recall,
    micro_roc,
)
from sitegen.metrics.document_types import IntervalDocument
from sitegen.metrics.resampling import Resampling, share_of_draws

SCHEMA = "sitegen.evaluation/1"


def evaluation_document(
    scored: Scored,
    seed: int = 0,
    resamples: int = 1000,
    prevalences: Sequence[float] = (),
    against: Scored | None = None,
) -> EvaluationDocument:
    """Return the document, in plain data that JSON can hold; null is what the images do not allow to measure.

    `prevalences` (0..1) are those for which predictive values are given; `against` is a second model's say on the same
    images. Raises ValueError for a prevalence outside 0..1, DataError where the models have no label or image in
    common.
    """
    how = Resampling(resamples, seed=seed)
    findings = findings_of(scored)
    entries = [finding_document(finding, how, prevalences) for finding in findings]
    origin = whence(scored, entries, how)
    document: EvaluationDocument = {
        "schema": SCHEMA,
        "model": dict(scored.model),
        "data": _data(scored),
        "from": origin["from"],
        "not_measured": origin["not_measured"],
        "headline": origin["headline"],
        "sources": origin["sources"],
        "remarks": origin["remarks"],
        "unreadable": [{"file": str(path), "problem": problem} for path, problem in scored.unreadable],
        "resamples": resamples,
        "seed": seed,
        "operating_points": scored.chosen_on or None,
        "accepted": _accepted(scored, how),
        "flagged_without_finding": flagged_without_finding(scored, how),
        "findings": entries,
        "averages": _averages(scored, findings),
        "curves": _curves(scored),
    }
    if against is not None:
        document["against"] = comparison(scored, against, how)
    return document


def _data(scored: Scored) -> DataDocument:
    splits = sorted({record.split for record in scored.records})
    return {"splits": splits, "images": len(scored.records), "patients": len(set(scored.patients))}


def _accepted(scored: Scored, how: Resampling) -> IntervalDocument | None:
    """The share of images that the gate lets through, with its interval; None without a gate."""
    if scored.accepted is None:
        return None
    values = scored.accepted
    found = interval_by_patient(
        lambda draws: share_of_draws(values, draws), scored.patients, how.resamples, seed=how.seed
    )
    return cast(IntervalDocument, asdict(found))


def _averages(scored: Scored, findings: Sequence[Finding]) -> AveragesDocument | None:
    """Accuracy, precision, recall and F1 at the operating points, over all findings that have one."""
    chosen = [at for at, finding in enumerate(findings) if finding.operating_point is not None]
    if not any(len(findings[at].records) for at in chosen):
        return None
    points = np.array([findings[at].operating_point for at in chosen], np.float64)
    decided, targets = scored.probabilities[:, chosen] >= points, scored.targets[:, chosen]
    if len(scored.labels) == 1:
        decided, targets = decided[:, 0], targets[:, 0]
    averaged: Callable[..., dict[str, Ratios]] = binary_scores if targets.ndim == 1 else finding_scores
    try:
        return {
            "plain": _ratios(averaged(decided, targets)),
            "balanced": _ratios(averaged(decided, targets, balanced_weights(targets))),
            "exact_match": None if targets.ndim == 1 else exact_match(decided, targets),
        }
    except ValueError:  # no image has any of the findings
        return None


def _ratios(averages: dict[str, Ratios]) -> dict[str, RatiosDocument]:
    return {name: cast(RatiosDocument, asdict(ratios)) for name, ratios in averages.items()}


def _curves(scored: Scored) -> CurvesDocument:
    """Micro and macro curves of several findings; for one they would be its own."""
    if len(scored.labels) == 1:
        return {"micro": None, "macro": None}
    given = scored.probabilities, scored.targets
    try:
        return {
            "micro": {
                "roc": roc_points(micro_roc(*given)),
                "precision_recall": precision_recall_points(micro_precision_recall(*given)),
            },
            "macro": {
                "roc": roc_points(macro_roc(*given)),
                "precision_recall": precision_recall_points(macro_precision_recall(*given)),
            },
        }
    except ValueError:  # no finding has both classes
        return {"micro": None, "macro": None}
