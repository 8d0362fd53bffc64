"""CSV files with a row an image, in every style of labels."""

import gzip
from collections.abc import Mapping
from pathlib import Path

import pytest

from sitegen.data.layouts.label_styles import ClassColumn, Findings, LabelColumns, OneHot
from sitegen.data.layouts.tables import Columns, read_table
from sitegen.data.rows import read_rows, sex, years
from sitegen.errors import DataError


def table(folder: Path, text: str, name: str = "images.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def labels(
    path: Path, style: LabelColumns | Findings | ClassColumn | OneHot | None = None
) -> list[Mapping[str, float | None]]:
    return [record.labels for record in read_table(path, labels=style)]


def test_one_column_a_label_with_blanks_for_unknown(tmp_path: Path) -> None:
    path = table(tmp_path, "path,Mass,Nodule,width\na.png,1,0,512\nb.png,,-1,512\nc.png,0.0,1.0,512\n")
    assert labels(path) == [{"Mass": 1, "Nodule": 0}, {"Mass": None, "Nodule": None}, {"Mass": 0, "Nodule": 1}]
    assert labels(path, LabelColumns(["Nodule"])) == [{"Nodule": 0}, {"Nodule": None}, {"Nodule": 1}]


def test_findings_with_bars_between(tmp_path: Path) -> None:
    path = table(tmp_path, "file,findings\na.png,Nodule | Mass\nb.png,No Finding\nc.png,\nd.png,normal\n")
    nothing = {"Mass": 0, "Nodule": 0}
    assert labels(path) == [{"Mass": 1, "Nodule": 1}, nothing, {"Mass": None, "Nodule": None}, nothing]
    named = Findings("findings", names=["Mass", "Nodule", "Hernia"])
    assert labels(path, named)[0] == {"Mass": 1, "Nodule": 1, "Hernia": 0}
    with pytest.raises(DataError, match="row 1 after the header: 'Nodule' is none of Mass"):
        labels(path, Findings("findings", names=["Mass"]))
    spaced = table(tmp_path, "file,Diseases\na.png,Atelectasis Effusion\n")
    assert labels(spaced, Findings("Diseases", delimiter=" ")) == [{"Atelectasis": 1, "Effusion": 1}]


def test_one_class_an_image(tmp_path: Path) -> None:
    path = table(tmp_path, "file,label\na.png,SICK\nb.png,WELL\nc.png,\n")
    assert labels(path) == [{"SICK": 1, "WELL": 0}, {"SICK": 0, "WELL": 1}, {"SICK": None, "WELL": None}]
    with pytest.raises(DataError, match="row 2 after the header: 'WELL' is none of SICK"):
        labels(path, ClassColumn("label", ["SICK"]))


def test_one_hot(tmp_path: Path) -> None:
    path = table(tmp_path, 'file,vector\na.png,[0 1 0]\nb.png,"1,0,1"\nc.png,\n')
    names = ["A", "B", "C"]
    assert [list(each.values()) for each in labels(path, OneHot("vector", names))] == [[0, 1, 0], [1, 0, 1], [None] * 3]
    with pytest.raises(DataError, match=r"vector is '\[0 1 0\]', and should have 2 digits"):
        labels(path, OneHot("vector", ["A", "B"]))
    with pytest.raises(DataError, match="should have 1 digits"):
        labels(table(tmp_path, "file,vector\na.png,2\n"), OneHot("vector", ["A"]))


def test_columns_are_told_by_their_usual_names(tmp_path: Path) -> None:
    path = table(
        tmp_path,
        "\ufeffImage,Patient ID,Split,Source,Age,Gender,View Position,Body Part,label\n"
        "x/a.png,p1,train,here,045Y,female,PA,chest,SICK\n",
    )
    (record,) = read_table(path)
    assert record.path == tmp_path / "x/a.png"
    assert (record.patient, record.split, record.source, record.label) == ("p1", "train", "here", "SICK")
    assert (record.age, record.sex, record.view, record.body_part) == (45.0, "F", "PA", "chest")


