"""Types of the JavaScript: nothing wrong in any script, none left out, and what Python makes is what the types say."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sitegen.bundle import Bundle
from sitegen.errors import AssetError
from sitegen.site.engines.codecs import SCRIPTS as CODEC_SCRIPTS
from sitegen.site.page import PAGE_SCRIPTS, SHARED_SCRIPTS, WORKER_SCRIPTS
from sitegen_runtime.wording.failures import describe_page
from tests.helpers.bundles import make_bundle
from tests.helpers.runtime.images import saved
from tests.javascript import check
from tests.runtime.test_browser_session import NOISE, SMOOTH, Worker
from tests.site.test_build import site_constant

TEMPLATES = check.ROOT / "templates"
IMAGE = saved(SMOOTH, "PNG")


@pytest.fixture(scope="module", autouse=True)
def _compiler() -> None:
    try:
        check.install()
    except AssetError as error:
        pytest.skip(f"TypeScript's compiler is not to be had here: {error}")


def in_scope(project: str, folder: Path, name: str, text: str) -> list[str]:
    """What is wrong with a script of this text beside those of the project."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return check.problems(project, path)


@pytest.mark.parametrize("project", check.PROJECTS)
def test_nothing_is_wrong(project: str) -> None:
    assert check.problems(project) == []


def test_every_script_is_checked_in_the_scope_that_it_runs_in() -> None:
    shared = {TEMPLATES / "shared" / f"{name}.js" for name in SHARED_SCRIPTS}
    expected = {
        "page": shared | {TEMPLATES / "page" / f"{name}.js" for name in PAGE_SCRIPTS},
        "worker": shared | {TEMPLATES / "worker" / f"{name}.js" for name in WORKER_SCRIPTS},
        "codecs": {TEMPLATES / "codecs" / f"{name}.js" for name in CODEC_SCRIPTS},
        "service_worker": {TEMPLATES / "service_worker.js"},
        "curation": {check.ROOT / "sitegen" / "curation" / "report" / "counting.js"},
        "build": {check.ROOT / "sitegen" / "site" / "engines" / "snapshot.mjs"},
    }
    assert {project: check.scripts(project) for project in check.PROJECTS} == expected
    there = {path for room in ("templates", "sitegen") for path in (check.ROOT / room).rglob("*.*js")}
    assert there == set().union(*expected.values())


@pytest.mark.parametrize(
    ("project", "wrong", "named"),
    [
        ("page", "SITE.bundles[0].tittle;", "tittle"),
        ("page", "sha256.make();", "make"),
        ("page", "new Engine(SITE, assets);", "Expected 4 arguments"),
        ("worker", "ort.InferenceSession.make();", "make"),
        ("worker", "loadPyodide({ noSuchOption: true });", "noSuchOption"),
        ("worker", "document.title;", "document"),
        ("codecs", "new JpegLossless.Encoder();", "Encoder"),
        ("service_worker", "registration.unregistered();", "unregistered"),
    ],
)
def test_what_is_wrong_is_found(project: str, wrong: str, named: str, tmp_path: Path) -> None:
    (line,) = in_scope(project, tmp_path, "wrong.js", wrong)
    assert "wrong.js" in line
    assert named in line


def ends(bundle: Bundle, strict: Bundle) -> Iterator[tuple[str, dict[str, Any]]]:
    """What sessions of Python end with, each with its type."""
    wanted = {"finding": "Effusion", "method": "grad-cam"}
    of_analyses = 'Omit<AnalysisFields, "bytes">'

    def end(of: Bundle, data: bytes, **options: Any) -> dict[str, Any]:
        worker = Worker(of)
        return worker.run(worker.session(data, **options))[0]

    yield of_analyses, end(bundle, IMAGE)
    yield of_analyses, end(bundle, IMAGE, correction="invert", force=True, explain=[wanted], values=True)
    yield of_analyses, end(strict, saved(NOISE, "PNG"))
    yield of_analyses, end(bundle, b"no image") | {"overlay": None}
    yield 'Omit<MapResult, "bytes">', end(bundle, IMAGE, kind="explain", **wanted)
    tried: list[dict[str, Any]] = [{"regions": [[40, 30, 20, 20]], "filling": each} for each in ("black", "nothing")]
    tried.append({"attack": {"method": "fgsm"}})
    yield of_analyses, end(bundle, IMAGE, what_if=tried)
    yield 'Omit<WhatIfResult, "bytes">', end(bundle, IMAGE, kind="what-if", what_if=tried)
    yield "MissingMap", end(strict, saved(NOISE, "PNG"), kind="explain", **wanted)
    yield 'Omit<GradientResult, "bytes">', end(bundle, IMAGE, kind="gradient", seed={"Effusion": 1.0})


def test_what_python_makes_is_what_the_types_say(gradient_bundle: Bundle, gradient_site: Path, tmp_path: Path) -> None:
    strict = make_bundle(tmp_path / "strict", threshold=0.9999)
    made = [("Site", site_constant(gradient_site)), ("PageWords", describe_page()), *ends(gradient_bundle, strict)]
    assert made[4][1]["wording"]["outcome"] == "refused"
    assert made[5][1]["wording"]["outcome"] == "failed"
    lines = [f"export const made{number}: {kind} = {json.dumps(value)};" for number, (kind, value) in enumerate(made)]
    assert in_scope("page", tmp_path, "made.ts", "\n".join(lines)) == []


def test_a_field_that_the_types_lack_is_found(tmp_path: Path) -> None:
    words = describe_page()
    words["stages"][0]["colour"] = "green"
    (line,) = in_scope("page", tmp_path, "more.ts", f"export const more: PageWords = {json.dumps(words)};")
    assert "colour" in line
