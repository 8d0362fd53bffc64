"""A bundle takes the place of an older one as a whole, or not at all."""

import json
from pathlib import Path

import pytest

from sitegen.errors import BundleError
from sitegen.export.swap import in_place_of


def write(folder: Path, **files: str) -> Path:
    """Write files, names with `_` for the dot, and a description that lists them."""
    folder.mkdir(exist_ok=True)
    names = {name.replace("_", "."): text for name, text in files.items()}
    for name, text in names.items():
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "bundle.json").write_text(json.dumps({"files": dict.fromkeys(names)}), encoding="utf-8")
    return folder


def contents(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text("utf-8") for path in folder.rglob("*") if path.is_file()
    }


@pytest.mark.parametrize("empty", [False, True])
def test_a_new_folder(tmp_path: Path, empty: bool) -> None:
    out = tmp_path / "deep" / "bundle"
    if empty:
        out.mkdir(parents=True)
    with in_place_of(out) as folder:
        write(folder, card_md="new")
        assert not (out / "card.md").exists()
    assert contents(out)["card.md"] == "new"
    assert [path.name for path in out.parent.iterdir()] == ["bundle"]


def test_files_of_the_old_bundle_go_and_those_of_people_stay(tmp_path: Path) -> None:
    out = write(tmp_path / "bundle", card_md="old", gate_onnx="old", golden_png="old")
    (out / "notes").mkdir()
    (out / "notes" / "recipe.toml").write_text("mine", encoding="utf-8")
    (out / "final.weights").write_text("mine, until the bundle has one", encoding="utf-8")
    with in_place_of(out) as folder:
        write(folder, card_md="new", final_weights="new")
    assert contents(out) == {
        "bundle.json": json.dumps({"files": {"card.md": None, "final.weights": None}}),
        "card.md": "new",
        "final.weights": "new",
        "notes/recipe.toml": "mine",
    }
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt])
def test_after_a_failure_all_is_as_it_was(tmp_path: Path, failure: type[BaseException]) -> None:
    out = write(tmp_path / "bundle", card_md="old")
    before = contents(out)
    with pytest.raises(failure), in_place_of(out) as folder:
        write(folder, card_md="half")
        raise failure
    assert contents(out) == before
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


@pytest.mark.parametrize("description", [None, "", "[]", "{}", '{"files": 3}'])
def test_a_folder_of_other_things_is_left_alone(tmp_path: Path, description: str | None) -> None:
    (tmp_path / "thesis.txt").write_text("years of work", encoding="utf-8")
    if description is not None:
        (tmp_path / "bundle.json").write_text(description, encoding="utf-8")
    with pytest.raises(BundleError, match="is no bundle: name another folder with -o"), in_place_of(tmp_path):
        raise AssertionError("nothing may begin")
    assert (tmp_path / "thesis.txt").read_text("utf-8") == "years of work"


def test_a_file_is_no_place_for_a_bundle(tmp_path: Path) -> None:
    path = tmp_path / "bundle"
    path.write_text("text", encoding="utf-8")
    with pytest.raises(BundleError, match="is no bundle"), in_place_of(path):
        raise AssertionError("nothing may begin")
