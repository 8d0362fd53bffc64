"""The bill of materials: valid, complete, the same for equal sites, and true."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from sitegen import __version__
from sitegen.bundle import Bundle
from sitegen.site.engines.compiled_libraries import COMPILED_INTO_PYODIDE, INSIDE_CPYTHON, PYODIDE
from sitegen.site.engines.files import install_engines
from sitegen.site.engines.node import find_node
from sitegen.site.inspection.bill_of_materials import ShippedFiles, bill_of_materials
from sitegen.site.python.runtime_wheel import build_wheel, lock
from tests.helpers.bundles import make_bundle

CODECS = ("@cornerstonejs/codec-charls", "@cornerstonejs/codec-openjpeg", "jpeg-lossless-decoder-js")
# Asks Pyodide itself for the versions of the libraries inside it.
VERSIONS = """
const { loadPyodide } = await import(process.argv[1]);
const python = await loadPyodide({ lockFileContents: JSON.stringify(%s) });
process.stdout.write(python.runPython(`
import _decimal, json, sqlite3, sys, zlib
from compression import zstd
from pyexpat import version_info
json.dumps({
    "emscripten": ".".join(map(str, sys._emscripten_info.emscripten_version)),
    "expat": ".".join(map(str, version_info)),
    "libmpdec": _decimal.__libmpdec_version__,
    "sqlite": sqlite3.sqlite_version,
    "zlib": zlib.ZLIB_RUNTIME_VERSION,
    "zstd": zstd.zstd_version,
    "python": sys.version.split()[0],
})
`));
process.exit(0);
"""


@pytest.fixture(scope="module")
def bill(site: Path) -> dict[str, Any]:
    return json.loads((site / "sbom.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def parts(bill: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {part["name"]: part for part in bill["components"]}


def files_of(part: dict[str, Any]) -> dict[str, str]:
    files = [inside for inside in part.get("components", []) if inside["type"] == "file"]
    assert all([hashed["alg"] for hashed in file["hashes"]] == ["SHA-256"] for file in files)
    return {file["name"]: file["hashes"][0]["content"] for file in files}


def licence_of(part: dict[str, Any]) -> str:
    (entry,) = part["licenses"]
    return entry.get("expression") or entry["license"].get("id") or entry["license"]["name"]


def inside_of(part: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in part["components"] if one["type"] == "library"}


def bill_of(bundles: list[tuple[Bundle, list[str]]], assets: dict[str, list[str]]) -> dict[str, Any]:
    """The bill of a site that consists of these assets, each of whose files has a hash of its own."""
    engines = install_engines()
    files = [file for names in assets.values() for file in names]
    hashes = {file: sha256(file.encode()).hexdigest() for file in ["index.html", *files]}
    return json.loads(bill_of_materials(ShippedFiles(hashes, assets), engines, lock(engines, build_wheel()), bundles))


def test_it_is_valid_cyclonedx(site: Path, bill: dict[str, Any]) -> None:
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    validator = JsonStrictValidator(SchemaVersion.V1_6)
    assert validator.validate_str((site / "sbom.json").read_text("utf-8")) is None
    assert validator.validate_str(json.dumps(bill | {"colour": "red"})) is not None


def test_every_file_that_ships_is_listed_once_with_the_hash_that_it_has(
    site: Path, parts: dict[str, dict[str, Any]]
) -> None:
    listed = [entry for part in parts.values() for entry in files_of(part).items()]
    manifest = json.loads((site / "manifest.json").read_text("utf-8"))["files"]
    wanted = {name: entry["sha256"] for name, entry in manifest.items() if name not in ("sbom.json", "security.html")}
    assert dict(listed) == wanted
    assert len(listed) == len(wanted)


def test_files_are_listed_under_what_they_come_from(parts: dict[str, dict[str, Any]]) -> None:
    def stems(name: str) -> set[str]:
        return {re.sub(r"\.[0-9a-f]{12}\.js$", "", file) for file in files_of(parts[name])}

    assert stems("pyodide") == {"assets/pyodide.asm.wasm", "assets/snapshot.bin"}
    assert stems("cpython") == {"assets/python_stdlib.zip"}
    assert stems("onnxruntime-web") == {
        *("assets/ort-wasm-simd-threaded.wasm", "assets/ort-thread.mjs"),
        *("assets/webgpu/ort.js", "assets/webgpu/ort-wasm-simd-threaded.asyncify.wasm"),
    }
    assert stems("sitegen-runtime") == {f"assets/sitegen_runtime-{__version__}-py3-none-any.whl"}
    assert stems("jpeg-lossless-decoder-js") == {"assets/codecs/jpeg-lossless-decoder-js.js"}
    assert stems("@cornerstonejs/codec-charls") == {f"assets/codecs/codec-charls.{kind}" for kind in ("js", "wasm")}
    assert stems("@cornerstonejs/codec-openjpeg") == {f"assets/codecs/codec-openjpeg.{kind}" for kind in ("js", "wasm")}
    assert "assets/bundles/test-model/classifier.weights.planes" in stems("test-model")
    assert {"index.html", "card.html", "help.html", "assets/worker.js", "licences/index.html"} <= stems("sitegen")


def test_names_versions_licences_and_package_addresses(parts: dict[str, dict[str, Any]]) -> None:
    engines = install_engines()
    for name, licence in {"pyodide": "MPL-2.0", "onnxruntime-web": "MIT", "js-sha256": "MIT"}.items():
        part = parts[name]
        assert (part["version"], licence_of(part)) == (engines.version(name), licence)
        assert part["purl"] == f"pkg:npm/{name}@{engines.version(name)}"
        (archive,) = part["externalReferences"]
        assert [entry["alg"] for entry in archive["hashes"]] == ["SHA-512"]
    part = parts["@cornerstonejs/codec-charls"]
    assert part["purl"] == f"pkg:npm/%40cornerstonejs/codec-charls@{engines.version(part['name'])}"
    assert {name: licence_of(one) for name, one in inside_of(part).items()} == {"charls": "BSD-3-Clause"}
    assert licence_of(parts["cpython"]) == "PSF-2.0"
    assert parts["cpython"]["cpe"] == f"cpe:2.3:a:python:python:{parts['cpython']['version']}:*:*:*:*:*:*:*"
    assert (parts["sitegen"]["version"], licence_of(parts["sitegen"])) == (__version__, "Apache-2.0")
    assert parts["sitegen"]["purl"] == f"pkg:pypi/offline-sitegen@{__version__}"


def test_modified_parts_say_so(parts: dict[str, dict[str, Any]]) -> None:
    assert [name for name, part in parts.items() if "pedigree" in part] == [
        *sorted(CODECS),
        "onnxruntime-web",
        "pyodide",
    ]
    assert "classic script" in parts["pyodide"]["pedigree"]["notes"]


def test_the_hash_of_a_wheel_is_that_of_the_lock(parts: dict[str, dict[str, Any]]) -> None:
    (entry,) = parts["sitegen-runtime"]["hashes"]
    assert entry == {"alg": "SHA-256", "content": sha256(build_wheel().content).hexdigest()}


def test_the_model_is_a_part_with_its_own_terms(bundle: Bundle, parts: dict[str, dict[str, Any]]) -> None:
    model = parts["test-model"]
    assert (model["type"], model["version"]) == ("machine-learning-model", "1.0")
    assert licence_of(model) == "Apache-2.0"
    assert model["hashes"] == [{"alg": "SHA-256", "content": bundle.model.sha256}]
    assert {"name": "sitegen:training data", "value": "none"} in model["properties"]


def test_terms_that_are_no_spdx_are_named_in_words(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "model")
    terms = bundle.description.licence.model_copy(update={"weights": "For teaching, ask first"})
    worded = replace(bundle, description=bundle.description.model_copy(update={"licence": terms}))
    (model,) = (part for part in bill_of([(worded, [])], {})["components"] if part["name"] == "test-model")
    assert model["licenses"] == [{"license": {"name": "For teaching, ask first"}}]


def test_weights_that_a_training_began_with_are_an_ancestor_with_their_own_terms(bundle: Bundle) -> None:
    initial = {"name": "lite", "sha256": "a" * 64, "package": "lite 1.0", "licence": "Apache-2.0", "data": "ImageNet"}
    made = bundle.description.model_copy(update={"provenance": {"initial": initial}})
    bill = bill_of([(replace(bundle, description=made), [])], {"worker.js": ["assets/worker.js"]})
    (model,) = (part for part in bill["components"] if part["name"] == "test-model")
    (ancestor,) = model["pedigree"]["ancestors"]
    assert ancestor["name"] == "lite"
    assert ancestor["hashes"] == [{"alg": "SHA-256", "content": "a" * 64}]
    assert ancestor["licenses"] == [{"license": {"id": "Apache-2.0"}}]
    assert [each["value"] for each in ancestor["properties"]] == ["ImageNet"]
    assert ancestor["description"].endswith(", of the package lite 1.0")


def test_bundles_that_share_an_asset_list_it_once(tmp_path: Path, bundle: Bundle) -> None:
    other = make_bundle(tmp_path / "other")
    other = replace(other, description=other.description.model_copy(update={"name": "other"}))
    assets = {
        "bundles/a": ["assets/a.js"],
        "bundles/both": ["assets/1.js", "assets/2.js"],
        "bundles/b": ["assets/b.js"],
    }
    bill = bill_of([(bundle, ["bundles/a", "bundles/both"]), (other, ["bundles/both", "bundles/b"])], assets)
    parts = {part["name"]: part for part in bill["components"]}
    assert list(files_of(parts["test-model"])) == ["assets/1.js", "assets/2.js", "assets/a.js"]
    assert list(files_of(parts["other"])) == ["assets/b.js"]
    assert bill["metadata"]["component"]["name"] == "test-model + other"


def test_equal_sites_have_equal_bills_and_others_another_number(bundle: Bundle) -> None:
    assets = {"worker.js": ["assets/worker.js"]}
    first = bill_of([(bundle, [])], assets)
    assert first == bill_of([(bundle, [])], assets)
    assert "timestamp" not in json.dumps(first)
    other = bill_of([(bundle, [])], {"worker.js": ["assets/worker2.js"]})
    assert first["serialNumber"] != other["serialNumber"]
    assert re.fullmatch(
        r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", first["serialNumber"]
    )


def test_what_is_not_all_known_is_said_to_be_so(bill: dict[str, Any], parts: dict[str, dict[str, Any]]) -> None:
    (composition,) = bill["compositions"]
    assert composition["aggregate"] == "incomplete"
    references = {part["bom-ref"] for part in parts.values()}
    assert set(composition["assemblies"]) == {*CODECS[:2], "pyodide", "cpython", "onnxruntime-web"} <= references


@pytest.mark.skipif(sys.platform == "win32", reason="addresses of files are written otherwise there")
def test_pyodide_itself_tells_these_versions(parts: dict[str, dict[str, Any]]) -> None:
    engines = install_engines()
    assert engines.version("pyodide") == PYODIDE, (
        "look at what is inside the new one, and say it in compiled_libraries.py"
    )
    information = json.loads(engines.read("pyodide", "pyodide-lock.json"))["info"]
    program = VERSIONS % json.dumps({"info": information, "packages": {}})
    command = [find_node().node, "--input-type=module", "-e", program, str(engines.pyodide / "pyodide.mjs")]
    told = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert told.pop("python") == parts["cpython"]["version"]
    inside = inside_of(parts["pyodide"]) | inside_of(parts["cpython"])
    assert {name: inside[name]["version"] for name in told} == told
    # These two do not tell; their texts are in the WebAssembly.
    wasm = engines.read("pyodide", "pyodide.asm.wasm")
    assert inside["bzip2"]["version"].encode() + b", 6-Sept-2010" in wasm
    assert b"\0" + inside["xz"]["version"].encode() + b"\0" in wasm


def test_every_compiled_library_has_its_notice(site: Path, parts: dict[str, dict[str, Any]]) -> None:
    text = (site / "licences" / "compiled-in.txt").read_text("utf-8").lower()
    names = {library.name.lower() for library in (*COMPILED_INTO_PYODIDE, *INSIDE_CPYTHON)}
    assert [name for name in names if name.replace("llvm-runtimes", "llvm") not in text] == []
    assert {name.lower() for name in inside_of(parts["pyodide"]) | inside_of(parts["cpython"])} == names
