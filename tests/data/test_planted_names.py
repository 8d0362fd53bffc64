"""A patient's name, planted wherever DICOM files can hold one, is in nothing that the `data` verbs say or write."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from sitegen.cli import app
from sitegen.data.layouts.known import read_dataset
from sitegen.phantom import phantom
from tests.helpers.planted_names import NAME, Element, planted

NAMED: list[Element] = [  # what a data set looks at besides the picture
    (tag, vr, NAME.encode())
    for tag, vr in ((0x00100040, "CS"), (0x00101010, "AS"), (0x00180015, "CS"), (0x00185101, "CS"), (0x00080060, "CS"))
]


@pytest.fixture(scope="module")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two classes of DICOM files; of each patient two images; some damaged, and one of several frames."""
    folder = tmp_path_factory.mktemp("planted") / "hospital"
    for number in range(12):
        path = folder / ("SICK" if number % 4 < 2 else "WELL") / f"{number}.dcm"
        path.parent.mkdir(parents=True, exist_ok=True)
        patient: Element = (0x00100020, "LO", f"{NAME}{number // 2}".encode())
        cells = phantom(number, 64).astype(np.uint16) * 16
        path.write_bytes(planted(elements=[patient, *(NAMED if number % 3 else [])], pixels=cells))
    for number, left_out in enumerate((100, 5000, 12_000)):
        (folder / "SICK" / f"cut{number}.dcm").write_bytes(planted(left_out=left_out))
    frames: Element = (0x00280008, "IS", b"2")
    (folder / "WELL" / "frames.dcm").write_bytes(planted(elements=[frames]))
    syntax: Element = (0x00020010, "UI", NAME.encode())
    (folder / "WELL" / "syntax.dcm").write_bytes(planted(elements=[syntax]))
    return folder


def sitegen(*arguments: object) -> str:
    done = CliRunner(env={"COLUMNS": "2000"}).invoke(app, ["data", *map(str, arguments)])
    assert done.exit_code in (0, 1), done.exception
    return done.output


def holds_name(path: Path) -> bool:
    return NAME.encode() in path.read_bytes().upper()


def test_records_tell_patients_apart_without_naming_them(hospital: Path) -> None:
    records = read_dataset(hospital)
    whole = [record for record in records if record.path.stem.isdigit()]
    assert len({record.patient for record in whole}) == 6
    assert NAME not in repr(records).upper()


def test_the_audit_does_not_hold_it(hospital: Path, tmp_path: Path) -> None:
    said = sitegen("audit", hospital, "--json", tmp_path / "a.json", "--co-occurrence", tmp_path / "a.svg")
    assert NAME not in said.upper()
    assert not holds_name(tmp_path / "a.json")
    assert not holds_name(tmp_path / "a.svg")
    unreadable = json.loads((tmp_path / "a.json").read_text("utf-8"))["problems"]["unreadable"]
    assert {Path(each["file"]).name for each in unreadable} == {"cut1.dcm", "cut2.dcm", "frames.dcm"}


def test_a_split_does_not_hold_it(hospital: Path, tmp_path: Path) -> None:
    assert NAME not in sitegen("split", hospital, "-o", tmp_path / "split.csv").upper()
    assert not holds_name(tmp_path / "split.csv")


def test_a_picture_of_variants_does_not_hold_it(hospital: Path, tmp_path: Path) -> None:
    said = sitegen("preview", hospital, "-o", tmp_path / "out.png", "--images", 2, "--variants", 2)
    assert NAME not in said.upper()
    assert not holds_name(tmp_path / "out.png")
