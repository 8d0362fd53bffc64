"""What is wrong with a data set, and what is in it: looked at before training, file by file.

Problems are what makes figures wrong: files that cannot be read, the same image twice, a patient on both sides of a
split, an age that no one reaches. Everything else is described and left to judgement.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from statistics import median
from typing import TYPE_CHECKING

from sitegen import parallel
from sitegen.data.audit.document_types import (
    AuditDocument,
    DuplicateDocument,
    GroupCounts,
    LabelCounts,
    ProblemsDocument,
    SizesDocument,
    SpreadDocument,
)
from sitegen.data.audit.look import Seen, look
from sitegen.data.audit.places import records_digest
from sitegen.data.audit.shortcuts.document_types import ShortcutsDocument
from sitegen.data.records import TEST, TRAIN, Record, label_names, straddling_patients

if TYPE_CHECKING:
    from sitegen.data.audit.shortcuts.report import ShortcutQuestion

__all__ = ["GROUPS", "SCHEMA", "age_group", "audit", "look", "prevalence"]

SCHEMA = "sitegen.data-audit/1"
OLDEST = 120
"""Years; a greater age is a problem of the data."""

_AGES = ((0, 18), (18, 40), (40, 60), (60, 80), (80, OLDEST + 1))
_UNSAID = "not said"
_SIZES = 10
_TRAINED = (TRAIN, "train_val")


def audit(
    records: Sequence[Record], workers: int | None = None, shortcuts: "ShortcutQuestion | None" = None
) -> AuditDocument:
    """Return the report on a data set: JSON's types alone, described in docs/data.md.

    Every file is read whole, in `workers` processes (all cores by default, where there are enough files). Paths are as
    the records have them. With `shortcuts` it is also measured how well labels are told by what is no anatomy, which
    needs scikit-learn. Raises SettingsError where what is accepted there names nothing.
    """
    looks, told = _looks(records, workers, shortcuts)
    problems: ProblemsDocument = {
        "unreadable": [
            {"file": str(record.path), "problem": seen.problem}
            for record, seen in zip(records, looks, strict=True)
            if seen.problem
        ],
        "duplicates": list(_duplicates(records, looks)),
        "patients_in_several_splits": straddling_patients(records),
        "impossible_ages": [
            {"file": str(record.path), "age": record.age}
            for record in records
            if record.age is not None and record.age > OLDEST
        ],
    }
    return {
        "schema": SCHEMA,
        "records": records_digest(records),
        "images": len(records),
        "patients": len({record.patient for record in records}),
        "images_of_a_patient": _spread(Counter(record.patient for record in records).values()),
        "problems": problems,
        "clean": not any(problems.values()),
        "sizes": _sizes(looks),
        "labels": label_names(records),
        "prevalence": {name: prevalence(records, of) for name, of in GROUPS.items()},
        "shared_collections": shared_collections(records),
        "shortcuts": told,
    }


def shared_collections(records: Iterable[Record]) -> list[str]:
    """Return the sources with images both to train on and to test with: figures say nothing of other collections.

    Where nobody says what images are from, that is one collection, "not said".
    """
    sources: dict[bool, set[str]] = {True: set(), False: set()}
    for record in records:
        if record.split == TEST or record.split in _TRAINED:
            sources[record.split == TEST].add(record.source or _UNSAID)
    return sorted(sources[True] & sources[False])


def prevalence(records: Iterable[Record], of: Callable[[Record], str]) -> dict[str, GroupCounts]:
    """Return, by group in alphabetical order, the images, patients, and for each label how many have and lack it.

    Images in which a label is not known count with neither.
    """
    groups: dict[str, list[Record]] = {}
    for record in records:
        groups.setdefault(of(record) or _UNSAID, []).append(record)
    return {name: _counts(group) for name, group in sorted(groups.items())}


def age_group(record: Record) -> str:
    """Return the name of a record's age group, "" where the age is not known, or impossible."""
    if record.age is None or record.age > OLDEST:
        return ""
    low, high = next((low, high) for low, high in _AGES if low <= record.age < high)
    return f"{low:02d}–{high - 1:02d}"


GROUPS: dict[str, Callable[[Record], str]] = {
    "split": lambda record: record.split,
    "source": lambda record: record.source,
    "age": age_group,
    "sex": lambda record: record.sex,
    "view": lambda record: record.view,
    "body_part": lambda record: record.body_part,
}
"""What prevalence is broken down by, and the group of a record."""


def _looks(
    records: Sequence[Record], workers: int | None, shortcuts: "ShortcutQuestion | None"
) -> tuple[list[Seen], ShortcutsDocument | None]:
    if shortcuts is None:
        return parallel.each(look, [record.path for record in records], workers), None
    from sitegen.data.audit.shortcuts.report import measured_records  # scikit-learn, for those who ask

    return measured_records(records, shortcuts, workers)


def _counts(group: Sequence[Record]) -> GroupCounts:
    labels: dict[str, LabelCounts] = {}
    for name in label_names(group):
        values = Counter(record.labels.get(name) for record in group)
        labels[name] = {"present": values[1.0], "absent": values[0.0]}
    return {"images": len(group), "patients": len({record.patient for record in group}), "labels": labels}


def _duplicates(records: Sequence[Record], looks: Sequence[Seen]) -> Iterator[DuplicateDocument]:
    same: dict[str, list[Record]] = {}
    for record, seen in zip(records, looks, strict=True):
        if seen.content:
            same.setdefault(seen.content, []).append(record)
    for group in same.values():
        if len(group) > 1:
            yield {
                "files": [str(record.path) for record in group],
                "several_splits": len({record.split for record in group}) > 1,
                "several_patients": len({record.patient for record in group}) > 1,
                "labels_differ": any(record.labels != group[0].labels for record in group),
            }


def _sizes(looks: Iterable[Seen]) -> SizesDocument:
    sizes = Counter((seen.width, seen.height) for seen in looks if seen.content)
    if not sizes:
        return {"different": 0, "width": None, "height": None, "aspect": None, "most": []}
    return {
        "different": len(sizes),
        "width": _spread(width for width, _ in sizes.elements()),
        "height": _spread(height for _, height in sizes.elements()),
        "aspect": _spread(round(width / height, 4) for width, height in sizes.elements()),
        "most": [{"width": w, "height": h, "images": n} for (w, h), n in sizes.most_common(_SIZES)],
    }


def _spread(values: Iterable[float]) -> SpreadDocument:
    known = list(values)
    return {"least": min(known), "median": median(known), "most": max(known)} if known else {}
