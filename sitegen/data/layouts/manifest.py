"""The project's own layout of a data set: a folder with images and a `manifest.csv`, one row an image.

Columns that must be there: `file` (path inside the folder), `set` (the source), `label` (one class), `split`,
`patient_id` (unique over all sources). `age`, `sex` and `view` are read where they are; others are ignored.
"""

from pathlib import Path

from sitegen.data.layouts.label_styles import ClassColumn, LabelStyle
from sitegen.data.layouts.tables import Columns, read_table
from sitegen.data.records import Record, check_patients, select
from sitegen.data.rows import columns_of
from sitegen.errors import DataError

__all__ = ["COLUMNS", "MANIFEST", "Record", "read_manifest", "select"]

MANIFEST = "manifest.csv"
COLUMNS = ("file", "set", "label", "split", "patient_id")
_OPTIONAL = ("age", "sex", "view")


def read_manifest(folder: Path, labels: LabelStyle | None = None, *, check: bool = True) -> list[Record]:
    """Read `folder/manifest.csv`, in its order; its labels are the classes in `label` where no style is given.

    Raises DataError where the file or a column is missing, or, with `check`, where a patient is in two splits.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise DataError(f"{folder} has no {MANIFEST}. Name the folder of a data set.")
    header = columns_of(path)
    missing = [name for name in COLUMNS if name not in header]
    if missing:
        raise DataError(f"{path} lacks the column(s) {', '.join(missing)}. Add them.")
    extra = {name: name for name in _OPTIONAL if name in header}
    columns = Columns(file="file", patient="patient_id", split="split", source="set", **extra)
    records = read_table(path, columns, labels or ClassColumn("label"))
    if check:
        check_patients(records, path)
    return records
