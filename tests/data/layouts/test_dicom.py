"""Folders of DICOM files: which files, whose, and what in them."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sitegen.data.audit.audit import audit
from sitegen.data.layouts.dicom import dicom_files
from sitegen.data.layouts.known import read_dataset
from sitegen.data.layouts.label_styles import Findings
from sitegen.data.records import Record
from sitegen.data.tensors.cache import usable_tensors
from sitegen.errors import DataError
from sitegen.phantom import phantom
from sitegen_runtime.bundle.model import NetworkInput
from tests.helpers.dicom_files import as_bytes, radiograph, without_prefix, write_radiograph

INPUT = {"classifier": NetworkInput("image", (1, 1, 32, 32), "grey", 1.0, (-1.0, 1.0), (0.0,), (1.0,))}
SMALL = np.arange(600, dtype=np.uint16).reshape(24, 25)


def scan(seed: int) -> np.ndarray:
    return phantom(seed, 48).astype(np.uint16) * 16


@pytest.fixture
def hospital(tmp_path: Path) -> Path:
    """A folder a class; two images of one patient, one of another, one whose patient is not said."""
    folder = tmp_path / "hospital"
    write_radiograph(
        folder / "SICK/IM0001", scan(1), PatientID="7", PatientAge="058Y", PatientSex="F", ViewPosition="PA"
    )
    write_radiograph(folder / "SICK/IM0002.dcm", scan(2), PatientID="8", PatientAge="018M", PatientSex="O")
    write_radiograph(folder / "WELL/a.ima", scan(3), PatientID=" 7 ", BodyPartExamined="CHEST", ViewPosition="ap")
    write_radiograph(folder / "WELL/b", scan(4), PatientAge="")
    return folder


def test_headers_say_whose_and_what_an_image_is(hospital: Path) -> None:
    first, second, third, fourth = read_dataset(hospital)
    sick, well = {"SICK": 1.0, "WELL": 0.0}, {"SICK": 0.0, "WELL": 1.0}
    assert first == Record(hospital / "SICK/IM0001", "hospital:7902699be42c", sick, "", "hospital", 58.0, "F", "PA", "")
    assert second == Record(
        hospital / "SICK/IM0002.dcm", "hospital:2c624232cdd2", sick, "", "hospital", 1.5, "", "", ""
    )
    assert third == Record(
        hospital / "WELL/a.ima", "hospital:7902699be42c", well, "", "hospital", None, "", "AP", "chest"
    )
    assert fourth == Record(hospital / "WELL/b", "hospital:WELL/b", well, "", "hospital")


def test_files_are_told_by_their_content(hospital: Path) -> None:
    (hospital / "SICK/old").write_bytes(without_prefix(radiograph(SMALL)))
    (hospital / "SICK/notes.txt").write_text("nothing")
    (hospital / "SICK/empty.dcm").write_bytes(b"")
    (hospital / "DICOMDIR").write_bytes(as_bytes(radiograph(SMALL)))
    write_radiograph(hospital / ".Trash/a.dcm", SMALL)
    names = [path.relative_to(hospital).as_posix() for path in dicom_files(hospital)]
    assert names == ["SICK/IM0001", "SICK/IM0002.dcm", "SICK/old", "WELL/a.ima", "WELL/b"]


def test_folders_named_like_splits(tmp_path: Path) -> None:
    for split, name, patient in (("train", "SICK", "1"), ("train", "WELL", "2"), ("test", "WELL", "3")):
        write_radiograph(tmp_path / split / name / "a", SMALL, PatientID=patient)
    write_radiograph(tmp_path / "train/WELL/b", SMALL, PatientID="4")
    found = [(record.split, record.label) for record in read_dataset(tmp_path)]
    assert found == [("test", "WELL"), ("train", "SICK"), ("train", "WELL"), ("train", "WELL")]


def test_a_folder_a_patient_is_no_class(tmp_path: Path) -> None:
    for patient in ("p1", "p2", "p3"):
        for study in ("a", "b"):
            write_radiograph(tmp_path / patient / study / "IM1", SMALL, PatientID=patient)
    records = read_dataset(tmp_path)
    assert len(records) == 6
    assert all(record.labels == {} for record in records)
    write_radiograph(tmp_path / "IM9", SMALL, PatientID="p3")  # and so where one lies in no folder
    assert all(record.labels == {} for record in read_dataset(tmp_path))


def test_one_folder_around_all_is_no_class(tmp_path: Path) -> None:
    for name, patient in (("a", "1"), ("b", "2")):
        write_radiograph(tmp_path / "DICOM" / name, SMALL, PatientID=patient)
    assert [record.labels for record in read_dataset(tmp_path)] == [{}, {}]


def test_a_table_in_the_folder_has_the_last_word(hospital: Path) -> None:
    (hospital / "labels.csv").write_text("file,Mass,Nodule,age\nWELL/b,1,,61\nSICK/IM0001,0,1,\n", encoding="utf-8")
    (hospital / "split.csv").write_text("file,patient,split\nWELL/b,x,train\n", encoding="utf-8")
    (hospital / "notes.csv").write_text("who,what\nme,nothing\n", encoding="utf-8")
    first, second = read_dataset(hospital)
    assert first == Record(
        hospital / "WELL/b", "hospital:WELL/b", {"Mass": 1.0, "Nodule": None}, "", "hospital", 61.0, "", "", ""
    )
    assert (second.patient, second.labels, second.age) == ("hospital:7902699be42c", {"Mass": 0.0, "Nodule": 1.0}, 58.0)
    assert read_dataset(hospital / "labels.csv") == [first, second]


def test_a_table_without_labels_leaves_them_to_the_folders(hospital: Path) -> None:
    (hospital / "patients.csv").write_text(
        "file,patient,sex\nSICK/IM0001,a,M\nWELL/b,b,\nWELL/a.ima,c,\n", encoding="utf-8"
    )
    found = [(record.patient, record.sex, record.label) for record in read_dataset(hospital)]
    assert found == [("a", "M", "SICK"), ("b", "", "WELL"), ("c", "", "WELL")]


def test_the_column_of_labels_may_be_named(hospital: Path) -> None:
    with pytest.raises(DataError, match="has no CSV file with a column for the file"):
        read_dataset(hospital, Findings("seen"))
    (hospital / "t.csv").write_text("path,seen\nSICK/IM0001,Mass|Nodule\nWELL/b,normal\n", encoding="utf-8")
    assert [record.labels for record in read_dataset(hospital, Findings("seen"))] == [
        {"Mass": 1.0, "Nodule": 1.0},
        {"Mass": 0.0, "Nodule": 0.0},
    ]


def test_what_is_unclear_is_asked(hospital: Path) -> None:
    for name in ("a.csv", "b.csv"):
        (hospital / name).write_text("file,label\nWELL/b,WELL\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"several tables: a\.csv, b\.csv\. Name the one"):
        read_dataset(hospital)
    Image.fromarray(phantom(0, 48)).save(hospital / "WELL/c.png")
    with pytest.raises(DataError, match="4 DICOM files and 1 other images"):
        read_dataset(hospital)


def test_tables_of_other_images_are_left_as_they_are(tmp_path: Path) -> None:
    Image.fromarray(phantom(0, 48)).save(tmp_path / "a.png")
    (tmp_path / "t.csv").write_text("file,label\na.png,WELL\ngone.dcm,WELL\n", encoding="utf-8")
    first, second = read_dataset(tmp_path / "t.csv")
    assert (first.patient, first.source, second.patient, second.source) == ("a.png", "", "gone.dcm", "")


def test_the_audit_and_the_tensors_take_the_files(hospital: Path) -> None:
    (hospital / "SICK/copy").write_bytes(as_bytes(radiograph(scan(1), PatientID="9", PatientAge="x")))
    (hospital / "WELL/cut").write_bytes((hospital / "WELL/b").read_bytes()[:-100])
    (hospital / "WELL/damaged").write_bytes(b"\x08\0\x05\0" + b"\xff" * 200)
    records = read_dataset(hospital)
    report = audit(records, workers=1)
    assert (report["images"], report["patients"]) == (7, 6)
    assert [entry["file"][-12:] for entry in report["problems"]["unreadable"]] == [
        "spital/WELL/cut"[-12:],
        "WELL/damaged",
    ]
    (duplicate,) = report["problems"]["duplicates"]
    assert duplicate["files"] == [str(hospital / "SICK/IM0001"), str(hospital / "SICK/copy")]
    assert duplicate["several_patients"] is True
    assert report["sizes"]["most"] == [{"width": 48, "height": 48, "images": 5}]
    assert list(report["prevalence"]["age"]) == ["00–17", "40–59", "not said"]
    paths = [record.path for record in records]
    usable = usable_tensors(paths, INPUT, hospital.parent / "cache", workers=1)
    assert usable.kept == [0, 1, 2, 3, 4]
    assert [path.name for path, _ in usable.problems] == ["cut", "damaged"]
    grey = phantom(1, 48).astype(float)
    expected = 2 * (grey - grey.min()) / (grey.max() - grey.min()) - 1
    assert usable.tensors["classifier"][0].mean() == pytest.approx(expected.mean(), abs=1e-4)
