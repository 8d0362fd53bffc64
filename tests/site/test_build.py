"""The whole build: what it writes, what it refuses, what it leaves alone, and that it needs no network twice."""

import base64
import gzip
import json
import re
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from sitegen.bundle import Bundle
from sitegen.errors import AssetError, SettingsError, SiteError
from sitegen.site import build as build_module
from sitegen.site import build_site
from sitegen.site.cache import cache_folder
from sitegen.site.engines.files import install_engines
from sitegen.site.inspection import licences
from sitegen.site.python.runtime_wheel import build_wheel
from sitegen.site.weight_layout import PLANES, lay_out

MIB = 1024 * 1024


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def site_constant(site: Path) -> dict[str, Any]:
    """The constant SITE of the page's program."""
    match = re.search(r"const SITE = (\{.*\});\n", (site / "index.html").read_text("utf-8"))
    assert match
    return json.loads(match[1])


def asset(site: Path, entry: dict[str, Any]) -> bytes:
    """An asset, put together and unpacked as the page does it."""
    parts = [re.search(r"/\*(.*)\*/", (site / file).read_text("ascii")) for file in entry["parts"]]
    packed = b"".join(base64.b64decode(part[1]) for part in parts if part)
    assert sha256(packed).hexdigest() == entry["sha256"]
    return gzip.decompress(packed)


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("npm_config_offline", "true")
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "npm"))
    for name in (
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "http_proxy",
        "https_proxy",
        "npm_config_proxy",
        "npm_config_https_proxy",
    ):
        monkeypatch.setenv(name, "http://127.0.0.1:9")


def test_the_manifest_lists_every_file_with_its_hash(site: Path, bundle: Bundle) -> None:
    manifest = json.loads((site / "manifest.json").read_text("utf-8"))
    files = contents(site)
    del files["manifest.json"], files["SHA256SUMS"]
    assert manifest["files"] == {
        name: {"bytes": len(content), "sha256": sha256(content).hexdigest()} for name, content in files.items()
    }
    assert manifest["schema"] == "sitegen.site/1"
    digest = sha256((bundle.folder / "bundle.json").read_bytes()).hexdigest()
    assert manifest["bundle"] == {"name": "test-model", "version": "1.0", "sha256": digest}
    assert manifest["bundles"] == [manifest["bundle"]]


def test_no_file_is_too_large_for_any_host(site: Path) -> None:
    assert max(len(content) for content in contents(site).values()) <= 25 * MIB


def test_the_page_lists_exactly_the_scripts_that_are_there(site: Path) -> None:
    listed = [file for entry in site_constant(site)["assets"].values() for file in entry["parts"]]
    assert sorted(listed) == sorted(name for name in contents(site) if name.startswith("assets/"))


def test_assets_unpack_to_what_the_page_needs(site: Path, bundle: Bundle) -> None:
    constant = site_constant(site)
    assets = {name: asset(site, entry) for name, entry in constant["assets"].items()}
    assert {name: len(content) for name, content in assets.items()} == {
        name: entry["bytes"] for name, entry in constant["assets"].items()
    }
    for name in ("bundle.json", "classifier.onnx", "gate.onnx"):
        assert assets[f"bundles/test-model/{name}"] == (bundle.folder / name).read_bytes(), name
    for name in ("classifier.weights", "gate.weights"):
        laid_out = assets[f"bundles/test-model/{name}.planes"]
        assert laid_out == lay_out((bundle.folder / name).read_bytes(), PLANES), name
    engines = install_engines()
    assert assets["pyodide.asm.wasm"] == engines.read("pyodide", "pyodide.asm.wasm")
    assert assets["python_stdlib.zip"] == engines.read("pyodide", "python_stdlib.zip")
    wheel = constant["boot"]["wheel"]
    assert assets[wheel] == build_wheel().content
    lock = json.loads(constant["boot"]["lock"])
    assert [entry["file_name"] for entry in lock["packages"].values()] == [wheel]
    (entry,) = constant["bundles"]
    place = "bundles/test-model"
    assert entry["graphs"] == {
        "classifier": {
            "file": f"{place}/classifier.onnx",
            "weights": {"classifier.weights": f"{place}/classifier.weights.planes"},
        },
        "gate": {"file": f"{place}/gate.onnx", "weights": {"gate.weights": f"{place}/gate.weights.planes"}},
    }
    of_providers = {name for own in constant["providers"].values() for name in own}
    of_codecs = {name for own in constant["codecs"].values() for name in own["assets"]}
    assert set(constant["common"]) | of_providers | of_codecs | set(entry["assets"]) == constant["assets"].keys()
    assert set(entry["start"]) == set(entry["assets"])


def test_a_gradient_graph_is_packed_without_weights_of_its_own(gradient_site: Path, gradient_bundle: Bundle) -> None:
    constant = site_constant(gradient_site)
    ours = sorted(name for name in constant["assets"] if name.startswith("bundles/"))
    assert ours == [
        f"bundles/test-model/{name}"
        for name in (
            *("bundle.json", "classifier.onnx", "classifier.weights.planes"),
            *("gate.onnx", "gate.weights.planes", "gradient.onnx"),
        )
    ]
    graph = asset(gradient_site, constant["assets"]["bundles/test-model/gradient.onnx"])
    assert graph == (gradient_bundle.folder / "gradient.onnx").read_bytes()
    (entry,) = constant["bundles"]
    assert entry["graphs"]["gradient"] == {
        "file": "bundles/test-model/gradient.onnx",
        "weights": {"classifier.weights": "bundles/test-model/classifier.weights.planes"},
    }
    assert "bundles/test-model/gradient.onnx" not in entry["start"]
    assert entry["roles"] == ["classifier", "gate"]  # whose sessions are made at the start


