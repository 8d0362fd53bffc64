"""A folder is told by what lies in it."""

from pathlib import Path

import pytest

from sitegen.data.layouts.known import read_dataset
from sitegen.data.layouts.label_styles import Findings
from sitegen.errors import DataError

NIH = "Image Index,Finding Labels,Patient ID,Patient Age,Patient Sex,View Position\n00000001_000.png,Mass,1,58,M,PA\n"
PADCHEST = (
    "ImageID,ImageDir,StudyDate_DICOM,PatientID,PatientBirth,PatientSex_DICOM,Projection,Labels\n"
    "a.png,0,20140912,p1,1930,M,PA,['mass']\n"
)
MANIFEST = (
    "file,set,label,split,patient_id,findings\na.png,nih,SICK,train,p1,Mass|Nodule\nb.png,nih,WELL,test,p1,normal\n"
)


@pytest.mark.parametrize(
    ("name", "content", "patients"),
    [
        ("Data_Entry_2017.csv", NIH, ["nih:00000001"]),
        ("PADCHEST_chest_x_ray_images_labels_160K_01.02.19.csv", PADCHEST, ["padchest:p1"]),
        ("manifest.csv", MANIFEST, ["p1", "p1"]),
    ],
)
def test_tables_and_the_folders_they_lie_in(tmp_path: Path, name: str, content: str, patients: list[str]) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    for place in (tmp_path, tmp_path / name):
        records = read_dataset(place)
        assert [record.patient for record in records] == patients
    assert records[0].source in ("nih", "padchest")


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("valid/XR_WRIST/patient11185/study1_negative/image1.png", "mura"),
        ("train/NORMAL/IM-0115-0001.jpeg", "kermany"),
        ("cats/1.png", ""),
    ],
)
def test_folders(tmp_path: Path, file: str, source: str) -> None:
    (tmp_path / file).parent.mkdir(parents=True)
    (tmp_path / file).write_bytes(b"")
    (record,) = read_dataset(tmp_path)
    assert (record.path, record.source) == (tmp_path / file, source)


def test_labels_may_be_named_for_tables(tmp_path: Path) -> None:
    (tmp_path / "manifest.csv").write_text(MANIFEST, encoding="utf-8")
    (tmp_path / "other.csv").write_text(MANIFEST, encoding="utf-8")
    for place in (tmp_path, tmp_path / "other.csv"):
        first, second = read_dataset(place, Findings("findings"))
        assert (first.labels, second.labels) == ({"Mass": 1, "Nodule": 1}, {"Mass": 0, "Nodule": 0})
    (tmp_path / "Data_Entry_2017.csv").write_text(NIH, encoding="utf-8")
    with pytest.raises(DataError, match="has its own labels"):
        read_dataset(tmp_path / "Data_Entry_2017.csv", Findings("Finding Labels"))
    (tmp_path / "manifest.csv").unlink()
    with pytest.raises(DataError, match="has its own labels"):
        read_dataset(tmp_path, Findings("Finding Labels"))


def test_an_older_table_may_be_named(tmp_path: Path) -> None:
    (tmp_path / "Data_Entry_2017.csv").write_text(NIH.replace("Mass", "Hernia"), encoding="utf-8")
    (tmp_path / "Data_Entry_2017_v2020.csv").write_text(NIH, encoding="utf-8")
    assert read_dataset(tmp_path)[0].label == "Mass"
    assert read_dataset(tmp_path / "Data_Entry_2017.csv")[0].label == "Hernia"


def test_nothing_is_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist"):
        read_dataset(tmp_path / "none")
    with pytest.raises(DataError, match="has no folders with images"):
        read_dataset(tmp_path)
