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
    there = clone(tmp_path / "somebody else's" / "much longer place", bundle)
    # Without the machine's own Node.js, the one that comes as a Python package serves; their versions may differ.
    started = build(
        there, TZ="America/St_Johns", LC_ALL="de_DE.UTF-8", PYTHONHASHSEED="2", PATH=str(tmp_path / "no programs")
    )
    output, _ = started.communicate(timeout=300)
    assert started.returncode == 0, output
    # Nor does it matter what the cache held before: that of the other is full, this one was empty.
    assert all(list((there / "cache" / kind).iterdir()) for kind in ("snapshots", "packed"))
    here, other = contents(site), contents(there / "dist")
    assert here.keys() == other.keys()
    assert [name for name in here if here[name] != other[name]] == []
