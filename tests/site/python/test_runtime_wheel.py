"""The runtime's wheel: what pip and Pyodide expect of one, and equal bytes for equal sources."""

import base64
import csv
import io
import json
import subprocess
import sys
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest

from sitegen import __version__, resources
from sitegen.site.engines.files import install_engines
from sitegen.site.python.runtime_wheel import build_wheel, lock, write_wheel


@pytest.fixture(scope="module")
def archive() -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(build_wheel().content))


def test_equal_sources_give_equal_wheels() -> None:
    assert build_wheel() == build_wheel()


def test_every_module_is_inside_and_nothing_else(archive: zipfile.ZipFile) -> None:
    source = resources.runtime_source()
    modules = {path.relative_to(source.parent).as_posix(): path.read_bytes() for path in source.rglob("*.py")}
    information = {f"sitegen_runtime-{__version__}.dist-info/{name}" for name in ("METADATA", "WHEEL", "RECORD")}
    assert set(archive.namelist()) == modules.keys() | information
    assert {name: archive.read(name) for name in modules} == modules
    assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_record_has_the_hash_of_every_file(archive: zipfile.ZipFile) -> None:
    record = f"sitegen_runtime-{__version__}.dist-info/RECORD"
    rows = {name: (digest, size) for name, digest, size in csv.reader(archive.read(record).decode().splitlines())}
    assert rows.keys() == set(archive.namelist())
    assert rows.pop(record) == ("", "")
    for name, (digest, size) in rows.items():
        content = archive.read(name)
        expected = base64.urlsafe_b64encode(sha256(content).digest()).decode().rstrip("=")
        assert (digest, size) == (f"sha256={expected}", str(len(content))), name


def test_pip_installs_it(tmp_path: Path) -> None:
    wheel = write_wheel(build_wheel(), tmp_path)
    command = [sys.executable, "-m", "pip", "install", "--no-index", "--no-deps", "--quiet"]
    subprocess.run([*command, "--target", str(tmp_path / "target"), str(wheel)], check=True)
    program = "import sitegen_runtime.browser; print(sitegen_runtime.__file__)"
    done = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(tmp_path / 'target')!r}); {program}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert str(tmp_path / "target") in done.stdout


def test_the_lock_names_the_wheel_by_its_hash() -> None:
    wheel = build_wheel()
    fields = json.loads(lock(install_engines(), wheel))
    (package,) = fields["packages"].values()
    assert package["file_name"] == wheel.name == f"sitegen_runtime-{__version__}-py3-none-any.whl"
    assert package["sha256"] == sha256(wheel.content).hexdigest()
    assert package["imports"] == ["sitegen_runtime"]
    assert fields["info"]["version"] == install_engines().version("pyodide")
