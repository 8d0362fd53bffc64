"""Data sets as people have them: each is read rightly, or refused with what is in the way."""

from pathlib import Path

import numpy as np
import pytest

from sitegen.data.layouts.class_folders import read_class_folders
from sitegen.data.layouts.known import read_dataset
from sitegen.errors import DataError
from tests.helpers.dicom_files import as_bytes, radiograph


def publish(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")
    return folder


SPLITS = ("train/sick/1.png", "train/well/2.png", "test/sick/3.png", "test/well/4.png")


@pytest.mark.parametrize(
    "beside", ["submission/5.png", "extra/sick/5.jpg", "Train copy/sick/1.PNG", "unlabelled/a/b/c.webp"]
)
def test_a_folder_of_images_beside_the_splits(tmp_path: Path, beside: str) -> None:
    publish(tmp_path, *SPLITS, beside)
    name = beside.partition("/")[0]
    with pytest.raises(DataError, match=rf"is divided into test, train, and has {name} beside them"):
        read_class_folders(tmp_path)


def test_beside_a_split_without_labels(tmp_path: Path) -> None:
    publish(tmp_path, "train/sick/1.png", "train/well/2.png", "test/3.png", "more/4.png")
    with pytest.raises(DataError, match="has more beside them"):
        read_class_folders(tmp_path)


def test_folders_without_images_beside_the_splits(tmp_path: Path) -> None:
    publish(tmp_path, *SPLITS, "docs/readme.txt", "scripts/a.py")
    records = read_class_folders(tmp_path)
    assert [(each.split, each.label) for each in records] == [
        ("test", "sick"), ("test", "well"), ("train", "sick"), ("train", "well")
    ]  # fmt: skip


def test_classes_that_are_called_like_a_split(tmp_path: Path) -> None:
    publish(tmp_path, "train/1.png", "bus/2.png")
    assert [each.label for each in read_class_folders(tmp_path)] == ["bus", "train"]


@pytest.mark.parametrize("between", [",", ";", "\t"])
def test_what_stands_between_cells(tmp_path: Path, between: str) -> None:
    publish(tmp_path, "a.png", "b.png")
    rows = [("file", '"age, in years"', "label"), ("a.png", '"7;8"', "sick"), ("b.png", '"1\t2"', "well")]
    (tmp_path / "table.csv").write_text("\n".join(between.join(row) for row in rows))
    assert [(each.path.name, each.label) for each in read_dataset(tmp_path / "table.csv")] == [
        ("a.png", "sick"), ("b.png", "well")
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("yes", "no"), [("True", "False"), ("TRUE", "FALSE"), ("yes", "no"), ("1", "0"), ("1.0", "0.0")]
)
def test_labels_in_words(tmp_path: Path, yes: str, no: str) -> None:
    (tmp_path / "table.csv").write_text(f"file,Mass,Nodule,note\na.png,{yes},{no},x\nb.png,{no},,y\nc.png,-1,{yes},z\n")
    assert [each.labels for each in read_dataset(tmp_path / "table.csv")] == [
        {"Mass": 1.0, "Nodule": 0.0},
        {"Mass": 0.0, "Nodule": None},
        {"Mass": None, "Nodule": 1.0},
    ]


def test_paths_of_another_system(tmp_path: Path) -> None:
    publish(tmp_path, "images/a.png", "images/deep/b.png")
    (tmp_path / "table.csv").write_text("file,label\nimages\\a.png,x\n.\\images\\deep\\b.png,y\nnone\\c.png,x\n")
    records = read_dataset(tmp_path / "table.csv")
    assert [each.path.exists() for each in records] == [True, True, False]
    assert records[0].patient == "images/a.png"


def test_names_without_endings(tmp_path: Path) -> None:
    publish(tmp_path, "a.png", "b.JPG", "c.png", "c.jpg", "d.1.png")
    (tmp_path / "table.csv").write_text("image,label\na,x\nb,y\nc,x\nd.1,y\ne,y\n")
    names = [each.path.name for each in read_dataset(tmp_path / "table.csv")]
    assert names == ["a.png", "b.JPG", "c", "d.1.png", "e"]  # two could be c, and none is e: the audit says so


CLASSES = ("sick/1.png", "well/2.png")


@pytest.mark.parametrize(
    ("published", "named"),
    [
        ((*CLASSES, "data/sick/1.png", "data/well/2.png"), "data/sick has|has data/sick, .* like a class"),
        ((*CLASSES, "archive/v2/Well/2.png"), "has archive/v2/Well, .* like a class"),
        ((*CLASSES, "sick/well/3.png"), "has sick/well, .* like a class"),
        ((*CLASSES, "sick/sick/1.png"), "has sick/sick, .* like a class"),
        (("xrays/train/sick/1.png", "xrays/test/well/2.png"), "has xrays/test, .* like a split"),
        (("xrays/xrays/train/sick/1.png", "xrays/train/well/2.png"), "has xrays/train, .* like a split|xrays/xrays"),
        (("sick/train/1.png", "sick/test/2.png", "well/train/3.png"), "has sick/test, .* like a split"),
        ((*SPLITS, "train/train/sick/1.png", "train/train/well/2.png"), "has train/train, .* like the split"),
        (("train/Training/sick/1.png", "test/test/well/2.png"), "has test/test, .* like the split"),
        ((*SPLITS, "train/sick/copy/well/2.png"), "has train/sick/copy/well, .* like a class"),
    ],
)
def test_copies_of_a_data_set_in_itself(tmp_path: Path, published: tuple[str, ...], named: str) -> None:
    with pytest.raises(DataError, match=named):
        read_dataset(publish(tmp_path, *published))


@pytest.mark.parametrize(
    "published",
    [
        ("sick/sick/1.png", "well/2.png"),  # wrapped twice
        ("sick/ward-1/1.png", "well/ward-1/2.png"),
        ("train/sick/a/1.png", "train/well/a/2.png", "test/sick/a/3.png"),
        ("train/1.png", "bus/2.png"),
    ],
)
def test_folders_in_classes_that_are_no_copies(tmp_path: Path, published: tuple[str, ...]) -> None:
    assert len(read_dataset(publish(tmp_path, *published))) == len(published)


def test_copies_among_dicom_files(tmp_path: Path) -> None:
    publish(tmp_path, *(f"{place}.dcm" for place in ("sick/a", "sick/b", "well/c", "well/d", "old/sick/a", "old/b")))
    for number, path in enumerate(sorted(tmp_path.rglob("*.dcm"))):
        path.write_bytes(as_bytes(radiograph(np.zeros((4, 4), np.uint8), PatientID=str(number))))
    with pytest.raises(DataError, match=r"has old/sick, .* like a class"):
        read_dataset(tmp_path)
