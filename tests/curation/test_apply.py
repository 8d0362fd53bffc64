"""What passes a rule is in a folder of its own, and is what was scored."""

import csv
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from sitegen.curation.apply import Wish, apply, keep_list
from sitegen.curation.table import read_table
from sitegen.errors import DataError, SettingsError
from tests.curation.conftest import encoded

Curated = Callable[..., Path]
RULE = "type == 'image/png' and error is missing"


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_copies_links_and_a_manifest(repository: Path, tmp_path: Path, curated: Curated) -> None:
    rows = curated(repository)
    document = apply(Wish(rows, RULE, tmp_path / "kept"))
    images = [f"a/{seed}.png" for seed in range(4)]
    assert files(tmp_path / "kept") == [*images, "kept.csv", "manifest.json"]
    assert (document["kept"], document["dropped"], document["images"], document["changed"]) == (4, 5, 9, 0)
    assert json.loads((tmp_path / "kept/manifest.json").read_text("utf-8")) == document
    for name in images:
        assert (tmp_path / "kept" / name).read_bytes() == (repository / name).read_bytes()
    with (tmp_path / "kept/kept.csv").open(encoding="utf-8", newline="") as file:
        assert [row["path"] for row in csv.DictReader(file)] == images
    assert apply(Wish(rows, RULE, tmp_path / "kept")) == document
    apply(Wish(rows, RULE, tmp_path / "linked", links=True))
    assert (tmp_path / "linked/a/2.png").readlink() == repository / "a/2.png"


def test_what_changed_is_left_out_and_counted(repository: Path, tmp_path: Path, curated: Curated) -> None:
    rows = curated(repository)
    (repository / "a/0.png").write_bytes(encoded(9))
    (repository / "a/1.png").unlink()
    document = apply(Wish(rows, RULE, tmp_path / "kept"))
    assert (document["kept"], document["changed"]) == (2, 2)
    assert files(tmp_path / "kept") == ["a/2.png", "a/3.png", "kept.csv", "manifest.json"]


def test_other_rules_and_other_peoples_folders_are_left_alone(
    repository: Path, tmp_path: Path, curated: Curated
) -> None:
    rows = curated(repository)
    apply(Wish(rows, RULE, tmp_path / "kept"))
    with pytest.raises(DataError, match="by another rule"):
        apply(Wish(rows, "accepted", tmp_path / "kept"))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.txt").write_text("all of it")
    with pytest.raises(DataError, match="has files of others"):
        apply(Wish(rows, RULE, tmp_path / "mine"))
    assert files(tmp_path / "mine") == ["thesis.txt"]


def test_no_archive_writes_outside_of_the_folder(tmp_path: Path, curated: Curated) -> None:
    archive = tmp_path / "evil.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("a/x\\..\\..\\..\\out.png", encoded(0))
    rows = curated(f"zip://::{archive}")
    with pytest.raises(SettingsError, match="would be written outside"):
        apply(Wish(rows, "sha256 is there", tmp_path / "kept"))
    assert not (tmp_path / "out.png").exists()


def test_the_list_has_hashes_and_no_names(repository: Path, curated: Curated) -> None:
    table = read_table(curated(repository))
    found = list(keep_list(RULE, table))
    assert [each["keep"] for each in found] == [1, 1, 1, 1, 0, 0, 0, 0, 0]
    assert {key for each in found for key in each} == {"id", "sha256", "keep"}
