"""The notices: of every part that ships, with the source of what was modified."""

import re
from html import unescape
from pathlib import Path

from sitegen.bundle import Bundle
from sitegen.site.engines.classic import classic_ort, classic_pyodide
from sitegen.site.engines.files import install_engines

CODECS = ("jpeg-lossless-decoder-js", "@cornerstonejs/codec-charls", "@cornerstonejs/codec-openjpeg")
PARTS = ("sitegen", "Test model", "Pyodide", "CPython", "ONNX Runtime Web", "js-sha256", *CODECS)


def rows(site: Path) -> list[list[str]]:
    """The cells of the index's table, as text."""
    html = (site / "licences" / "index.html").read_text("utf-8")
    lines = re.findall(r"<tr>(.*?)</tr>", html, re.DOTALL)[1:]
    return [[unescape(re.sub("<[^>]*>", "", cell)) for cell in re.findall(r"<td>(.*?)</td>", line)] for line in lines]


def test_every_part_has_a_licence(site: Path) -> None:
    table = rows(site)
    for part in PARTS:
        (row,) = [row for row in table if row[0].startswith(part)]
        assert row[2], part


def test_versions_are_those_that_ship(site: Path) -> None:
    versions = {row[0]: row[1] for row in rows(site)}
    engines = install_engines()
    assert versions["Pyodide"] == engines.version("pyodide")
    assert versions["ONNX Runtime Web"] == engines.version("onnxruntime-web")
    assert versions["js-sha256"] == engines.version("js-sha256")
    assert {name: versions[name] for name in CODECS} == {name: engines.version(name) for name in CODECS}
    python = engines.read("pyodide", "pyodide-lock.json").decode()
    assert f'"python":"{versions["CPython, inside Pyodide"]}.' in python.replace(" ", "")


def test_texts_are_those_of_the_licences(site: Path) -> None:
    folder = site / "licences"
    for name, words in {
        "Apache-2.0.txt": "Apache License",
        "MPL-2.0.txt": "Mozilla Public License Version 2.0",
        "Python.txt": "PYTHON SOFTWARE FOUNDATION LICENSE VERSION 2",
        "MIT.txt": "Permission is hereby granted, free of charge",
        "js-sha256.txt": "Permission is hereby granted, free of charge",
        "onnxruntime.txt": "Microsoft Corporation",
        "jpeg-lossless-decoder-js.txt": "RII-UTHSCSA",
        "codec-charls.txt": "Chris Hafey",
        "codecs.txt": "CharLS",
        "onnxruntime-third-party.txt": "protobuf",
    }.items():
        assert words in re.sub(r"\s+", " ", (folder / name).read_text("utf-8")), name


def test_the_source_of_what_was_modified_is_there_and_the_changes_are_true(site: Path) -> None:
    source = site / "licences" / "source"
    engines = install_engines()
    original = engines.read("pyodide", "pyodide.asm.mjs")
    assert (source / "pyodide.asm.mjs").read_bytes() == original
    changes = (source / "CHANGES.txt").read_text("utf-8")
    quoted = re.findall(r'"([^"]+)" became "([^"]+)"', changes)
    script = original.decode()
    for old, new in quoted[:2]:
        assert old in script
        script = script.replace(old, new)
    assert script == classic_pyodide(original.decode())
    ort = engines.read("onnxruntime-web", "dist/ort.wasm.bundle.min.mjs").decode()
    assert quoted[2][0] in ort
    assert quoted[2][0] not in classic_ort(ort)
    assert engines.version("pyodide") in changes


def test_the_bundles_own_terms_are_named(site: Path, bundle: Bundle) -> None:
    (row,) = [row for row in rows(site) if row[0] == bundle.description.title]
    assert row[1:3] == ["1.0", "Apache-2.0"]
