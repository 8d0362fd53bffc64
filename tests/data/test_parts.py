"""A recipe of several parts: each read by its own keys, then put together; and labels told from others."""

import csv
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from sitegen.data.dataset import model_labels, read_records
from sitegen.data.records import Record
from sitegen.errors import DataError, SettingsError
from sitegen.settings.recipe import recipe_of
from tests.helpers.radiographs import write_radiographs

FINDINGS = {"a": "Mass|Nodule", "b": "No Finding", "c": "Hernia", "d": "", "e": "Mass"}


def write_findings(folder: Path) -> Path:
    """A table with a column of findings; the images themselves are never opened here."""
    folder.mkdir()
    with (folder / "manifest.csv").open("w", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(["file", "patient_id", "split", "findings"])
        rows.writerows([f"{name}.png", f"p{name}", "train", cell] for name, cell in FINDINGS.items())
    return folder


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("root")
    write_findings(root / "adults")
    write_radiographs(root / "children", {"train": 6, "valid": 4}, side=16)
    return root


ADULTS = {"name": "hospital", "place": "adults"}
CHILDREN = {"name": "clinic", "place": "children", "sources": ["one"], "labels": {"Nodule": "ILL", "None": "WELL"}}


def records(place: Path, *parts: dict[str, Any], **settings: Any) -> list[Record]:
    data = {"place": str(place), "parts": list(parts)} | settings
    return read_records(recipe_of({"name": "r", "data": data}, ""))


def test_parts_have_sources_of_their_own_and_unknown_labels_of_the_others(root: Path) -> None:
    found = records(root, ADULTS, CHILDREN, labels=["Mass", "Nodule"])
    assert [record.source for record in found[:5]] == ["hospital"] * 5
    children = found[5:]
    assert {record.source for record in children} == {"clinic"}
    # Every third of the ten drawn images is of the source "two", which the part leaves out.
    assert Counter(record.split for record in children) == {"train": 4, "valid": 2}
    assert found[0].labels == {"Mass": 1.0, "Nodule": 1.0}
    assert found[1].labels == {"Mass": 0.0, "Nodule": 0.0}
    assert found[3].labels == {"Mass": None, "Nodule": None}
    assert all(record.labels["Mass"] is None and record.labels["Nodule"] is not None for record in children)


def test_a_part_is_divided_by_itself(root: Path) -> None:
    found = records(root, ADULTS, CHILDREN | {"split": {"outer-a": 0.5, "outer-b": 0.5}}, labels=["Nodule"])
    assert {record.split for record in found if record.source == "clinic"} == {"outer-a", "outer-b"}
    assert {record.split for record in found if record.source == "hospital"} == {"train"}


def test_several_findings_are_one(root: Path) -> None:
    labels = {"Round": "Mass|Nodule", "Other": "Hernia"}
    found = records(root, ADULTS | {"labels": labels})
    assert [record.labels["Round"] for record in found] == [1.0, 0.0, 0.0, None, 1.0]
    with pytest.raises(DataError, match="has no label 'Fracture'"):
        records(root, ADULTS | {"labels": {"Other": "Hernia|Fracture"}})


def test_no_finding_is_told_from_all_findings_where_no_column_says_it(root: Path) -> None:
    found = records(root, ADULTS | {"labels": {"Mass": "Mass", "None of them": "No Finding"}})
    assert [record.labels["None of them"] for record in found] == [0.0, 1.0, 0.0, None, 0.0]


def test_no_finding_of_one_part_is_unknown_of_another_that_does_not_say_it(root: Path) -> None:
    told = ADULTS | {"labels": {"Mass": "Mass", "No finding": "No Finding"}}
    labelled = CHILDREN | {"labels": {"Something else": "ILL"}}
    found = records(root, told, labelled, labels=["Mass", "No finding"])
    assert [record.labels["No finding"] for record in found[:5]] == [0.0, 1.0, 0.0, None, 0.0]
    assert {record.labels["No finding"] for record in found[5:]} == {None}


def test_other_data_holds_the_parts_or_is_one_data_set(root: Path, tmp_path: Path) -> None:
    recipe = recipe_of(
        {"name": "r", "data": {"place": "nowhere", "labels": ["Mass", "No finding"], "parts": [ADULTS]}}, ""
    )
    assert model_labels(recipe.data) == ["Mass", "No finding"]
    assert [record.labels["No finding"] for record in read_records(recipe, root)] == [0.0, 1.0, 0.0, None, 0.0]
    other = read_records(recipe, write_findings(tmp_path / "other"))
    assert [record.labels for record in other[:2]] == [
        {"Mass": 1.0, "No finding": 0.0},
        {"Mass": 0.0, "No finding": 1.0},
    ]
    assert {record.source for record in other} == {""}


def test_a_patient_in_two_parts_must_be_in_one_split(root: Path) -> None:
    twice = ADULTS | {"name": "again", "split": {"train": 0.5, "valid": 0.5}}
    with pytest.raises(DataError, match="in two splits"):
        records(root, ADULTS, twice)


@pytest.mark.parametrize("part", [{"place": "adults"}, {"name": "", "place": "adults"}])
def test_every_part_has_a_name(part: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match=r"data\.parts\.0\.name"):
        recipe_of({"name": "r", "data": {"parts": [part]}}, "")
