"""One finding's part of an evaluation document: figures, decisions, reliability, curves, and the same by groups."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from sitegen.data.audit.audit import OLDEST
from sitegen.data.records import Record
from sitegen.evaluation.classifier.curve_points import precision_recall_points, roc_points
from sitegen.evaluation.classifier.document_types import (
    BinDocument,
    DecisionsDocument,
    FindingDocument,
    GroupDocument,
    PredictiveValuesDocument,
    ReliabilityDocument,
)
from sitegen.evaluation.classifier.scored import Scored
from sitegen.metrics import (
    Scores,
    age_band,
    balanced_weights,
    binary_scores,
    brier_score,
    by_group,
    count_outcomes,
    expected_calibration_error,
    finding_figures,
    known_targets,
    precision_recall_curve,
    predictive_values,
    reliability_diagram,
    roc_curve,
)
from sitegen.metrics.examples import or_none
from sitegen.metrics.resampling import Resampling

FIGURES = (
    "auc",
    "half_splits",
    "average_precision",
    "sensitivity",
    "specificity",
    "calibration_error",
    "calibration_error_by_chance",
    "brier",
)
"""What is measured of a finding and of each group of its images, beside their numbers."""

GROUPS: Mapping[str, Callable[[Record], str | None]] = {
    "source": lambda record: record.source or None,
    "sex": lambda record: record.sex or None,
    "view": lambda record: record.view or None,
    "age": lambda record: age_band(record.age) if record.age is not None and 0 <= record.age <= OLDEST else None,
}


@dataclass(frozen=True)
class Finding:
    """One finding of N images: probabilities, calibrated values and targets float64 [N]; NaN where unknown."""

    label: str
    probabilities: Scores
    calibrated: Scores
    targets: Scores
    operating_point: float | None
    records: tuple[Record, ...]

    @property
    def known(self) -> NDArray[np.int64]:
        """The indices of the images whose target is known."""
        return np.nonzero(known_targets(self.targets)[0])[0]

    def only(self, rows: NDArray[np.int64]) -> "Finding":
        """Return the same of the images with these indices."""
        return Finding(
            self.label,
            self.probabilities[rows],
            self.calibrated[rows],
            self.targets[rows],
            self.operating_point,
            tuple(self.records[row] for row in rows.tolist()),
        )


def findings_of(scored: Scored) -> list[Finding]:
    """Return each label with the images of which it is known, which may be none."""
    targets = scored.targets
    findings = (
        Finding(label, scored.probabilities[:, at], scored.calibrated[:, at], targets[:, at], point, scored.records)
        for at, (label, point) in enumerate(zip(scored.labels, scored.operating_points, strict=True))
    )
    return [finding.only(finding.known) for finding in findings]


def finding_document(finding: Finding, how: Resampling, prevalences: Sequence[float]) -> FindingDocument:
    """Return what docs/evaluation.md describes under `findings`; null is what cannot be measured here."""
    figures = group_figures(finding, how)
    return {
        "label": finding.label,
        **figures,
        "operating_point": finding.operating_point,
        "decisions": decisions(finding),
        "predictive_values": _predictive_values(figures, prevalences),
        "reliability": {
            "probability": _reliability(finding.probabilities, finding.targets),
            "calibrated": _reliability(finding.calibrated, finding.targets),
        },
        "roc": or_none(lambda: roc_points(roc_curve(finding.probabilities, finding.targets))),
        "precision_recall": or_none(
            lambda: precision_recall_points(precision_recall_curve(finding.probabilities, finding.targets))
        ),
        "by": _by(finding, how),
        "least_favourable": None,  # of all sources together: `sources.whence` says it
    }


def group_figures(finding: Finding, how: Resampling) -> GroupDocument:
    """Return the figures of a finding over all of its images."""
    patients = [record.patient for record in finding.records]
    counts = {"images": len(patients), "patients": len(set(patients)), "positives": int((finding.targets == 1).sum())}
    if not patients:
        return cast(GroupDocument, counts | dict.fromkeys(FIGURES))
    figures = finding_figures(
        finding.probabilities,
        finding.targets,
        patients,
        0.5 if finding.operating_point is None else finding.operating_point,
        finding.calibrated,
        how.resamples,
        how.seed,
    )
    measured = {name: asdict(figures)[name] for name in FIGURES}
    if finding.operating_point is None:
        measured |= {"sensitivity": None, "specificity": None}
    return cast(GroupDocument, counts | measured)


def _by(finding: Finding, how: Resampling) -> dict[str, dict[str, GroupDocument]]:
    """Figures by what is said of the images at all."""
    groups = {name: [group(record) for record in finding.records] for name, group in GROUPS.items()}
    return {
        name: by_group(members, lambda rows: group_figures(finding.only(rows), how))
        for name, members in groups.items()
        if any(members)
    }


def decisions(finding: Finding) -> DecisionsDocument | None:
    """Return counts and ratios at the operating point, as they are, and with both classes weighing the same."""
    if finding.operating_point is None or not len(finding.targets):
        return None
    found = finding.probabilities >= finding.operating_point
    counts = {name: int(value) for name, value in asdict(count_outcomes(found, finding.targets)).items()}
    weights = balanced_weights(finding.targets)
    ratios = {
        "plain": asdict(binary_scores(found, finding.targets)["binary"]),
        "balanced": asdict(binary_scores(found, finding.targets, weights)["binary"]),
    }
    return cast(DecisionsDocument, counts | ratios)


def _predictive_values(entry: GroupDocument, prevalences: Sequence[float]) -> list[PredictiveValuesDocument]:
    if entry["sensitivity"] is None or entry["specificity"] is None:
        return []
    rates = entry["sensitivity"]["value"], entry["specificity"]["value"]
    return [cast(PredictiveValuesDocument, asdict(predictive_values(*rates, prevalence))) for prevalence in prevalences]


def _reliability(probabilities: Scores, targets: Scores) -> ReliabilityDocument | None:
    if not len(targets):
        return None
    return {
        "calibration_error": expected_calibration_error(probabilities, targets),
        "brier": brier_score(probabilities, targets),
        "bins": [cast(BinDocument, asdict(part)) for part in reliability_diagram(probabilities, targets)],
    }
