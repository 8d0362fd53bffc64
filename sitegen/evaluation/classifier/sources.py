"""The figures of a document by where their images come from, and which of them is told first."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import cast

import numpy as np

from sitegen.bundle.headline import Part, headline, least_favourable, unmeasured
from sitegen.bundle.origin import SAME_COLLECTION, together
from sitegen.data.origin import Origin
from sitegen.evaluation.classifier.document_types import FindingDocument, SourceDocument, WhenceDocument
from sitegen.evaluation.classifier.finding_document import Finding, findings_of
from sitegen.evaluation.classifier.scored import Scored
from sitegen.metrics import interval_by_patient
from sitegen.metrics.document_types import IntervalDocument
from sitegen.metrics.examples import Scores, or_none
from sitegen.metrics.finding_figures import UNKNOWN
from sitegen.metrics.resampling import Resampling
from sitegen.metrics.roc import auc_of_draws
from sitegen_runtime.bundle.relations import Relation

UNTOLD = (
    "Of {names} it is not known how near they are to the images of the training. Where the model records who made "
    "those, say it of these with --collection and --hospital."
)


def whence(scored: Scored, findings: Sequence[FindingDocument], how: Resampling) -> WhenceDocument:
    """Return where images are from, what was not measured, the headline; put the same into each finding's entry."""
    sources = _sources(scored, how)
    parts = parts_of(sources, findings)
    for entry in findings:
        entry["least_favourable"] = least_favourable(parts, entry["label"])
        entry["from"] = _mark_groups(entry, sources)
    return {
        "from": together(part.relation for part in parts),
        "not_measured": unmeasured(parts),
        "headline": headline(parts, scored.labels),
        "sources": sources,
        "remarks": list(_remarks(scored, sources)),
    }


def _mark_groups(entry: FindingDocument, sources: Sequence[SourceDocument]) -> Relation:
    """Say of each group by source where it is from; return the same of all images in which the finding is known."""
    groups = entry["by"].get("source", {})
    seen: list[Relation] = []
    for source in sources:
        relation = cast(Relation, source["from"])
        group = groups.get(source["source"] or UNKNOWN)
        if group:
            group["from"] = relation
        if group or not groups:
            seen.append(relation)
    return together(seen)


def parts_of(sources: Sequence[SourceDocument], findings: Sequence[FindingDocument]) -> list[Part]:
    """Return the groups that a headline is chosen from."""
    return [
        Part(
            cast(Relation, source["from"]),
            source["split"],
            source["source"],
            source["collection"],
            source["mean_auc"],
            {entry["label"]: _auc(entry, source["source"]) for entry in findings},
        )
        for source in sources
    ]


def mean_auc(findings: Sequence[Finding], scored: Scored, how: Resampling) -> IntervalDocument | None:
    """Return the mean of the AUCs of all findings that have both classes, with its interval over patients.

    In a resample that leaves a finding one class, the mean is over the others. None where no finding has both.
    """
    targets, probabilities = scored.targets, scored.probabilities
    columns = [at for at, finding in enumerate(findings) if len(np.unique(finding.targets)) == 2]
    if not columns:
        return None
    known = [np.nonzero(~np.isnan(targets[:, at]))[0] for at in columns]

    def statistic(draws: Scores) -> Scores:
        each = [
            auc_of_draws(probabilities[rows, at], targets[rows, at] == 1, draws[:, rows])
            for at, rows in zip(columns, known, strict=True)
        ]
        return _mean_of_defined(np.stack(each))

    found = or_none(lambda: interval_by_patient(statistic, scored.patients, how.resamples, seed=how.seed))
    return None if found is None else cast(IntervalDocument, asdict(found))


def _mean_of_defined(values: Scores) -> Scores:
    """The mean over the first axis of what is not NaN; NaN where nothing is defined."""
    defined = ~np.isnan(values)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(defined, values, 0).sum(axis=0) / defined.sum(axis=0))


def _sources(scored: Scored, how: Resampling) -> list[SourceDocument]:
    members: dict[str, list[int]] = {}
    for row, record in enumerate(scored.records):
        members.setdefault(record.source, []).append(row)
    return [_source(scored.only(members[source]), how) for source in sorted(members)]


def _source(scored: Scored, how: Resampling) -> SourceDocument:
    origins: list[Origin] = [scored.origin(record) for record in scored.records]
    findings = findings_of(scored)
    return {
        "source": scored.records[0].source,
        "split": ", ".join(sorted({record.split for record in scored.records if record.split})),
        "collection": origins[0].collection.name,
        "hospital": origins[0].collection.hospital,
        "from": together(origin.relation for origin in origins),
        "images": len(scored.records),
        "patients": len(set(scored.patients)),
        "mean_auc": mean_auc(findings, scored, how),
        "measured": sum(len(np.unique(finding.targets)) == 2 for finding in findings),
    }


def _auc(entry: FindingDocument, source: str) -> IntervalDocument | None:
    groups: Mapping[str, object] = entry["by"].get("source", {})
    if not groups:
        return entry["auc"]
    group = entry["by"]["source"].get(source or UNKNOWN)
    return group["auc"] if group else None


def _remarks(scored: Scored, sources: Sequence[SourceDocument]) -> list[str]:
    """Sentences that nobody should miss."""
    origins = [(record.patient, scored.origin(record)) for record in scored.records]
    trained = {patient for patient, origin in origins if origin.relation == "trained-on"}
    found = []
    if trained:
        found.append(f"Images of {len(trained)} patients were trained on: no figure over them says anything of others.")
    relations = {origin.relation for _, origin in origins}
    if "other-patients" in relations and not relations & {"same-hospital", "elsewhere"}:
        found.append(SAME_COLLECTION)
    if untold := [each["collection"] or "these images" for each in sources if each["from"] == "unknown"]:
        found.append(UNTOLD.format(names=", ".join(untold)))
    return found
