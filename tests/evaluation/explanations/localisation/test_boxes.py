"""Tables of boxes: both forms, what is wrong with them, and which files their images are."""

from pathlib import Path

import pytest

from sitegen.errors import DataError
from sitegen.evaluation.explanations.localisation.boxes import Box, files_of, image_name, nih_patient, read_boxes


def table(folder: Path, text: str) -> Path:
    path = folder / "boxes.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_shares_of_the_image(tmp_path: Path) -> None:
    rows = "image,split,finding,x,y,w,h\n00000032_037,train,Infiltration,0.25,0.125,0.5,0.25\n"
    assert read_boxes(table(tmp_path, rows)) == [Box("00000032_037", "train", "Infiltration", 0.25, 0.125, 0.75, 0.375)]


def test_a_table_without_splits(tmp_path: Path) -> None:
    (box,) = read_boxes(table(tmp_path, "finding,image,x,y,w,h\nMass,a.png,0,0,1,1\n"))
    assert (box.image, box.split, box.sides) == ("a", "", (0, 0, 1, 1))


def test_the_nihs_own_table_is_in_pixels(tmp_path: Path) -> None:
    rows = (
        "Image Index,Finding Label,Bbox [x,y,w,h],,,\n"
        "00013118_008.png,Atelectasis,256,512,128,64,,,\n"
        "00014716_007.png,Infiltrate,0,0,1024,1024,,,\n"
    )
    assert read_boxes(table(tmp_path, rows)) == [
        Box("00013118_008", "", "Atelectasis", 0.25, 0.5, 0.375, 0.5625),
        Box("00014716_007", "", "Infiltration", 0, 0, 1, 1),
    ]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("image,finding,x,y,w\na,Mass,0,0,1\n", "lacks the column(s) h"),
        ("image,finding,x,y,w,h\n", "has no boxes"),
        ("image,finding,x,y,w,h\na,Mass,0,0,0,1\n", "row 1 after the header"),
        ("image,finding,x,y,w,h\na,Mass,0,0,1,1\na,Mass,nan,0,1,1\n", "row 2 after the header"),
        ("image,finding,x,y,w,h\na,Mass,0,0,one,1\n", "one"),
        ("image,finding,x,y,w,h\na,Mass,256,512,128,64\n", "leaves the image"),
        ("image,finding,x,y,w,h\na,,0,0,1,1\n", "is blank"),
    ],
)
def test_what_is_no_box_is_named(tmp_path: Path, rows: str, words: str) -> None:
    with pytest.raises(DataError) as caught:
        read_boxes(table(tmp_path, rows))
    assert words in str(caught.value)


def test_images_are_told_by_name_with_or_without_a_prefix() -> None:
    files = [Path("test/nih_00000032_037.jpg"), Path("b/other_1.png"), Path("1.png"), Path("x_2.png")]
    found = files_of(["00000032_037", "1", "2", "3"], files)
    assert found == {"00000032_037": files[0], "1": Path("1.png"), "2": Path("x_2.png")}


def test_a_name_of_two_files_is_no_name() -> None:
    with pytest.raises(DataError, match="like several files"):
        files_of(["1"], [Path("a/x_1.png"), Path("b/x_1.png")])


def test_names_of_images_and_patients() -> None:
    assert image_name("a\\b/c.v2.JPG") == "c.v2"
    assert nih_patient("00000032_037") == nih_patient("nih_00000032_000") == "nih:00000032"
    assert nih_patient("p1") is None
