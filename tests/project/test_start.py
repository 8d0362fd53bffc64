"""`sitegen new`: what it writes is valid, as it is and with every option taken; what it refuses to touch."""

import re
import shutil
import tomllib
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import cast, get_args, get_type_hints

import pytest

from sitegen.bundle import Bundle
from sitegen.errors import SettingsError
from sitegen.project.contents import site_options
from sitegen.project.settings import ProjectSettings, read_project
from sitegen.project.start import new_project, template

ROOT = Path(__file__).parents[2]


def uncommented(text: str) -> str:
    """The template with every option taken, as its head says: "#" without a space goes."""
    return re.sub(r"^#(?=[a-z\[])", "", text, flags=re.MULTILINE)


def keys(kind: type, place: str = "") -> Iterator[str]:
    """The keys of a settings dataclass and of those inside it, with dots."""
    hints = get_type_hints(kind)
    for each in fields(kind):
        inner = [one for one in (hints[each.name], *get_args(hints[each.name])) if is_dataclass(one)]
        if inner:
            yield from keys(cast(type, inner[0]), f"{place}{each.name}.")
        else:
            yield place + each.name


def keys_of(document: dict[str, object], place: str = "") -> Iterator[str]:
    for name, value in document.items():
        part = value[0] if isinstance(value, list) and isinstance(value[0], dict) else value
        if isinstance(part, dict):
            yield from keys_of(part, f"{place}{name}.")
        else:
            yield place + name


def test_a_new_project_is_valid_as_it_is(tmp_path: Path) -> None:
    written = new_project(tmp_path / "ours")
    assert sorted(path.name for path in written) == [".gitignore", "README.md", "sitegen.toml"]
    project = read_project(tmp_path / "ours" / "sitegen.toml", strict=True)
    assert project.settings == ProjectSettings()


def test_it_is_valid_with_every_option_taken(tmp_path: Path) -> None:
    (tmp_path / "sitegen.toml").write_text(uncommented(template("sitegen.toml")), "utf-8")
    settings = read_project(tmp_path / "sitegen.toml", strict=True).settings
    assert settings.title == "Chest radiographs"
    assert settings.examples[0].caption == "Try a normal chest"
    assert settings.colours.dark.below == "#7fb0de"


def test_every_option_is_in_the_template_and_in_the_docs() -> None:
    options = set(keys(ProjectSettings))
    assert {"title", "logo.alt", "examples.caption", "colours.dark.accent_ink"} < options
    assert set(keys_of(tomllib.loads(uncommented(template("sitegen.toml"))))) == options
    documented = (ROOT / "docs" / "project.md").read_text("utf-8")
    for option in options:
        scheme_left_out = re.sub(r"\.(light|dark)\.", ".", option)
        assert f"| `{scheme_left_out}` |" in documented, option


def test_the_templates_colours_are_the_pages_own(tmp_path: Path) -> None:
    text = uncommented(template("sitegen.toml"))
    (tmp_path / "sitegen.toml").write_text(text[text.index("[colours.light]") :], "utf-8")
    project = read_project(tmp_path / "sitegen.toml", strict=True)
    from sitegen.project.colours import own_colours

    for scheme in ("light", "dark"):
        palette = vars(getattr(project.settings.colours, scheme))
        assert palette == {name: own_colours(scheme)[name] for name in palette}
    assert site_options(project).colours.count("--accent:") == 2


def test_bundles_that_are_there_are_entered(tmp_path: Path, bundle: Bundle) -> None:
    shutil.copytree(bundle.folder, tmp_path / "the model")
    (tmp_path / ".git").mkdir()
    (tmp_path / "README.md").write_text("ours")
    written = new_project(tmp_path)
    assert sorted(path.name for path in written) == [".gitignore", "sitegen.toml"]
    assert (tmp_path / "README.md").read_text() == "ours"
    assert read_project(tmp_path / "sitegen.toml", strict=True).settings.bundles == ("the model",)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("sitegen.toml", "is a project already: edit its sitegen.toml"),
        ("thesis.txt", "is not empty: thesis.txt is no part"),
    ],
)
def test_folders_of_other_things_are_left_alone(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(SettingsError, match=message):
        new_project(tmp_path)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(name, "mine")]


def test_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ours").write_text("mine")
    with pytest.raises(SettingsError, match="is a file: name a folder"):
        new_project(tmp_path / "ours")
