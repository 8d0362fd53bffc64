"""`sitegen explain --what-if`: what is printed and written, and exit codes. In-process: the verb alone is looked at."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import sitegen
from sitegen.bundle import Bundle
from sitegen.cli import app
from sitegen.errors import ExplanationError, SettingsError
from sitegen.prediction import Predictor
from tests.helpers.bundles import make_bundle
from tests.helpers.runtime.images import picture, saved

SCENE = saved(picture(90, 60, seed=1, colour=0.05), "PNG")
GOOD = {"regions": [[20, 10, 20.5, 30]], "filling": "reconstruction"}
BAD = {"regions": [[0, 0, 5, 5]], "filling": "black"}  # of 90 x 60 pixels the middle is seen


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return make_bundle(tmp_path_factory.mktemp("bundles") / "what-if")


def run(folder: Path, bundle: Bundle, interventions: Any, *more: str) -> Any:
    (folder / "scene.png").write_bytes(SCENE)
    (folder / "wanted.json").write_text(json.dumps(interventions), "utf-8")
    files = [str(folder / name) for name in ("scene.png", "wanted.json")]
    arguments = ["explain", files[0], "--what-if", files[1], "--bundle", str(bundle.folder), *more]
    return CliRunner().invoke(app, arguments)


def test_a_table_for_each_intervention_and_the_document(tmp_path: Path, bundle: Bundle) -> None:
    done = run(tmp_path, bundle, {"interventions": [GOOD, GOOD]}, "-o", str(tmp_path / "out.json"))
    assert done.exit_code == 0
    assert "1. 1 region(s), filled: reconstruction" in done.output
    assert done.output.count("effect on the logit") == 2
    assert "The gate accepts the changed image" in done.output
    assert "Not for diagnostic use." in done.output
    written = json.loads((tmp_path / "out.json").read_text("utf-8"))
    expected = Predictor(bundle).what_if(tmp_path / "scene.png", [GOOD, GOOD]).document
    assert written["what_if"] == expected["what_if"]
    assert written["what_if"][0]["cells"] == 11 * 16  # 20.5 of 60 pixels are 11 of 32 cells, 30 are 16


def test_one_that_cannot_be_tried_is_exit_1_and_the_others_are_told(tmp_path: Path, bundle: Bundle) -> None:
    done = run(tmp_path, bundle, [BAD, GOOD], "-o", str(tmp_path / "out.json"))
    assert done.exit_code == 1
    assert "outside of what the model" in done.output
    assert done.output.count("effect on the logit") == 1
    assert len(json.loads((tmp_path / "out.json").read_text("utf-8"))["what_if"]) == 2


@pytest.mark.parametrize(
    ("interventions", "more", "words"),
    [
        ([{"regions": []}], (), "Intervention 1 must be"),
        ([GOOD], ("--finding", "Effusion"), "leave --finding out"),
        ([GOOD], ("-o", "out.png"), "does not end in .json"),
    ],
)
def test_wrong_use(tmp_path: Path, bundle: Bundle, interventions: Any, more: tuple[str, ...], words: str) -> None:
    done = run(tmp_path, bundle, interventions, *more)
    assert isinstance(done.exception, SettingsError)
    assert done.exception.exit_code == 2
    assert words in str(done.exception)


def test_a_refused_image_says_so(tmp_path: Path) -> None:
    strict = make_bundle(tmp_path / "strict", threshold=1.0)
    done = run(tmp_path, strict, [GOOD])
    assert isinstance(done.exception, ExplanationError)
    assert "the gate refused it" in str(done.exception)


def test_in_python(bundle: Bundle) -> None:
    predictor = sitegen.Predictor(bundle)
    result = predictor.what_if(SCENE, [GOOD])
    (entry,) = result.document["what_if"]
    assert [found["before"] for found in entry["findings"]] == [found.probability for found in result.findings]
    assert predictor.what_if(b"", [GOOD]).error is not None
    with pytest.raises(ValueError, match="Intervention 1"):
        predictor.what_if(SCENE, [{}])
