"""Data sets as people have them: each is read rightly, or refused with what is in the way."""

from pathlib import Path

import pytest

from sitegen.data.layouts.class_folders import read_class_folders
from sitegen.data.layouts.known import read_dataset
from sitegen.errors import DataError


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
