"""A folder a class, and MURA's folders of studies."""

import re
from pathlib import Path

import pytest

from sitegen.data.layouts.class_folders import read_class_folders
from sitegen.data.layouts.mura import read_mura
from sitegen.errors import DataError


def publish(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")
    return folder


def test_kermanys_layout(tmp_path: Path) -> None:
    records = read_class_folders(
        publish(
            tmp_path,
            "train/NORMAL/IM-0115-0001.jpeg",
            "train/NORMAL/NORMAL2-IM-0468-0001.jpeg",
            "val/PNEUMONIA/person1946_bacteria_4874.jpeg",
            "test/NORMAL/IM-0033-0001-0002.jpeg",
            "test/PNEUMONIA/person50_virus_102.jpeg",
            "test/PNEUMONIA/person50_bacteria_7.jpeg",
            "test/.DS_Store",
            "__MACOSX/train/NORMAL/._IM-0115-0001.jpeg",
        )
    )
    assert [(each.path.name, each.patient, each.split, each.label) for each in records] == [
        ("IM-0033-0001-0002.jpeg", "kermany:IM-0033", "test", "NORMAL"),
        ("person50_bacteria_7.jpeg", "kermany:person50", "test", "PNEUMONIA"),
        ("person50_virus_102.jpeg", "kermany:person50", "test", "PNEUMONIA"),
        ("IM-0115-0001.jpeg", "kermany:IM-0115", "train", "NORMAL"),
        ("NORMAL2-IM-0468-0001.jpeg", "kermany:NORMAL2-IM-0468", "train", "NORMAL"),
        ("person1946_bacteria_4874.jpeg", "kermany:person1946", "valid", "PNEUMONIA"),
    ]
    assert records[0].labels == {"NORMAL": 1.0, "PNEUMONIA": 0.0}
    assert {each.source for each in records} == {"kermany"}


def test_without_a_rule_an_image_is_its_own_patient(tmp_path: Path) -> None:
    first, second = read_class_folders(publish(tmp_path, "cat/deep/1.png", "dog/1.PNG", "notes.txt", "loose.png"))
    assert (first.patient, first.label, first.split, first.source) == ("cat/deep/1.png", "cat", "", "")
    assert (second.patient, second.label) == ("dog/1.PNG", "dog")


def test_a_rule_of_ones_own(tmp_path: Path) -> None:
    publish(tmp_path, "a/p1-left.png", "b/p1-right.png")
    records = read_class_folders(tmp_path, re.compile(r"(p\d+)-\w+"), "here")
    assert [each.patient for each in records] == ["here:p1", "here:p1"]
    publish(tmp_path, "b/unnamed.png")
    with pytest.raises(DataError, match=r"unnamed\.png does not tell its patient"):
        read_class_folders(tmp_path, re.compile(r"(p\d+)-\w+"))


def test_a_class_may_be_called_like_a_split_where_others_are_not(tmp_path: Path) -> None:
    records = read_class_folders(publish(tmp_path, "test/1.png", "control/1.png"))
    assert [(each.label, each.split) for each in records] == [("control", ""), ("test", "")]


def test_a_folder_without_classes(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no folders with images"):
        read_class_folders(publish(tmp_path, "1.png"))


def test_mura(tmp_path: Path) -> None:
    records = read_mura(
        publish(
            tmp_path,
            "train/XR_ELBOW/patient00011/study1_negative/image1.png",
            "valid/XR_WRIST/patient11185/study2_positive/image3.png",
            "valid/XR_WRIST/patient11185/study2_positive/._image3.png",
            "valid/XR_WRIST/patient11185/study3_unknown/image1.png",
        )
    )
    assert [(each.patient, each.split, each.labels, each.body_part) for each in records] == [
        ("mura:patient00011", "train", {"Abnormal": 0.0}, "elbow"),
        ("mura:patient11185", "valid", {"Abnormal": 1.0}, "wrist"),
    ]
    assert records[1].path == tmp_path / "valid/XR_WRIST/patient11185/study2_positive/image3.png"
    with pytest.raises(DataError, match="has no studies such as"):
        read_mura(tmp_path / "train")
