"""`sitegen evaluate explanations`: bundles and checkpoints on images that the tests draw, and planted marks."""

import csv
import json
import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from sitegen.cli.evaluate import evaluate
from sitegen.errors import DataError, SettingsError
from sitegen.evaluation.explanations.document_types import (
    ExplanationStudyDocument,
    PlantedDocument,
    UnavailableDocument,
)
from sitegen.metrics.document_types import IntervalDocument
from sitegen.networks.registry import make_network, network_document, read_network
from sitegen.networks.trained import TrainedClassifier, save_trained
from sitegen.phantom import phantom
from sitegen_runtime.bundle.model import NetworkInput
from tests.helpers.trained import lived_in
from tests.helpers.typed_documents import all_keys, hold

NETWORK = {"name": "densenet", "growth": 4, "blocks": [2, 2], "stem": 8, "labels": 2}
QUICK = ("--steps", 2, "--resamples", 20, "--sanity-images", 1, "--sanity-draws", 1, "--stages", 3)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of random weights, and three images of two patients with a manifest."""
    folder = tmp_path_factory.mktemp("explanations")
    settings = read_network(NETWORK)
    entry = NetworkInput("image", (1, 1, 32, 32), "grey", 1.0, (-1.0, 1.0), (0.0,), (1.0,))
    network = lived_in(make_network(settings))
    save_trained(TrainedClassifier(network, network_document(settings), ("One", "Two"), entry), folder / "model.pt")
    (folder / "images").mkdir()
    with (folder / "images" / "manifest.csv").open("w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["file", "set", "label", "split", "patient_id"])
        for seed in range(3):
            Image.fromarray(phantom(seed, 64)).save(folder / "images" / f"{seed}.png")
            writer.writerow([f"{seed}.png", "one", "A", "test", f"p{seed // 2}"])
    return folder


def run(place: Path, *arguments: object, fails: type[Exception] | None = None) -> Result:
    out = ["-o", place / "report.html", "--json", place / "out.json"]
    asked = ["explanations", *map(str, [*QUICK, *arguments, *out])]
    result = CliRunner().invoke(evaluate, asked, env={"COLUMNS": "120"})
    assert isinstance(result.exception, fails) if fails else result.exit_code == 0, result.output
    return result


def document(place: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((place / "out.json").read_text("utf-8"))
    return read


def test_a_checkpoint_is_measured_and_the_report_holds_no_images(place: Path) -> None:
    methods = "saliency,grad-cam,guided-backpropagation"
    result = run(place, place / "images", "--model", place / "model.pt", "--methods", methods, "--every-image")
    found = document(place)
    assert found["schema"] == "sitegen.explanation-evaluation/1"
    assert (found["images"], found["patients"], found["with_curves"]) == (3, 2, 3)
    names = [*methods.split(","), "random", "edges", "centre"]
    assert [method["name"] for method in found["methods"]] == names
    assert [method["marked_as_failing"] for method in found["methods"]] == [False, False, True, False, False, False]
    for method in found["methods"]:
        assert method["areas"]["deletion"]["low"] <= method["areas"]["deletion"]["value"] <= 1
        assert len(method["curves"]["deletion"]) == 3
    assert found["sanity"]["stages"][0]["name"] == "classifier"
    assert found["sanity"]["images"] == 1
    assert found["planted"] is None
    assert found["agreement"]["rank_correlation"][0][0]["value"] == pytest.approx(1)
    page = (place / "report.html").read_text("utf-8")
    assert "default-src 'none'" in page
    assert not re.search(r"<img|<script|<link|https?://(?!www\.w3\.org)", page)
    assert "Not for diagnostic use." in page
    assert "Not for diagnostic use." in result.output


def test_equal_calls_give_equal_files(place: Path) -> None:
    asked = (place / "images" / "0.png", "--model", place / "model.pt", "--methods", "saliency,smoothgrad")
    run(place, *asked, "--finding", "Two", "--every-image")
    first = (place / "out.json").read_bytes(), (place / "report.html").read_bytes()
    run(place, *asked, "--finding", "Two", "--every-image")
    assert ((place / "out.json").read_bytes(), (place / "report.html").read_bytes()) == first
    assert document(place)["findings"] == {"One": 0, "Two": 1}


def test_images_that_cannot_be_explained_are_listed(place: Path) -> None:
    (place / "bad.png").write_bytes(b"no image")
    images = place / "images" / "1.png", place / "bad.png", place / "missing.png"
    run(place, *images, "--model", place / "model.pt", "--methods", "grad-cam")
    found = document(place)
    planted = all_keys(PlantedDocument) - all_keys(IntervalDocument)
    hold(ExplanationStudyDocument, [found], planted | all_keys(UnavailableDocument))  # a checkpoint serves every method
    assert [Path(each["file"]).name for each in found["unreadable"]] == ["bad.png", "missing.png"]
    assert found["images"] == 1
    run(place, place / "bad.png", "--model", place / "model.pt", fails=DataError)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["IMAGES", "--methods", "magic"], "no method 'magic'"),
        (["IMAGES", "--finding", "Three", "--model", "MODEL"], "no finding 'Three'"),
        ([], "Name images"),
        (["IMAGES", "--planted", "3"], "of their own"),
        (["IMAGES", "--model", "MODEL", "--bundle", "X"], "one model"),
    ],
)
def test_what_there_is_not_is_refused(place: Path, arguments: list[str], words: str) -> None:
    known = {"IMAGES": place / "images", "MODEL": place / "model.pt"}
    result = run(place, *(known.get(argument, argument) for argument in arguments), fails=SettingsError)
    assert words in str(result.exception)


@pytest.mark.slow
def test_planted_marks_are_found_and_guided_backpropagation_fails_the_sanity_check(place: Path) -> None:
    run(place, "--planted", 16, "--sanity-images", 4, "--stages", 8, "--sanity-draws", 2)
    found = document(place)
    hold(PlantedDocument, [found["planted"]])
    finds = {each["name"]: each["finds"] for each in found["planted"]["methods"]}
    marked = {method["name"] for method in found["methods"] if method["marked_as_failing"]}
    assert {name for name, found_it in finds.items() if not found_it} - marked == {"random", "edges", "centre"}
    passes = {each["name"]: each["passes"] for each in found["sanity"]["methods"]}
    assert not passes["guided-backpropagation"]
    assert passes["gradient"]
    assert passes["saliency"]
