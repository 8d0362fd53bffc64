from pathlib import Path

import pytest

from sitegen.data.overlap import shared_files, shared_patients
from sitegen.data.records import Record


def record(path: Path, patient: str = "a") -> Record:
    return Record(path, patient, {})


def write(folder: Path, **contents: str) -> list[Record]:
    folder.mkdir(exist_ok=True)
    for name, content in contents.items():
        (folder / name).write_text(content, encoding="utf-8")
    return [record(folder / name) for name in contents]


def test_copies_are_found_whatever_they_are_called(tmp_path: Path) -> None:
    ours = write(tmp_path / "ours", one="abc", two="xyz", three="long enough")
    theirs = write(tmp_path / "theirs", eins="abd", zwei="long enough", drei="abc")
    assert shared_files(ours, theirs) == [
        (tmp_path / "ours" / "one", tmp_path / "theirs" / "drei"),
        (tmp_path / "ours" / "three", tmp_path / "theirs" / "zwei"),
    ]


def test_the_same_file_is_shared_too(tmp_path: Path) -> None:
    ours = write(tmp_path, one="abc")
    assert shared_files(ours, ours) == [(tmp_path / "one", tmp_path / "one")]


def test_files_of_no_common_size_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = write(tmp_path / "ours", one="a"), write(tmp_path / "theirs", one="ab")
    monkeypatch.setattr(Path, "open", lambda *_: 1 / 0)
    assert shared_files(ours, theirs) == []


def test_missing_files_are_like_no_other(tmp_path: Path) -> None:
    assert shared_files([record(tmp_path / "gone")], [record(tmp_path / "gone")]) == []


def test_shared_patients_come_once_in_the_order_of_the_first() -> None:
    ours = [record(Path(str(index)), patient) for index, patient in enumerate("cabca")]
    theirs = [record(Path("x"), "a"), record(Path("y"), "c"), record(Path("z"), "d")]
    assert shared_patients(ours, theirs) == ["c", "a"]
