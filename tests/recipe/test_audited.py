"""What an export asks of the audit of its data before it opens test images."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from sitegen.data.audit.places import records_digest
from sitegen.data.dataset import read_records
from sitegen.data.records import Record
from sitegen.errors import AuditError, DataError
from sitegen.recipe.audited import AUDIT, audit_of, audit_recipe, require_audit, write_audit
from sitegen.settings.recipe import RecipeFile, read_recipe_file
from tests.helpers.radiographs import write_radiographs, write_recipe


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[RecipeFile, list[Record], Path]:
    folder = tmp_path_factory.mktemp("made")
    images = write_radiographs(folder / "images", {"train": 22, "valid": 4, "test": 4}, side=32)
    file = read_recipe_file(write_recipe(folder / "recipe.json", images))
    records = read_records(file)
    write_audit(audit_recipe(file, records, 1), folder / AUDIT)
    return file, records, folder


def test_an_audit_of_the_same_data_is_enough(made: tuple[RecipeFile, list[Record], Path]) -> None:
    _, records, work = made
    require_audit(records, work)
    told = audit_of(records, work)
    assert told is not None
    assert told["images"] == 26
    assert told["shared_collections"] == ["one", "two"]
    assert "file" not in json.dumps(list(told))  # nothing that names the machine's files


def test_without_one_or_with_another_the_command_is_told(
    made: tuple[RecipeFile, list[Record], Path], tmp_path: Path
) -> None:
    file, records, work = made
    with pytest.raises(DataError, match=r"audit.json is none. Run: sitegen data audit --recipe RECIPE --json .*audit"):
        require_audit(records, tmp_path)
    assert audit_of(records, tmp_path) is None
    write_audit(audit_recipe(file, records, 1, shortcuts=False), tmp_path / AUDIT)
    with pytest.raises(DataError, match="is none"):
        require_audit(records, tmp_path)
    other = [replace(records[0], labels={"Opacity": 1.0}), *records[1:]]
    with pytest.raises(DataError, match="is an audit of other data"):
        require_audit(other, work)
    assert audit_of(other, work) is None


def test_an_audit_that_fails_keeps_test_images_closed(
    made: tuple[RecipeFile, list[Record], Path], tmp_path: Path
) -> None:
    _, records, work = made
    report = json.loads((work / AUDIT).read_text("utf-8"))
    auc = {"value": 0.9, "low": 0.8, "high": 0.95}
    failure = {"label": "Opacity", "family": "text", "within": "one", "auc": auc, "accepted": ""}
    report["shortcuts"]["failures"] = [failure]
    write_audit(report, tmp_path / AUDIT)
    with pytest.raises(AuditError, match=r"Opacity by text, AUC 0.900 \(0.800–0.950\) within the source one"):
        require_audit(records, tmp_path)
    report["shortcuts"]["failures"] = [failure | {"accepted": "Looked at."}]
    write_audit(report, tmp_path / AUDIT)
    require_audit(records, tmp_path)


def test_the_digest_is_of_what_matters() -> None:
    records = [
        Record(Path("d/train/a.png"), "p1", {"Mass": 1.0}, "train"),
        Record(Path("d/b.png"), "p2", {"Mass": None}),
    ]
    digest = records_digest(records)
    moved = [replace(record, path=Path("/elsewhere") / record.path) for record in reversed(records)]
    assert records_digest(moved) == digest
    changes: list[dict[str, object]] = [
        {"labels": {"Mass": 0.0}},
        {"labels": {"Other": 1.0}},
        {"patient": "p3"},
        {"split": "test"},
        {"source": "x"},
        {"path": Path("d/train/c.png")},
    ]
    assert all(records_digest([replace(records[0], **change), records[1]]) != digest for change in changes)  # type: ignore[arg-type]
    assert records_digest([]) == records_digest([])


def test_folders_after_the_datas_own_labels_do_not_count(tmp_path: Path) -> None:
    """In a folder for each class the folder is the label, whatever a recipe with parts calls it."""
    one = write_radiographs(tmp_path / "one", {"train": 24}, side=32)
    for path in sorted(one.glob("train-*.png")):
        room = tmp_path / "data" / "part" / "train" / ("ILL" if int(path.stem.split("-")[1]) % 2 else "FINE")
        room.mkdir(parents=True, exist_ok=True)
        path.rename(room / path.name)
    parts = [{"name": "here", "place": "part", "labels": {"Opacity": "ILL"}}]
    data = {"place": str(tmp_path / "data"), "labels": ["Opacity"], "parts": parts}
    file = read_recipe_file(write_recipe(tmp_path / "recipe.json", tmp_path, data=data))
    report = audit_recipe(file, read_records(file), 1)
    assert report["shortcuts"] is not None
    families = report["shortcuts"]["told"][0]["families"]
    assert families["folder"] == {"value": 0.5, "low": 0.5, "high": 0.5}