def test_columns_may_be_named_and_patients_missing(tmp_path: Path) -> None:
    path = table(tmp_path, "picture,who,label\na.png,,SICK\nb.png,p,SICK\n")
    records = read_table(path, Columns("picture", patient="who"))
    assert [record.patient for record in records] == ["a.png", "p"]
    with pytest.raises(DataError, match=r"lacks the column\(s\) whom"):
        read_table(path, Columns("picture", patient="whom"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("a,b\n1,2\n", "no column for the image's file"),
        ("file,label\n,SICK\n", "row 1 after the header: file is blank"),
        ("file,label,age\na.png,SICK,unborn\n", "row 1 after the header: 'unborn' is no age"),
    ],
)
def test_a_table_that_cannot_be_understood(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_table(table(tmp_path, text))


def test_images_without_labels(tmp_path: Path) -> None:
    path = table(tmp_path, "file,width,notes\na.png,512,\nb.png,1,\nc.png,0,\n")
    assert labels(path) == [{}, {}, {}]
    assert labels(table(tmp_path, "file,category\na.png,hand\n")) == [{"hand": 1}]


def test_labels_that_were_named_and_are_wrong(tmp_path: Path) -> None:
    path = table(tmp_path, "file,Mass\na.png,1\nb.png,maybe\n")
    with pytest.raises(DataError, match="row 2 after the header: Mass is 'maybe', and should be 1, 0 or blank"):
        read_table(path, labels=LabelColumns(["Mass"]))
    with pytest.raises(DataError, match=r"lacks the column\(s\) Nodule"):
        read_table(path, labels=LabelColumns(["Nodule"]))


def test_rows_that_are_short_or_long(tmp_path: Path) -> None:
    assert read_rows(table(tmp_path, "a, b\n1\n2,3,4\n")) == [{"a": "1", "b": ""}, {"a": "2", "b": "3"}]


def test_a_packed_table_that_never_ends_is_refused(tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.csv.gz"
    bomb.write_bytes(gzip.compress(b"file,label\n" + b"a" * (17 << 20)))
    with pytest.raises(DataError, match="or 16,777,216 in a line, and no table of images"):
        read_table(bomb)


def test_files_that_are_no_tables(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read: No such file"):
        read_table(tmp_path / "none.csv")
    (tmp_path / "latin.csv").write_bytes("file,label\né.png,A\n".encode("latin1"))
    with pytest.raises(DataError, match="is no CSV file in UTF-8"):
        read_table(tmp_path / "latin.csv")
    packed = gzip.compress(b"file,label\na.png,A\n")
    (tmp_path / "cut.csv.gz").write_bytes(packed[:-9])
    with pytest.raises(DataError, match="Compressed file ended"):
        read_table(tmp_path / "cut.csv.gz")
    (tmp_path / "no.csv.gz").write_bytes(b"file,label\n")
    with pytest.raises(DataError, match="cannot be read: Not a gzipped file"):
        read_table(tmp_path / "no.csv.gz")


@pytest.mark.parametrize(
    ("text", "expected"), [("58", 58), ("058Y", 58), ("006M", 0.5), ("", None), ("62.5", 62.5), ("730D", 1.9987)]
)
def test_ages(text: str, expected: float | None) -> None:
    assert years(text) == (None if expected is None else pytest.approx(expected, abs=1e-4))


@pytest.mark.parametrize("text", ["-1", "58 years", "nan", "1e3"])
def test_what_is_no_age(text: str) -> None:
    with pytest.raises(ValueError, match="is no age"):
        years(text)


def test_sexes() -> None:
    assert [sex(text) for text in ("F", "m", "Female", "MALE", "O", "", "Mx")] == ["F", "M", "F", "M", "", "", ""]
