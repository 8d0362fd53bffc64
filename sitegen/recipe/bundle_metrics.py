"""The figures that a bundle keeps of itself: an extract of the evaluation document, and what its gate lets through."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sitegen.bundle import Label
from sitegen.bundle.headline import Part, headline, least_favourable, unmeasured, weak_words
from sitegen.calibration.fit import calibrated
from sitegen.data.origin import Origins
from sitegen.evaluation.classifier.document import evaluation_document
from sitegen.evaluation.classifier.document_types import FindingDocument, ReliabilityDocument, SourceDocument
from sitegen.evaluation.classifier.finding_document import FIGURES
from sitegen.evaluation.classifier.scored import Scored
from sitegen.metrics import by_group, interval_by_patient
from sitegen.metrics.finding_figures import UNKNOWN
from sitegen.metrics.resampling import share_of_draws
from sitegen.recipe.labels import FittedLabel

KEPT = ("images", "patients", "positives", *FIGURES)
SHORT = ("images", "positives", "auc", "sensitivity", "specificity")
GROUPED = ("view", "sex", "age")
NOWHERE: Origins = {}
DIGITS = 4


def as_shipped(
    scored: Scored, labels: list[FittedLabel], accepted: NDArray[np.bool_] | None, origins: Origins = NOWHERE
) -> Scored:
    """Return what a trained network says of images, with the bundle's operating points, calibration and gate.

    `origins` is where the images are from, seen from the training.
    """
    shown = [calibrated(scored.logits[:, at], fitted.label) for at, fitted in enumerate(labels)]
    return replace(
        scored,
        calibrated=np.stack(shown, axis=1),
        operating_points=tuple(fitted.label.operating_point for fitted in labels),
        chosen_on="validation images",
        accepted=accepted,
        origins=origins,
    )


def bundle_metrics(scored: Scored) -> dict[str, Any]:
    """Return the figures of one split, as docs/export.md describes them under `metrics`.

    Each finding has KEPT, the same `by_source` where images say where they are from, SHORT of them `by` view, sex and
    age, and `uncalibrated_error`, the expected calibration error of the probabilities. Intervals are those of the
    evaluation document, with 1,000 resamples and seed 0.
    """
    document = evaluation_document(scored)
    found: dict[str, Any] = {
        "images": document["data"]["images"],
        "patients": document["data"]["patients"],
        "from": document["from"],
        "sources": {each["source"]: _source(each) for each in document["sources"]},
        "accepted": _accepted(scored),
        "flagged_without_finding": _rounded(document["flagged_without_finding"]),
        "findings": {finding["label"]: _finding(finding) for finding in document["findings"]},
    }
    return found


def with_headline(splits: Mapping[str, Mapping[str, Any]], labels: Sequence[str]) -> dict[str, Any]:
    """Return the figures of all splits, and before them the `headline`: the least favourable of all, and by finding."""
    parts = [part for split, measured in splits.items() for part in _parts(split, measured)]
    first = headline(parts, labels)
    return {
        "headline": {
            "not_measured": unmeasured(parts),
            "words": "No AUC was measured.",
            **(first or {}),
            "findings": {label: least_favourable(parts, label) for label in labels},
        },
        **splits,
    }


def marked_weak(labels: Sequence[Label], metrics: Mapping[str, Any]) -> list[Label]:
    """Return the labels; those that the headline calls weak say so, with their least favourable AUC."""
    findings = metrics["headline"]["findings"]
    return [
        label.model_copy(update={"weak": weak_words(found)})
        if (found := findings[label.name]) and found["weak"]
        else label
        for label in labels
    ]


def _parts(split: str, measured: Mapping[str, Any]) -> list[Part]:
    """The groups of a split by source, of the figures as they are rounded."""
    return [
        Part(each["from"], split, source, each["collection"], each["mean_auc"], _aucs(measured["findings"], source))
        for source, each in measured["sources"].items()
    ]


def _aucs(findings: Mapping[str, Mapping[str, Any]], source: str) -> dict[str, Any]:
    """The AUC of each finding on images of a source; where no image says its source, on all."""
    nothing: dict[str, Any] = {"auc": None}
    return {
        label: (figures["by_source"].get(source or UNKNOWN, nothing) if figures["by_source"] else figures)["auc"]
        for label, figures in findings.items()
    }


def _source(source: SourceDocument) -> dict[str, Any]:
    return {name: _rounded(value) for name, value in source.items() if name not in ("source", "split")}


def _finding(finding: FindingDocument) -> dict[str, Any]:
    """What is kept of a finding's entry in the document."""
    by = finding["by"]
    return {
        **_figures(finding),
        "uncalibrated_error": _uncalibrated_error(finding["reliability"]["probability"]),
        "by_source": {name: _figures(part) | {"from": part["from"]} for name, part in by.get("source", {}).items()},
        "by": {
            kind: {name: _figures(part, SHORT) for name, part in by[kind].items()} for kind in GROUPED if kind in by
        },
    }


def _figures(part: Mapping[str, Any], names: Sequence[str] = KEPT) -> dict[str, Any]:
    return {name: _rounded(part[name]) for name in names}


def _uncalibrated_error(reliability: ReliabilityDocument | None) -> Any:
    return _rounded(reliability["calibration_error"]) if reliability else None


def _accepted(scored: Scored) -> dict[str, Any] | None:
    if scored.accepted is None:
        return None
    accepted = scored.accepted

    def share(rows: NDArray[np.int64]) -> dict[str, Any]:
        patients = [scored.records[row].patient for row in rows.tolist()]
        values = accepted[rows]
        interval = interval_by_patient(lambda draws: share_of_draws(values, draws), patients)
        return {name: _rounded(value) for name, value in asdict(interval).items()}

    sources = [record.source or None for record in scored.records]
    everything = share(np.arange(len(sources)))
    return {"all": everything, "by_source": by_group(sources, share) if any(sources) else {}}


def _rounded(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _rounded(each) for name, each in value.items()}
    return round(value, DIGITS) if isinstance(value, float) else value
