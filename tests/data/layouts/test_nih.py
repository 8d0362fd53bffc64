"""ChestX-ray14, in the layouts in which copies of it come."""

from pathlib import Path

import pytest
from PIL import Image

from sitegen.data.layouts.nih import FINDINGS, read_nih
from sitegen.errors import DataError

FIRST = (
    "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,"
    "OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y],\n"
)
NEWER = FIRST.replace("Patient Gender", "Patient Sex").replace(",\n", "\n")
ROWS = (
    "00000001_000.png,Cardiomegaly|Emphysema,0,1,058Y,M,PA,2682,2749,0.143,0.143\n"
    "00000001_001.png,No Finding,1,1,58,M,AP,2894,2729,0.143,0.143\n"
    "00030805_000.png,Pleural_Thickening,0,30805,414,F,PA,2048,2500,0.171,0.171\n"
)


def publish(folder: Path, header: str = NEWER, rows: str = ROWS, name: str = "Data_Entry_2017_v2020.csv") -> Path:
    (folder / name).write_text(header + rows, encoding="utf-8")
    (folder / "train_val_list.txt").write_text("00000001_000.png\n00000001_001.png\n", encoding="utf-8")
    (folder / "test_list.txt").write_text("00030805_000.png", encoding="utf-8")
    for place in ("images_001/images/00000001_000.png", "images_012/images/00030805_000.png"):
        (folder / place).parent.mkdir(parents=True)
        Image.new("L", (4, 4)).save(folder / place)
    return folder


@pytest.mark.parametrize("header", [FIRST, NEWER])
def test_every_column_that_matters_is_read(tmp_path: Path, header: str) -> None:
    first, second, third = read_nih(publish(tmp_path, header))
    assert [name for name, value in first.labels.items() if value] == ["Cardiomegaly", "Emphysema"]
    assert list(first.labels) == list(FINDINGS)
    assert set(second.labels.values()) == {0.0}
    assert third.labels["Pleural_Thickening"] == 1.0
    assert [each.patient for each in (first, second, third)] == ["nih:00000001", "nih:00000001", "nih:00030805"]
    assert [each.split for each in (first, second, third)] == ["train_val", "train_val", "test"]
    assert [each.age for each in (first, second, third)] == [58.0, 58.0, 414.0]
    assert [each.sex + " " + each.view for each in (first, second, third)] == ["M PA", "M AP", "F PA"]
    assert (first.source, first.body_part) == ("nih", "chest")


def test_images_are_found_wherever_they_lie(tmp_path: Path) -> None:
    first, second, third = read_nih(publish(tmp_path))
    assert first.path == tmp_path / "images_001/images/00000001_000.png"
    assert third.path == tmp_path / "images_012/images/00030805_000.png"
    assert second.path == tmp_path / "images/00000001_001.png"  # not there: where it would be
    assert not second.path.exists()


def test_there_are_14_findings() -> None:
    assert len(set(FINDINGS)) == 14


def test_the_newer_of_two_tables_counts_unless_one_is_named(tmp_path: Path) -> None:
    older = ROWS.replace("Cardiomegaly|Emphysema", "Mass")
    publish(tmp_path)
    (tmp_path / "Data_Entry_2017.csv").write_text(FIRST + older, encoding="utf-8")
    assert read_nih(tmp_path)[0].labels["Mass"] == 0.0
    assert read_nih(tmp_path, tmp_path / "Data_Entry_2017.csv")[0].labels["Mass"] == 1.0


def test_without_the_lists_there_is_no_split(tmp_path: Path) -> None:
    publish(tmp_path)
    (tmp_path / "train_val_list.txt").unlink()
    (tmp_path / "test_list.txt").unlink()
    assert {each.split for each in read_nih(tmp_path)} == {""}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("Emphysema", "Emphisema", r"row 1 after the header: 'Emphisema' is none of the 14"),
        ("No Finding", "No Finding|Mass", r"row 2 after the header: 'No Finding\|Mass' contradicts itself"),
        ("414", "old", r"row 3 after the header: 'old' is no age"),
        (",30805,", ",?,", "row 3 after the header: invalid literal"),
    ],
)
def test_cells_that_cannot_be_understood_are_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_nih(publish(tmp_path, rows=ROWS.replace(old, new)))


def test_a_folder_without_the_table(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"has no Data_Entry_2017\*\.csv"):
        read_nih(tmp_path)


def test_a_table_without_a_column(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"lacks the column\(s\) View Position"):
        read_nih(publish(tmp_path, header=NEWER.replace("View Position", "View")))
