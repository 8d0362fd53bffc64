"""Images as MIDRC, the Medical Imaging and Data Resource Center, gives them: a folder a case, a study, a series.

    cases.tsv                                     what is known of cases, by submitter_id or case_ids, of any name
    10003752-2XcBp6ey/1.2.826…/1.3.6.1…/1.dcm     DICOM files, or what `sitegen data window` made of them

Series come as archives, `CASE/STUDY/SERIES.zip`, which `sitegen data window` reads; here they are unpacked.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from sitegen.data.layouts.class_folders import images_below
from sitegen.data.layouts.dicom import dicom_files, with_headers
from sitegen.data.records import Labels, Record
from sitegen.data.rows import Row, columns_of, in_row, read_rows, sex, years
from sitegen.errors import DataError

LABEL = "COVID-19"
_POSITIVE = "covid19_positive"
_CASE = ("submitter_id", "case_ids")
_TABLES = ("*.tsv", "*.csv", "*.tsv.gz", "*.csv.gz")
_UID = re.compile(r"[0-9]+(\.[0-9]+){3,}")
_LEVELS = 3
_ANSWERS: dict[str, float | None] = {"yes": 1.0, "true": 1.0, "no": 0.0, "false": 0.0, "": None, "not reported": None}


def is_midrc(folder: Path) -> bool:
    """Whether a folder is laid out so: studies and series have UIDs for names, and it is no plain export of DICOM.

    Without a table of cases, DICOM files are better told apart by the patient in their headers.
    """
    found = next(_series(folder), None)
    return found is not None and (bool(_tables(folder)) or bool(images_below(found)))


def read_midrc(folder: Path) -> list[Record]:
    """Return the records of a copy, sorted by path: a case is a patient, and `source` is the folder's name.

    Age and sex come from the tables, and whether the case had COVID-19, where they have the column; view, body part and
    what is lacking from the headers of DICOM files. Raises DataError where there is no image, or a cell is unclear.
    """
    tables = _tables(folder)
    rows = dict(row for path in tables for row in _rows(path))
    with_label = any(_POSITIVE in columns_of(path) for path in tables)
    source = folder.resolve().name
    records = [
        _record(path, path.relative_to(folder).parts[0], source, rows, with_label)
        for series in sorted(_series(folder))
        for path in sorted({*images_below(series), *dicom_files(series)})
    ]
    if not records:
        raise DataError(f"{folder} has no image in CASE/STUDY/SERIES. Unpack the archives, or window them first.")
    return with_headers(records, folder)


def _record(path: Path, case: str, source: str, rows: Mapping[str, Row], with_label: bool) -> Record:
    row = rows.get(case, {})
    labels: Labels = {LABEL: _ANSWERS[row.get(_POSITIVE, "").lower()]} if with_label else {}
    age = years(row.get("age_at_index", ""))
    return Record(path, f"{source}:{case}", labels, "", source, age, sex(row.get("sex", "")))


def _series(folder: Path) -> Iterator[Path]:
    for path in folder.glob("/".join("*" * _LEVELS)):
        _, study, series = path.relative_to(folder).parts
        if _UID.fullmatch(study) and _UID.fullmatch(series) and path.is_dir():
            yield path


def _tables(folder: Path) -> list[Path]:
    found = sorted(path for pattern in _TABLES for path in folder.glob(pattern))
    return [path for path in found if set(_CASE) & set(columns_of(path))]


def _rows(path: Path) -> Iterator[tuple[str, Row]]:
    """The rows of a table by case. Raises DataError for an answer or an age that is none."""
    key = next(name for name in _CASE if name in columns_of(path))
    for number, row in enumerate(read_rows(path)):
        if row.get(_POSITIVE, "").lower() not in _ANSWERS:
            raise in_row(path, number, f"{_POSITIVE} is {row[_POSITIVE]!r}, and Yes, No or nothing is read")
        try:
            years(row.get("age_at_index", ""))
        except ValueError as error:
            raise in_row(path, number, error) from error
        yield row[key], row
