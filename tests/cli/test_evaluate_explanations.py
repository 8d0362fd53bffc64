"""`sitegen evaluate explanations`: bundles and checkpoints on images that the tests draw, and planted marks."""

import csv
import json
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from typer.testing import CliRunner, Result

from sitegen.cli.evaluate import evaluate
from sitegen.errors import DataError, SettingsError
from sitegen.evaluation.explanations.document_types import (
    ExplanationStudyDocument,
    PlantedDocument,
    UnavailableDocument,
)
from sitegen.evaluation.explanations.localisation.document_types import LocalisationDocument
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
    torch.manual_seed(0)  # of the weights, which the fixture is otherwise free to differ in from run to run
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
    elsewhere = all_keys(PlantedDocument) | all_keys(LocalisationDocument)
    unseen = elsewhere - all_keys(IntervalDocument)
    hold(ExplanationStudyDocument, [found], unseen | all_keys(UnavailableDocument))  # a checkpoint serves every method
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
        (["IMAGES", "--model", "MODEL", "--split", "test"], "belong to boxes"),
        (["IMAGES", "--model", "MODEL", "--boxes", "BOXES", "--finding", "Three"], "no finding 'Three'"),
        (["--planted", "3", "--boxes", "BOXES"], "of their own"),
    ],
)
def test_what_there_is_not_is_refused(place: Path, arguments: list[str], words: str) -> None:
    known = {"BOXES": write_boxes(place), "IMAGES": place / "images", "MODEL": place / "model.pt"}
    result = run(place, *(known.get(argument, argument) for argument in arguments), fails=SettingsError)
    assert words in str(result.exception)


def write_boxes(place: Path) -> Path:
    """Boxes of three images, one of which was not given, and of a finding that the model has not."""
    rows = ["0,One,0,0,0.5,0.5", "0,Two,0.5,0.5,0.5,0.5", "1,one,0.2,0.2,0.6,0.6", "2,One,0.25,0.5,0.5,0.25"]
    others = ["7,One,0,0,1,1", "2,Three,0,0,1,1"]
    (place / "boxes.csv").write_text("\n".join(["image,finding,x,y,w,h", *rows, *others]), encoding="utf-8")
    return place / "boxes.csv"


def test_boxes_alone_are_compared_and_nothing_else_is_done(place: Path) -> None:
    boxes = write_boxes(place)
    asked = (place / "images", "--model", place / "model.pt", "--boxes", boxes, "--split", "all")
    result = run(place, *asked)
    found = document(place)
    boxed = found["localisation"]
    hold(LocalisationDocument, [boxed])
    assert (found["methods"], found["sanity"], found["with_curves"], found["images"]) == ([], None, 0, 3)
    assert found["findings"] == {"One": 3, "Two": 1}
    names = ["saliency", "cam", "grad-cam", "guided-grad-cam", "random", "centre", "lungs", "usual"]
    assert [each["name"] for each in boxed["all"]["maps"]] == names
    assert (boxed["all"]["cases"], boxed["all"]["boxes"], boxed["all"]["patients"]) == (4, 4, 2)
    assert (boxed["without_image"], boxed["other_findings"]) == (1, {"Three": 1})
    random, centre, lungs, _ = boxed["all"]["maps"][4:]
    assert random["pointing"]["value"] == pytest.approx((0.25 + 0.25 + 0.36 + 0.125) / 4)
    assert centre["pointing"]["value"] == 1.0  # all have the middle inside or on their border
    assert lungs["pointing"]["value"] == pytest.approx((0.5 + 0.5 + 1 + 1) / 4)
    assert "with --all-parts" in result.output
    assert "The model does not have the findings of 1 other box(es): Three (1)." in result.output
    page = (place / "report.html").read_text("utf-8")
    assert "Boxes that radiologists drew" in page
    assert "Taking away, and putting back" not in page
    first = (place / "out.json").read_bytes(), page
    run(place, *asked)
    assert ((place / "out.json").read_bytes(), (place / "report.html").read_text("utf-8")) == first


def test_boxes_of_a_split_beside_all_other_parts(place: Path) -> None:
    asked = ("--model", place / "model.pt", "--boxes", write_boxes(place), "--all-parts", "--methods", "saliency")
    run(place, place / "images", *asked, "--finding", "One")
    found = document(place)
    assert found["localisation"]["split"] == "test"  # the manifest's; there are no training images
    assert found["localisation"]["all"]["cases"] == 3
    assert [each["verdict"] for each in found["localisation"]["all"]["maps"]] == ["unknown", None, None, None, None]
    assert [method["name"] for method in found["methods"]] == ["saliency", "random", "edges", "centre"]
    assert found["sanity"]["images"] == 1


@pytest.mark.slow
def test_planted_marks_are_found_and_guided_backpropagation_fails_the_sanity_check(place: Path) -> None:
    run(place, "--planted", 16, "--sanity-images", 2, "--stages", 4)
    found = document(place)
    hold(PlantedDocument, [found["planted"]])
    finds = {each["name"]: each["finds"] for each in found["planted"]["methods"]}
    marked = {method["name"] for method in found["methods"] if method["marked_as_failing"]}
    assert {name for name, found_it in finds.items() if not found_it} - marked == {"random", "edges", "centre"}
    passes = {each["name"]: each["passes"] for each in found["sanity"]["methods"]}
    assert not passes["guided-backpropagation"]
    assert passes["gradient"]
    assert passes["saliency"]