def test_each_kind_of_job_has_its_error_document(site: Path) -> None:
    failures = site_constant(site)["failures"]
    assert {kind: document["schema"] for kind, document in failures.items()} == {
        "analyse": "sitegen.result/1",
        "explain": "sitegen.result/1",
        "gradient": "sitegen.gradient/1",
    }
    assert all(document["engine"]["runtime"] == "pyodide" for document in failures.values())


def test_nothing_tells_of_the_machine_that_built_it(site: Path, bundle: Bundle) -> None:
    constant = site_constant(site)
    everything = [asset(site, entry) for entry in constant["assets"].values()] + list(contents(site).values())
    for path in (Path(build_module.__file__).parents[2], bundle.folder, site, cache_folder(), Path.home() / ".cache"):
        assert not [content[:40] for content in everything if str(path).encode() in content], path


def test_report_and_sizes(bundle: Bundle, tmp_path: Path) -> None:
    stages: list[str] = []
    built = build_site(bundle, tmp_path / "a folder" / "dist", stages.append)
    assert tuple(stages) == build_module.STAGES
    files = contents(built.folder)
    known = site_constant(built.folder)
    first = (*known["common"], *known["providers"]["wasm"], *known["bundles"][0]["start"])
    loaded = [len(files[file]) for name in first for file in known["assets"][name]["parts"]]
    loaded.append(len(files["index.html"]))
    assert built.bytes_loaded == sum(loaded) <= 30e6
    assert built.largest_file == max(map(len, files.values()))
    assert [path.name for path in built.folder.parent.iterdir()] == ["dist"]


@pytest.mark.usefixtures("no_network")
def test_a_second_build_needs_no_network_and_gives_the_same_bytes(bundle: Bundle, site: Path, tmp_path: Path) -> None:
    assert contents(build_site(bundle, tmp_path / "dist").folder) == contents(site)


@pytest.mark.usefixtures("no_network")
def test_a_first_build_without_network_says_what_failed(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SITEGEN_CACHE", str(tmp_path / "empty"))
    with pytest.raises(
        AssetError, match="Fetching the archives of Pyodide, ONNX Runtime Web and codecs with npm failed"
    ):
        build_site(bundle, tmp_path / "dist")
    assert not (tmp_path / "dist").exists()
    assert [path for path in (tmp_path / "empty").rglob("*") if path.is_file()] == []  # nothing half is kept


@pytest.mark.parametrize("name", ["thesis.txt", "manifest.json"])
def test_a_folder_of_other_things_is_left_alone(bundle: Bundle, tmp_path: Path, name: str) -> None:
    # A manifest.json of another kind lies in many a web project.
    (tmp_path / name).write_text('{"name": "My web app"}')
    with pytest.raises(SiteError, match="is not a site that sitegen built"):
        build_site(bundle, tmp_path)
    assert contents(tmp_path) == {name: b'{"name": "My web app"}'}


def test_a_file_is_left_alone(bundle: Bundle, tmp_path: Path) -> None:
    (tmp_path / "dist").write_text("a file")
    with pytest.raises(SiteError, match="is a file: name a folder"):
        build_site(bundle, tmp_path / "dist")
    assert (tmp_path / "dist").read_text() == "a file"


def test_an_empty_folder_and_an_old_site_are_replaced(bundle: Bundle, tmp_path: Path) -> None:
    out = tmp_path / "dist"
    out.mkdir()
    build_site(bundle, out)
    (out / "assets" / "old.js").write_text("of the version before")
    manifest = json.loads((out / "manifest.json").read_text("utf-8"))
    manifest["files"]["assets/old.js"] = {"bytes": 21, "sha256": ""}
    (out / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    build_site(bundle, out)
    assert not (out / "assets" / "old.js").exists()
    assert (out / "index.html").is_file()


def test_a_failing_build_leaves_the_old_site(bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError("disk full")

    out = build_site(bundle, tmp_path / "dist").folder
    before = contents(out)
    monkeypatch.setattr(licences, "write_licences", fail)
    with pytest.raises(OSError, match="disk full"):
        build_site(bundle, out)
    assert contents(out) == before
    assert [path.name for path in tmp_path.iterdir()] == ["dist"]


def test_files_that_people_added_are_kept(bundle: Bundle, tmp_path: Path) -> None:
    out = tmp_path / "dist"
    build_site(bundle, out)
    (out / "CNAME").write_text("radiology.example")
    (out / "extra").mkdir()
    (out / "extra" / "notes.txt").write_text("ours")
    build_site(bundle, out)
    assert (out / "CNAME").read_text() == "radiology.example"
    assert (out / "extra" / "notes.txt").read_text() == "ours"


def test_the_current_folder_is_not_replaced(bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingsError, match="the folder that you are in"):
        build_site(bundle, Path())
    assert list(tmp_path.iterdir()) == []
