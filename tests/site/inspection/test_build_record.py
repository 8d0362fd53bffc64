"""The record of a build: what the site was made of, and nothing of the machine."""

import json
from importlib.metadata import version
from pathlib import Path

import pytest

from sitegen import __version__, resources
from sitegen.bundle import Bundle
from sitegen.site.inspection.build_record import build_record, tree_hash


def test_a_site_has_the_record_of_its_build(site: Path, bundle: Bundle) -> None:
    text = (site / "build.json").read_text("utf-8")
    assert text == build_record([bundle])
    record = json.loads(text)
    assert list(record) == ["schema", "sitegen", "sources", "packages", "engines", "bundles", "wheels"]
    assert (record["schema"], record["sitegen"]) == ("sitegen.build/1", __version__)
    assert record["packages"]["jinja2"] == version("jinja2")
    assert record["bundles"] == json.loads((site / "manifest.json").read_bytes())["bundles"]
    lock = json.loads((resources.engines() / "package-lock.json").read_bytes())["packages"]["node_modules/pyodide"]
    assert record["engines"]["pyodide"] == {"version": lock["version"], "integrity": lock["integrity"]}
    assert not [word for word in (str(Path.home()), str(site), "/work", "2026") if word in text]


def test_a_tree_is_its_files_and_their_names(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "one.py").write_text("1")
    (tmp_path / "a.py").write_text("2")
    found = tree_hash(tmp_path)
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "a.pyc").write_text("3")
    assert tree_hash(tmp_path) == found
    assert tree_hash(tmp_path, but=("b",)) != found
    (tmp_path / "b" / "one.py").rename(tmp_path / "b" / "two.py")
    assert tree_hash(tmp_path) != found


@pytest.mark.parametrize("name", ["sources", "packages"])
def test_what_was_changed_shows(bundle: Bundle, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str) -> None:
    before = json.loads(build_record([bundle]))
    monkeypatch.setattr("sitegen.site.inspection.build_record.version", lambda package: "0.0")
    monkeypatch.setattr(resources, "templates", lambda: tmp_path)
    after = json.loads(build_record([bundle]))
    assert before[name] != after[name]
    assert before["engines"] == after["engines"]
