"""The shortcut audit of one label, on all images or within a source; and of all of them, shared by processes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from sitegen import parallel
from sitegen.data.audit.shortcuts.controls import shuffled_figure
from sitegen.data.audit.shortcuts.document_types import IntervalDocument, SourceToldDocument, ToldDocument
from sitegen.data.audit.shortcuts.features import WHOLE, Matrix, Table, features, of_the_image
from sitegen.data.audit.shortcuts.measures import BOOSTED, FAMILIES, TOGETHER
from sitegen.data.audit.shortcuts.models import (
    Folds,
    Targets,
    boosted,
    cross_validated,
    figure,
    folds_by_patient,
    logistic,
    too_few,
)
from sitegen.data.records import label_matrix, label_names
from sitegen.metrics import Interval

_FOR_ONE_PROCESS = 2  # labels of some seconds each
_DIGITS = 4


@dataclass(frozen=True)
class Part:
    """The images that a label is measured on: all where `within` is "", else those of one source."""

    label: str
    within: str


def labels_told(table: Table, workers: int | None = None) -> list[ToldDocument]:
    """Return how well each label is told by each family, on all images and within each of several sources."""
    parts = sorted(_parts(table), key=lambda part: part.within)  # stable: labels stay in their order
    return parallel.each(partial(label_told, table), parts, workers, alone=_FOR_ONE_PROCESS, of="labels")


def _parts(table: Table) -> Iterator[Part]:
    for label in label_names(table.records):
        sources = {record.source for record in table.records if record.labels.get(label) is not None}
        yield from (Part(label, within) for within in ("", *sorted(sources - {""} if len(sources) > 1 else ())))


def label_told(table: Table, part: Part) -> ToldDocument:
    """Return how well one label is told by each family on one part of the images, without those that do not know it."""
    values = label_matrix(table.records, [part.label])[:, 0]
    inside = [part.within in ("", record.source) for record in table.records]
    known = np.nonzero(np.array(inside, np.bool_) & ~np.isnan(values))[0]
    chosen, targets = table.of(known), values[known] == 1
    patients = [record.patient for record in chosen.records]
    told: ToldDocument = {
        "label": part.label,
        "within": part.within,
        "images": len(known),
        "positives": int(targets.sum()),
        "patients": len(set(patients)),
        "unmeasured": too_few(targets, patients),
        "families": {},
        "whole_image": None,
        "shuffled": None,
    }
    if told["unmeasured"]:
        return told
    with threadpool_limits(1):  # processes share the labels; threads of each would wait for those of the others
        return _measured(told, features(chosen), targets, patients)


def sources_told(table: Table) -> list[SourceToldDocument]:
    """Return how well each of several sources is told from its images, among those with each label and without it.

    One model a source and kind of input; its AUC is counted among images that are alike in the label, so that no
    finding can tell them.
    """
    sources = sorted({record.source for record in table.records})
    if len(sources) < 2:
        return []
    found = features(table)
    inputs = of_the_image(found), found[WHOLE]
    return [entry for source in sources for entry in _source_told(table, source, inputs)]


def interval_document(interval: Interval | None) -> IntervalDocument | None:
    """Return an interval as it stands in the report."""
    if interval is None:
        return None
    low, value, high = (round(each, _DIGITS) for each in (interval.low, interval.value, interval.high))
    return {"value": value, "low": low, "high": high}


def _measured(told: ToldDocument, found: dict[str, Matrix], targets: Targets, patients: Sequence[str]) -> ToldDocument:
    folds = folds_by_patient(targets, patients)

    def auc(family: str) -> IntervalDocument | None:
        model = boosted if family == BOOSTED else logistic
        scores = cross_validated(found[family], targets, folds, model)
        return interval_document(figure(scores, targets, folds, patients))

    return {
        **told,
        "families": {family: auc(family) for family in FAMILIES},
        "whole_image": auc(WHOLE),
        "shuffled": interval_document(shuffled_figure(found[TOGETHER], targets, patients)),
    }


def _source_told(table: Table, source: str, inputs: Sequence[Matrix]) -> list[SourceToldDocument]:
    patients = [record.patient for record in table.records]
    own = np.array([record.source == source for record in table.records])
    if too_few(own, patients):
        return []
    folds = folds_by_patient(own, patients)
    measures, thumbnail = (cross_validated(matrix, own, folds) for matrix in inputs)
    values = label_matrix(table.records, label_names(table.records))
    entries: list[SourceToldDocument] = []
    for column, label in enumerate(label_names(table.records)):
        for present in (True, False):
            members = np.nonzero(values[:, column] == float(present))[0]
            if not too_few(own[members], [patients[index] for index in members]):
                aucs = (_among(scores, own, folds, patients, members) for scores in (measures, thumbnail))
                of_measures, of_thumbnail = aucs
                entries.append(
                    {
                        "source": source,
                        "label": label,
                        "present": present,
                        "images": len(members),
                        "measures": of_measures,
                        "thumbnail": of_thumbnail,
                    }
                )
    return entries


def _among(
    scores: NDArray[np.float64], own: Targets, folds: Folds, patients: Sequence[str], members: NDArray[np.int64]
) -> IntervalDocument | None:
    owners = [patients[index] for index in members]
    return interval_document(figure(scores[members], own[members], folds[members], owners))
