"""A CSV file with a row for each image, whatever its columns are called."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from sitegen.data.layouts.class_folders import ENDINGS
from sitegen.data.layouts.label_styles import LabelStyle, UnclearCell, guess_style
from sitegen.data.records import Labels, Record
from sitegen.data.rows import Row, columns_of, in_row, read_rows, sex, years
from sitegen.errors import DataError

_ENDINGS = [*sorted(ENDINGS), ".dcm", *(ending.upper() for ending in sorted(ENDINGS)), ".DCM"]


@dataclass(frozen=True)
class Columns:
    """What the columns of a table are called; "" for what it does not have.

    `file` is the path of the image, from the folder that the table lies in.
    """

    file: str
    patient: str = ""
    split: str = ""
    source: str = ""
    age: str = ""
    sex: str = ""
    view: str = ""
    body_part: str = ""

    @property
    def named(self) -> list[str]:
        """The columns that the table has."""
        return [name for field in fields(self) if (name := str(getattr(self, field.name)))]


KNOWN_COLUMNS = {
    "file": ("file", "path", "filename", "file_name", "image", "image_path"),
    "patient": ("patient", "patient_id", "patientid", "patient id", "subject_id"),
    "split": ("split",),
    "source": ("source", "dataset"),
    "age": ("age", "patient age"),
    "sex": ("sex", "gender", "patient sex", "patient gender"),
    "view": ("view", "view_position", "view position", "projection"),
    "body_part": ("body_part", "body part"),
}
"""Names of columns, in lower case, that are understood without being told; the first that a table has counts."""


def read_table(path: Path, columns: Columns | None = None, labels: LabelStyle | None = None) -> list[Record]:
    """Return the records of a table, in its order.

    Where `columns` or `labels` are not given they are guessed: see `guess_columns` and `label_styles.guess_style`.
    Where no column seems to hold labels, records have none. Images without a patient are patients of their own, by
    their path. Raises DataError where a column is missing or a cell cannot be understood.
    """
    header = columns_of(path)
    columns = columns or guess_columns(path, header)
    rows = read_rows(path, columns.named)
    labels = labels or guess_style(rows, header, columns.named)
    read = _labels(path, rows, labels) if labels else [{} for _ in rows]
    records = []
    for number, (row, found) in enumerate(zip(rows, read, strict=True)):
        try:
            records.append(_record(path.parent, row, columns, found))
        except ValueError as problem:
            raise in_row(path, number, problem) from problem
    return records


def guess_columns(path: Path, header: Sequence[str]) -> Columns:
    """Return what the columns of a table seem to mean. Raises DataError where none seems to hold file names."""
    present = {name.lower(): name for name in header}
    found = {
        meaning: next((present[name] for name in names if name in present), "")
        for meaning, names in KNOWN_COLUMNS.items()
    }
    if not found["file"]:
        raise DataError(f"{path} has no column for the image's file, such as 'file' or 'path'. Name one so.")
    return Columns(**found)


def _labels(path: Path, rows: Sequence[Row], style: LabelStyle) -> list[Labels]:
    try:
        return style.read(rows)
    except UnclearCell as problem:
        raise in_row(path, problem.row, problem) from problem
    except KeyError as missing:
        raise DataError(f"{path} lacks the column(s) {missing.args[0]}. Add them.") from missing


def _record(folder: Path, row: Row, columns: Columns, labels: Labels) -> Record:
    def cell(name: str) -> str:
        return row[name] if name else ""

    if not row[columns.file]:
        raise ValueError(f"{columns.file} is blank")
    file = _file(folder, row[columns.file])
    return Record(
        folder / file,
        cell(columns.patient) or file,
        labels,
        cell(columns.split),
        cell(columns.source),
        years(cell(columns.age)),
        sex(cell(columns.sex)),
        cell(columns.view),
        cell(columns.body_part),
    )


def _file(folder: Path, named: str) -> str:
    """Return the path of an image as this system has it: with slashes, and the ending of the one file of that name."""
    if (folder / named).exists():
        return named
    file = named.replace("\\", "/")
    there = [file + ending for ending in _ENDINGS if (folder / (file + ending)).exists()]
    return there[0] if len(there) == 1 and not (folder / file).exists() else file
