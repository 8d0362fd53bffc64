"""Which images a data set has: one row of `manifest.csv` an image.

Columns read: `file` (path inside the folder), `set` (the source), `label`, `split`, `patient_id`. Others are ignored.
"""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sitegen.errors import DataError

MANIFEST = "manifest.csv"
COLUMNS = ("file", "set", "label", "split", "patient_id")


@dataclass(frozen=True)
class Record:
    """One image of a data set. `patient` is unique over all sources; no patient may be in two splits."""

    path: Path
    source: str
    label: str
    split: str
    patient: str


def read_manifest(folder: Path) -> list[Record]:
    """Read `folder/manifest.csv`, in its order.

    Raises DataError where the file or a column is missing, or where a patient is in two splits.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise DataError(f"{folder} has no {MANIFEST}. Name the folder of a data set.")
    with path.open(encoding="utf-8", newline="") as lines:
        rows = csv.DictReader(lines)
        missing = [name for name in COLUMNS if name not in (rows.fieldnames or ())]
        if missing:
            raise DataError(f"{path} lacks the column(s) {', '.join(missing)}. Add them.")
        records = [
            Record(folder / row["file"], row["set"], row["label"], row["split"], row["patient_id"]) for row in rows
        ]
    _check_patients(path, records)
    return records


def _check_patients(path: Path, records: Iterable[Record]) -> None:
    split_of: dict[str, str] = {}
    for record in records:
        if split_of.setdefault(record.patient, record.split) != record.split:
            raise DataError(
                f"{path} has the patient {record.patient!r} in two splits, {split_of[record.patient]!r} and "
                f"{record.split!r}. Keep all images of a patient in one."
            )


def select(records: Iterable[Record], split: str, source: str | None = None) -> list[Record]:
    """Return the records of a split, of one source where it is named."""
    return [record for record in records if record.split == split and source in (None, record.source)]
