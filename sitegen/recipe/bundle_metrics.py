"""The figures that a bundle keeps of itself: an extract of the evaluation document, and what its gate lets through."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sitegen.calibration.fit import calibrated
from sitegen.evaluation.classifier.document import evaluation_document
from sitegen.evaluation.classifier.document_types import ReliabilityDocument
from sitegen.evaluation.classifier.finding_document import FIGURES
from sitegen.evaluation.classifier.scored import Scored
from sitegen.metrics import by_group, interval_by_patient
from sitegen.metrics.resampling import share_of_draws
from sitegen.recipe.labels import FittedLabel

KEPT = ("images", "patients", "positives", *FIGURES)
DIGITS = 4


def as_shipped(scored: Scored, labels: list[FittedLabel], accepted: NDArray[np.bool_] | None) -> Scored:
    """Return what a trained network says of images, with the bundle's operating points, calibration and gate."""
    shown = [calibrated(scored.logits[:, at], fitted.label) for at, fitted in enumerate(labels)]
    return replace(
        scored,
        calibrated=np.stack(shown, axis=1),
        operating_points=tuple(fitted.label.operating_point for fitted in labels),
        chosen_on="validation images",
        accepted=accepted,
    )


def bundle_metrics(scored: Scored) -> dict[str, Any]:
    """Return the figures of one split: `images`, `patients`, `accepted` by source, and `findings` by label.

    Each finding has KEPT, the same `by_source` where images say where they are from, and `uncalibrated_error`, the
    expected calibration error of the probabilities. Intervals are those of the evaluation document, with 1,000
    resamples and seed 0.
    """
    document = evaluation_document(scored)
    return {
        "images": document["data"]["images"],
        "patients": document["data"]["patients"],
        "accepted": _accepted(scored),
        "findings": {
            finding["label"]: _figures(finding)
            | {"uncalibrated_error": _uncalibrated_error(finding["reliability"]["probability"])}
            | {"by_source": {name: _figures(part) for name, part in finding["by"].get("source", {}).items()}}
            for finding in document["findings"]
        },
    }


def _figures(part: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _rounded(part[name]) for name in KEPT}


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
