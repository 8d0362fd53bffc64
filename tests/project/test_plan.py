"""What is built: the project of this folder, one that is named, or bundles alone."""

import json
from pathlib import Path

import pytest

from sitegen import resources
from sitegen.bundle import Bundle
from sitegen.errors import BundleError, SettingsError
from sitegen.project.plan import read_plan


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def test_without_a_project_it_is_the_bundle_that_ships() -> None:
    plan = read_plan()
    assert (plan.folders, plan.project) == ((resources.default_bundle(),), None)
    assert plan.sources()[0] == resources.default_bundle()


def test_the_project_of_this_folder_is_read(elsewhere: Path) -> None:
    (elsewhere / "sitegen.toml").write_text('bundles = ["a", "b"]')
    assert read_plan().folders == (Path("a"), Path("b"))
    assert read_plan(bundles=[Path("c")]).folders == (Path("c"),)
    (elsewhere / "sitegen.toml").write_text('titel = "x"')
    assert read_plan().folders == (resources.default_bundle(),)
    assert len(read_plan().warnings) == 1
    with pytest.raises(SettingsError, match="did you mean title"):
        read_plan(strict=True)


def test_a_named_projects_files_are_counted_from_its_folder(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    text = (
        'bundles = ["a"]\nwheels = ["x.whl"]\n[logo]\nimage="l.svg"\nalt="x"\n[[examples]]\nimage="e.png"\ncaption="x"'
    )
    (other / "ours.toml").write_text(text)
    plan = read_plan(other / "ours.toml")
    assert plan.folders == (other / "a",)
    named = {path.relative_to(other).as_posix() for path in plan.sources() if path.is_relative_to(other)}
    assert named == {"ours.toml", "a", "x.whl", "e.png", "l.svg"}
    assert {resources.templates(), resources.runtime_source()} <= set(plan.sources())


def test_a_project_is_built(elsewhere: Path, bundle: Bundle) -> None:
    (elsewhere / "sitegen.toml").write_text(f'title = "Our page"\nbundles = ["{bundle.folder.as_posix()}"]')
    built = read_plan().build(elsewhere / "dist")
    assert "<title>Our page</title>" in (built.folder / "index.html").read_text("utf-8")
    assert json.loads((built.folder / "manifest.json").read_text("utf-8"))["bundle"]["name"] == "test-model"


def test_a_bundle_that_is_missing_is_named(elsewhere: Path) -> None:
    (elsewhere / "sitegen.toml").write_text('bundles = ["none"]')
    with pytest.raises(BundleError, match="none is not a bundle"):
        read_plan().build(elsewhere / "dist")
