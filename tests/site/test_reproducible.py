"""Two builds of the same sources are the same to the byte, whatever the place, time zone, cache and Node.js."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sitegen.bundle import Bundle
from sitegen.site.cache import cache_folder
from sitegen.site.engines.files import install_engines

ROOT = Path(__file__).parents[2]
SOURCES = ("sitegen", "runtime", "templates")


def clone(folder: Path, bundle: Bundle) -> Path:
    """A copy of the sources in another place, with a bundle and a cache that holds nothing but what npm installed."""
    for name in SOURCES:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(bundle.folder, folder / "model")
    install_engines()
    (folder / "cache").mkdir()
    (folder / "cache" / "engines").symlink_to(cache_folder() / "engines")
    (folder / "temporary").mkdir()
    return folder


def build(folder: Path, **environment: str) -> subprocess.Popen[str]:
    """Start a build in a clone."""
    return subprocess.Popen(
        [sys.executable, "-m", "sitegen.cli", "build", "--bundle", "model", "--out", "dist"],
        cwd=folder,
        env=os.environ
        | {
            "PYTHONPATH": os.pathsep.join([str(folder), str(folder / "runtime")]),
            "SITEGEN_CACHE": str(folder / "cache"),
            "TMPDIR": str(folder / "temporary"),
        }
        | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="links to the engines, and takes the machine's own Node.js away")
def test_two_builds_of_one_commit_are_the_same_to_the_byte(bundle: Bundle, site: Path, tmp_path: Path) -> None:
    (tmp_path / "no programs").mkdir()
    here = clone(tmp_path / "a", bundle)
    there = clone(tmp_path / "somebody else's" / "much longer place", bundle)
    builds = [
        build(here, TZ="Asia/Kolkata", LC_ALL="C", PYTHONHASHSEED="1"),
        # Without the machine's own Node.js, the one that comes as a Python package serves; their versions may differ.
        build(
            there, TZ="America/St_Johns", LC_ALL="de_DE.UTF-8", PYTHONHASHSEED="2", PATH=str(tmp_path / "no programs")
        ),
    ]
    for started in builds:
        output, _ = started.communicate(timeout=300)
        assert started.returncode == 0, output
    first, second = contents(here / "dist"), contents(there / "dist")
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []
    assert all(
        list((folder / "cache" / kind).iterdir()) for folder in (here, there) for kind in ("snapshots", "packed")
    )
    # Nor does it matter what the cache held before.
    assert contents(site) == first
