from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sitegen.data.records import (
    Record,
    check_patients,
    label_matrix,
    label_names,
    present,
    select,
    straddling_patients,
)
from sitegen.errors import DataError


def record(patient: str, split: str = "", **labels: float | None) -> Record:
    return Record(Path(f"{patient}.png"), patient, labels, split, "here")


def test_the_one_label_of_a_class() -> None:
    assert record("a", NORMAL=0.0, PNEUMONIA=1.0).label == "PNEUMONIA"


@pytest.mark.parametrize(("labels", "found"), [({}, "none"), ({"A": 1.0, "B": 1.0}, "A, B"), ({"A": None}, "none")])
def test_several_labels_are_not_one(labels: dict[str, Any], found: str) -> None:
    with pytest.raises(DataError, match=rf"a\.png should have one label, and has: {found}"):
        _ = record("a", **labels).label


@pytest.mark.parametrize(
    ("labels", "expected"),
    [({"Mass": 1.0}, True), ({"Mass": 0.0}, False), ({"Mass": None}, False), ({"NORMAL": 1.0, "Mass": 0.0}, False)],
)
def test_a_finding_is_a_label_that_does_not_mean_nothing(labels: dict[str, Any], expected: bool) -> None:
    assert record("a", **labels).has_finding is expected


def test_a_matrix_of_labels_has_nan_for_what_is_not_known() -> None:
    records = [record("a", Mass=1.0, Nodule=None), record("b", Nodule=0.0, Hernia=1.0)]
    assert label_names(records) == ["Mass", "Nodule", "Hernia"]
    matrix = label_matrix(records, ["Hernia", "Mass", "Nodule"])
    assert matrix.dtype == np.float32
    assert np.array_equal(matrix, np.array([[np.nan, 1, np.nan], [1, np.nan, 0]], np.float32), equal_nan=True)
    assert label_matrix([], ["Mass"]).shape == (0, 1)


def test_selection_by_split_and_source() -> None:
    records = [record("a", "train"), record("b", "test")]
    assert select(records, "test") == select(records, "test", "here") == [records[1]]
    assert select(records, "test", "there") == []


def test_only_files_that_are_there(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"")
    there, gone = Record(tmp_path / "a.png", "a", {}), Record(tmp_path / "b.png", "b", {})
    assert present([there, gone]) == [there]


def test_patients_on_both_sides_are_named() -> None:
    records = [record("a", "train"), record("b", "test"), record("a", "test"), record("b", "test"), record("b")]
    assert straddling_patients(records) == {"a": ["train", "test"]}
    with pytest.raises(DataError, match="somewhere has the patient 'a' in two splits, 'train' and 'test'"):
        check_patients(records, "somewhere")
    check_patients(records[1:], "somewhere")
