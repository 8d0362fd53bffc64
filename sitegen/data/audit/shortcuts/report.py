"""The shortcut audit of a data set: from what was measured of each image to a document."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from sitegen import parallel
from sitegen.data.audit.look import Seen
from sitegen.data.audit.shortcuts.document_types import ShortcutsDocument
from sitegen.data.audit.shortcuts.features import Table
from sitegen.data.audit.shortcuts.measured import Measured, looked
from sitegen.data.audit.shortcuts.measures import MEASURES
from sitegen.data.audit.shortcuts.study import labels_told, sources_told
from sitegen.data.audit.shortcuts.thumbnails import unpacked
from sitegen.data.audit.shortcuts.verdict import check_accepted, judged
from sitegen.data.records import TEST, TRAIN, Record, label_names
from sitegen.settings.audit import AuditSettings


@dataclass(frozen=True)
class ShortcutQuestion:
    """What is asked of a shortcut audit: the verdict's settings, and which splits are measured.

    Without `splits` every image is, but those of the split "test" where there are training images: nobody should
    choose by test images. `names` are the data's own names of labels, where a recipe has others.
    """

    settings: AuditSettings = field(default_factory=AuditSettings)
    splits: tuple[str, ...] = ()
    names: tuple[str, ...] = ()

    def takes(self, records: Sequence[Record]) -> list[bool]:
        """Return which of the records are measured."""
        if self.splits:
            return [record.split in self.splits for record in records]
        trains = any(record.split == TRAIN for record in records)
        return [not (trains and record.split == TEST) for record in records]


def measured_records(
    records: Sequence[Record], question: ShortcutQuestion, workers: int | None = None
) -> tuple[list[Seen], ShortcutsDocument]:
    """Look at every file, measure those that the question takes; return what was seen, and the shortcut audit."""
    check_accepted(question.settings, label_names(records))  # before minutes of work
    taken = question.takes(records)
    found = parallel.each(looked, [(record.path, each) for record, each in zip(records, taken, strict=True)], workers)
    members = [index for index, each in enumerate(taken) if each]
    asked, measured = [records[index] for index in members], [found[index] for index in members]
    return [each.seen for each in found], shortcuts_document(asked, measured, question, workers)


def shortcuts_document(
    records: Sequence[Record], measured: Sequence[Measured], question: ShortcutQuestion, workers: int | None = None
) -> ShortcutsDocument:
    """Return the shortcut audit of records and of what was measured of them. Raises SettingsError as `judged` does."""
    usable = [index for index, each in enumerate(measured) if each.thumbnail]
    values = np.array([measured[index].values for index in usable], np.float64).reshape(len(usable), len(MEASURES))
    thumbnails = unpacked([measured[index].thumbnail for index in usable])
    table = Table([records[index] for index in usable], values, thumbnails, question.names)
    document: ShortcutsDocument = {
        "images": len(usable),
        "splits": sorted({record.split or "not said" for record in table.records}),
        "left_out": len(records) - len(usable),
        "measures": _families(),
        "told": labels_told(table, workers),
        "sources_told": sources_told(table),
        "limits": {"family": question.settings.limit, "together": question.settings.together},
        "failures": [],
        "at_fault": [],
        "remarks": [],
    }
    return judged(document, question.settings)


def _families() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for measure in MEASURES.values():
        found.setdefault(measure.family, []).append(measure.words)
    return found
