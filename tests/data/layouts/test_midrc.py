"""Folders as MIDRC gives them: cases are patients, tables say what is known, pictures may take the files' place."""

import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from sitegen.cli import app
from sitegen.data.drawn_dicom import as_dicom
from sitegen.data.layouts.known import read_dataset
from sitegen.errors import DataError

STUDY, SERIES = "1.2.826.0.1.3680043", "1.2.826.0.1.3680043.10"
DICOM = as_dicom(np.tile(np.arange(40, dtype=np.uint8) * 6, (30, 1)))
TABLE = "submitter_id\tsex\tage_at_index\tcovid19_positive\ncase-1\tFemale\t61\tYes\ncase-2\tMale\t\tNo\n"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Three cases, of which a table knows two; the first has two series."""
    for case, series in (("case-1", SERIES), ("case-1", f"{SERIES}.2"), ("case-2", SERIES), ("case-3", SERIES)):
        place = tmp_path / "copy" / case / STUDY / series
        place.mkdir(parents=True)
        (place / "1.dcm").write_bytes(DICOM)
    (tmp_path / "copy/cases.tsv").write_text(TABLE, encoding="utf-8")
    return tmp_path / "copy"


def test_cases_are_patients_and_tables_say_the_rest(copy: Path) -> None:
    records = read_dataset(copy)
    assert [record.patient for record in records] == ["copy:case-1", "copy:case-1", "copy:case-2", "copy:case-3"]
    assert [record.labels["COVID-19"] for record in records] == [1.0, 1.0, 0.0, None]
    assert [(record.sex, record.age) for record in records[1:]] == [("F", 61.0), ("M", None), ("", None)]
    assert {(record.view, record.body_part, record.source) for record in records} == {("PA", "chest", "copy")}


def test_archives_windowed_are_the_same_data_set(copy: Path, tmp_path: Path) -> None:
    for series in [path for path in copy.glob("*/*/*") if path.is_dir()]:
        with zipfile.ZipFile(series.parent / f"{series.name}.zip", "w") as archive:
            archive.write(series / "1.dcm", "1.dcm")
        (series / "1.dcm").unlink()
        series.rmdir()
    out = tmp_path / "out"
    done = CliRunner().invoke(app, ["data", "window", str(copy), "-o", str(out)])
    assert done.exit_code == 0, done.output
    (out / "cases.tsv").write_text(TABLE, encoding="utf-8")
    records = read_dataset(out)
    assert records[0].path.relative_to(out).as_posix() == f"case-1/{STUDY}/{SERIES}/1.png"
    assert [record.labels["COVID-19"] for record in records] == [1.0, 1.0, 0.0, None]
    assert np.asarray(Image.open(records[0].path))[0].tolist() == list(range(0, 240, 6))


def test_an_export_without_a_table_is_told_by_its_headers(copy: Path) -> None:
    (copy / "cases.tsv").unlink()
    assert {record.source for record in read_dataset(copy)} == {"copy"}
    assert not any(record.patient.partition(":")[2] == "case-1" for record in read_dataset(copy))


@pytest.mark.parametrize(
    ("cell", "message"),
    [("61\tMaybe", "row 1 after the header: covid19_positive is 'Maybe'"), ("old\tYes", "row 1 .*'old' is no age")],
)
def test_cells_that_are_unclear_are_named(copy: Path, cell: str, message: str) -> None:
    (copy / "cases.tsv").write_text(TABLE.replace("61\tYes", cell), encoding="utf-8")
    with pytest.raises(DataError, match=message):
        read_dataset(copy)
