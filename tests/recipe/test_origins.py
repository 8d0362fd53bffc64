"""A bundle of several collections knows where its images are from, and so does whoever measures it again."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sitegen.bundle import Bundle, load_bundle
from sitegen.cli import app
from sitegen.evaluation.classifier.document import evaluation_document
from sitegen.evaluation.classifier.document_types import EvaluationDocument
from sitegen.evaluation.classifier.study import Question, evaluate
from sitegen.recipe.export_bundle import export_bundle
from sitegen.resources import default_bundle
from sitegen.site.help import help_text
from tests.helpers.radiographs import write_radiographs, write_recipe
from tests.helpers.trained import write_recipe_audit, write_trained

NEAR = {"name": "near", "place": "near", "collection": "Near X-rays", "hospital": "St. Near"}
FAR = {"name": "far", "place": "far", "collection": "Far X-rays", "hospital": "St. Far"}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two collections, a recipe of both, a checkpoint and a bundle: the labels of one are unknown to the model."""
    folder = tmp_path_factory.mktemp("origins")
    write_radiographs(folder / "data" / "near", {"train": 6, "valid": 20, "test": 12})
    write_radiographs(folder / "data" / "far", {"far": 8})
    manifest = folder / "data" / "far" / "manifest.csv"
    manifest.write_text(manifest.read_text("utf-8").replace(",p", ",far-"), "utf-8")
    data = {
        "place": "data",
        "labels": {"Opacity": "Opacity"},
        "parts": [NEAR | {"labels": {"Opacity": "ILL"}}, FAR],
    }
    recipe = write_recipe(folder / "recipe.json", folder, data=data, evaluation={"also": ["far"]})
    checkpoint = write_trained(recipe)
    write_recipe_audit(recipe, folder / "work")
    export_bundle(checkpoint, folder / "bundle", None, folder / "work", gate=default_bundle(), final=True)
    return folder


@pytest.fixture(scope="module")
def made(place: Path) -> Bundle:
    return load_bundle(place / "bundle")


def measured(
    place: Path, model: str, data: Path | None, split: str = "test", *, collection: str = "", hospital: str = ""
) -> EvaluationDocument:
    asked = Question(place / model, data, split=split, work=place / "work", collection=collection, hospital=hospital)
    answer = evaluate(asked)
    return evaluation_document(answer.scored, resamples=20)


def test_the_bundle_says_where_its_images_are_from(made: Bundle) -> None:
    collections = made.description.provenance["data"]["collections"]
    assert collections["far"] == {"collection": "Far X-rays", "hospital": "St. Far"}
    metrics = made.description.metrics
    assert [(name, metrics[name]["from"]) for name in ("valid", "test", "far")] == [
        ("valid", "chosen-on"),
        ("test", "other-patients"),
        ("far", "elsewhere"),
    ]
    assert metrics["test"]["flagged_without_finding"]["images"] == 6
    assert set(metrics["test"]["findings"]["Opacity"]["by"]) == {"view", "sex", "age"}
    assert set(metrics["test"]["findings"]["Opacity"]["by"]["sex"]["F"]) == {
        "images",
        "positives",
        "auc",
        "sensitivity",
        "specificity",
    }


def test_of_images_with_unknown_labels_the_gate_alone_is_measured(made: Bundle) -> None:
    far = made.description.metrics["far"]
    assert far["accepted"]["by_source"]["far"]["value"] >= 0
    assert far["findings"]["Opacity"]["auc"] is None
    assert far["flagged_without_finding"] is None
    first = made.description.metrics["headline"]
    assert first["not_measured"].endswith("images from elsewhere.")
    assert first["findings"]["Opacity"]["split"] in ("valid", "test")


@pytest.mark.parametrize("model", ["bundle", "classifier.pt"])
def test_the_trainings_own_images_are_known_again(place: Path, model: str) -> None:
    for data in (place / "data", None) if model == "classifier.pt" else (place / "data",):
        assert measured(place, model, data)["from"] == "other-patients"
        assert measured(place, model, data, "valid")["from"] == "chosen-on"
    trained = measured(place, model, place / "data", "train")
    assert trained["from"] == "trained-on"
    assert trained["remarks"][0].startswith("Images of 6 patients were trained on:")
    everything = measured(place, model, place / "data", "all")
    assert [each["from"] for each in everything["sources"]] == ["elsewhere", "trained-on"]


def test_other_images_are_of_unknown_origin_until_it_is_told(place: Path, tmp_path: Path) -> None:
    other = write_radiographs(tmp_path / "other", {"test": 12}, labels=("WELL", "Opacity"))
    assert measured(place, "bundle", other)["from"] == "unknown"
    told = measured(place, "bundle", other, collection="Other X-rays", hospital="St. Other")
    assert (told["from"], told["not_measured"]) == ("elsewhere", "")
    assert "on images from elsewhere (Other X-rays)" in told["headline"]["words"]
    assert measured(place, "bundle", other, collection="Near 2", hospital="st. near")["from"] == "same-hospital"
    assert measured(place, "bundle", other, collection="near x-rays", hospital="St. Other")["from"] == "unknown"


def test_the_verb_says_first_what_was_not_measured(place: Path, tmp_path: Path) -> None:
    out = tmp_path / "document.json"
    arguments = ["evaluate", "classifier", str(place / "bundle"), "--data", str(place / "data"), "--json", str(out)]
    done = CliRunner().invoke(app, [*arguments, "--resamples", "20"], catch_exceptions=False)
    assert done.exit_code == 0
    said = " ".join(done.output.split())
    assert said.startswith("Not measured: another collection of the same hospital and images from elsewhere. Least")
    assert json.loads(out.read_text("utf-8"))["sources"][0]["hospital"] == "St. Near"


def test_the_help_page_begins_with_what_was_not_measured(made: Bundle) -> None:
    page = " ".join(help_text([made]).split())
    assert page.index("Not measured: another collection of the same hospital") < page.index("The least favourable")
