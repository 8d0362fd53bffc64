"""PadChest, as BIMCV publishes it (Bustos et al., Medical Image Analysis 2020), with labels under the NIH's names.

    PADCHEST_chest_x_ray_images_labels_160K_01.02.19.csv[.gz]    one row an image
    0/*.png … 54/*.png                                           folders as `ImageDir` names them, or one folder

The column `Labels` holds a list as Python writes it. Its names are a superset of the NIH's by the rule that the Chester
papers use: names that are equal, but for capitals and for "_" instead of a blank, are the same finding. A finding
whose name PadChest's table never uses is unknown in all of its images, not absent.
"""

import ast
from collections.abc import Mapping, Sequence
from pathlib import Path

from sitegen.data.layouts.nih import FINDINGS, image_paths
from sitegen.data.records import Labels, Record
from sitegen.data.rows import Row, in_row, read_rows, sex
from sitegen.errors import DataError

TABLES = ("PADCHEST_*.csv", "PADCHEST_*.csv.gz")
SOURCE = "padchest"
UNJUDGED = frozenset({"exclude", "unchanged", "suboptimal study"})
"""Entries that say that the report does not tell what the image shows."""

_COLUMNS = ("ImageID", "ImageDir", "StudyDate_DICOM", "PatientID", "PatientBirth", "PatientSex_DICOM", "Projection")


def read_padchest(
    folder: Path, findings: Sequence[str] = FINDINGS, aliases: Mapping[str, Sequence[str]] | None = None
) -> list[Record]:
    """Return the records of a copy of PadChest, in the order of its table.

    `aliases` adds to the exact names, such as {"Effusion": ["pleural effusion"]}. An image without a list of labels,
    or with one of `UNJUDGED` in it, has the findings that the list names; its others are unknown. `age` is the year
    of the study less the year of birth; `view` is `Projection` ("PA", "L", "AP", …).

    Raises DataError where the table is missing or a cell cannot be understood.
    """
    table = find_table(folder)
    if table is None:
        raise DataError(f"{folder} has no {TABLES[0]}. Name the folder that holds PadChest's table.")
    rows = read_rows(table, (*_COLUMNS, "Labels"))
    lists = []
    for number, row in enumerate(rows):
        try:
            lists.append(listed(row["Labels"]))
        except ValueError as problem:
            raise in_row(table, number, problem) from problem
    names = _names(findings, aliases or {}, {name for entries in lists for name in entries or ()})
    paths = image_paths(folder)
    records = []
    for number, (row, entries) in enumerate(zip(rows, lists, strict=True)):
        path = paths.get(row["ImageID"], folder / row["ImageDir"] / row["ImageID"])
        try:
            records.append(_record(row, path, _labels(entries, names)))
        except ValueError as problem:
            raise in_row(table, number, problem) from problem
    return records


def find_table(folder: Path) -> Path | None:
    """Return the table of the images in a folder, or None."""
    return max((path for pattern in TABLES for path in folder.glob(pattern)), default=None)


def listed(cell: str) -> list[str] | None:
    """Return the entries of a list as Python writes it, in lower case and without blanks around; None for no list.

    Raises ValueError for anything else. Nothing in the cell is run.
    """
    if cell.lower() in ("", "nan"):
        return None
    try:
        entries = ast.literal_eval(cell)
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError) as error:
        raise ValueError(f"{cell[:80]!r} is no list") from error
    if not isinstance(entries, list) or not all(isinstance(entry, str) for entry in entries):
        raise ValueError(f"{cell[:80]!r} is no list of names")
    return [name for entry in entries if (name := entry.strip().lower())]


def _names(findings: Sequence[str], aliases: Mapping[str, Sequence[str]], used: set[str]) -> dict[str, set[str]]:
    """What each finding is called here, among the names that are used at all."""
    wanted = {finding: [finding.replace("_", " "), *aliases.get(finding, ())] for finding in findings}
    return {finding: {name.lower() for name in names} & used for finding, names in wanted.items()}


def _labels(entries: list[str] | None, names: Mapping[str, set[str]]) -> Labels:
    found = set(entries or ())
    judged = entries is not None and not found & UNJUDGED
    otherwise = 0.0 if judged else None
    return {finding: 1.0 if known & found else (otherwise if known else None) for finding, known in names.items()}


def _record(row: Row, path: Path, labels: Labels) -> Record:
    born, taken = row["PatientBirth"], row["StudyDate_DICOM"]
    age = float(int(taken[:4]) - int(float(born))) if born and taken else None
    return Record(
        path,
        f"{SOURCE}:{row['PatientID']}",
        labels,
        "",
        SOURCE,
        age,
        sex(row["PatientSex_DICOM"]),
        row["Projection"],
        "chest",
    )
