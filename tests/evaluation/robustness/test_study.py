"""From checkpoints and folders to matrices; the networks have random weights, which is all that these tests need."""

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from sklearn.metrics import roc_auc_score
from typer import Typer
from typer.main import get_command
from typer.testing import CliRunner

from sitegen.cli.evaluate.robustness import robustness
from sitegen.data.audit.document_types import ProblemDocument
from sitegen.data.tensors.cache import image_tensors
from sitegen.errors import CheckpointError, DataError
from sitegen.evaluation.robustness.document_types import RobustnessDocument
from sitegen.evaluation.robustness.study import Study, study
from sitegen.metrics.resampling import Resampling
from sitegen.networks.registry import make_network, network_document, read_network
from sitegen.networks.trained import TrainedClassifier, load_trained, save_trained
from sitegen.settings.reading import settings_document
from sitegen.settings.recipe import network_input, read_recipe_file
from sitegen.training.augment import LEVELS, AugmentSettings
from sitegen.training.presets import read_recipe
from tests.helpers.json_keys import keys_of
from tests.helpers.radiographs import write_radiographs, write_recipe
from tests.helpers.typed_documents import all_keys, hold

NONE, *_, HIGH = LEVELS
FEW = Resampling(half_splits=3, resamples=20)


def checkpoint(
    path: Path,
    recipe: Path,
    augment: AugmentSettings = LEVELS[NONE],
    seed: int = 1,
    side: int = 32,
    labels: tuple[str, ...] = ("Opacity",),
) -> Path:
    """A classifier as training leaves it."""
    file = read_recipe_file(recipe)
    file = replace(
        file,
        image=replace(file.image, side=side),
        training=file.training | {"augment": settings_document(augment)},
    )
    torch.manual_seed(seed)
    settings = read_network({"name": "densenet", "growth": 4, "blocks": [2, 2], "stem": 8, "labels": len(labels)})
    made_by = {
        "recipe": settings_document(replace(file, folder="")),
        "folder": file.folder,
        "training": settings_document(read_recipe(file.training)),
    }
    network = make_network(settings)
    save_trained(
        TrainedClassifier(network, network_document(settings), labels, network_input(file.image), made_by), path
    )
    return path


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two data sets, a recipe for each, and two models of the first."""
    folder = tmp_path_factory.mktemp("robustness")
    write_radiographs(folder / "ours", {"train": 6, "valid": 4, "test": 10}, side=48)
    write_radiographs(folder / "theirs", {"": 8}, side=40)
    recipe = write_recipe(folder / "ours.json", folder / "ours")
    write_recipe(folder / "theirs.json", folder / "theirs", name="their-hospital")
    checkpoint(folder / "high.pt", recipe, LEVELS[HIGH])
    checkpoint(folder / "none.pt", recipe, seed=2, side=24)
    return folder


def asked(place: Path, *names: str, **changes: Any) -> Study:
    checkpoints = [place / name for name in names or ("high.pt", "none.pt")]
    return Study(checkpoints, work=place / "work", resampling=FEW, **changes)


@pytest.fixture(scope="module")
def document(place: Path) -> Any:
    return study(asked(place, external_recipe=place / "theirs.json"))


def test_models_are_rows_in_the_order_of_their_augmentation(document: dict[str, Any], place: Path) -> None:
    assert [model["name"] for model in document["models"]] == [NONE, HIGH]
    assert [model["file"] for model in document["models"]] == [str(place / "none.pt"), str(place / "high.pt")]
    assert document["data"]["internal"] == {"name": "ours, test", "images": 10, "patients": 10}
    assert document["data"]["external"] == {"name": "their-hospital", "images": 8, "patients": 8}
    assert [finding["label"] for finding in document["findings"]] == ["Opacity"]
    assert document["findings"][0]["external"]["positives"] == 4
    assert document["unreadable"] == []


@pytest.mark.parametrize(("row", "name"), [(0, "none.pt"), (1, "high.pt")])
def test_undistorted_cells_are_the_plain_auc_of_the_network(
    document: dict[str, Any], place: Path, row: int, name: str
) -> None:
    trained = load_trained(place / name)
    for role, folder, split in (("internal", "ours", "test"), ("external", "theirs", "")):
        with (place / folder / "manifest.csv").open(encoding="utf-8", newline="") as file:
            entries = [entry for entry in csv.DictReader(file) if entry["split"] == split]
        targets = [entry["label"] == "ILL" for entry in entries]
        scores = []
        for entry in entries:
            raw = (place / folder / entry["file"]).read_bytes()
            tensor = image_tensors(raw, {"classifier": trained.image})["classifier"]
            scores.append(trained.network(torch.tensor(tensor)).item())
        cell = document["findings"][0][role]["cells"][row][0]
        assert cell["auc"] == pytest.approx(roc_auc_score(targets, scores), abs=1e-12)


def test_the_same_study_gives_the_same_document(document: dict[str, Any], place: Path) -> None:
    again = asked(place, external=place / "theirs", external_recipe=place / "theirs.json")
    assert study(again) == document
    other = study(replace(again, resampling=replace(FEW, seed=1)))
    cells = [each["findings"][0]["internal"]["cells"] for each in (document, other)]
    assert [row[0]["auc"] for row in cells[0]] == [row[0]["auc"] for row in cells[1]]
    assert cells[0] != cells[1]


def test_a_model_of_no_level_is_called_by_its_file(place: Path, tmp_path: Path) -> None:
    odd = checkpoint(tmp_path / "odd.pt", place / "ours.json", replace(LEVELS[HIGH], brightness=0.2))
    document = study(replace(asked(place, "high.pt"), checkpoints=[odd, place / "high.pt"]))
    assert [(model["name"], model["trained_at"]) for model in document["models"]] == [(HIGH, HIGH), (str(odd), None)]
    assert set(document["data"]) == {"internal"}


def test_a_copy_of_a_training_image_is_no_external_image(place: Path, tmp_path: Path) -> None:
    write_radiographs(tmp_path / "theirs", {"": 4}, side=40)
    shutil.copy(place / "ours" / "train-3.png", tmp_path / "theirs" / "-2.png")
    with pytest.raises(DataError, match=r"high\.pt was trained with .*train-3\.png, and .*-2\.png .* is the same file"):
        study(asked(place, external_recipe=place / "theirs.json", external=tmp_path / "theirs"))


def test_the_models_own_validation_images_are_no_external_data(place: Path) -> None:
    with pytest.raises(DataError, match=r"trained with images of the patient 'p0', who is in 'opacity' too"):
        study(asked(place, external_recipe=place / "ours.json"))


def test_the_training_split_is_not_judged_on_but_the_validation_split_may_be(place: Path) -> None:
    with pytest.raises(DataError, match=r"high\.pt was trained with images of the patient 'p0'"):
        study(asked(place, split="train"))
    assert study(asked(place, "high.pt", split="valid"))["data"]["internal"]["images"] == 4


def test_a_model_that_was_trained_on_what_is_test_for_another_is_refused(place: Path, tmp_path: Path) -> None:
    data = {"place": str(place / "ours"), "split": "70/10/20", "seed": 3, "labels": {"Opacity": "ILL"}}
    other = tmp_path / "other.json"
    other.write_text(json.dumps({"name": "other", "data": data, "image": {"side": 32}}), encoding="utf-8")
    mixed = checkpoint(tmp_path / "mixed.pt", other)
    with pytest.raises(DataError, match=r"mixed\.pt was trained with images of the patient"):
        study(replace(asked(place), checkpoints=[place / "high.pt", mixed]))


def test_models_must_have_the_same_labels(place: Path, tmp_path: Path) -> None:
    other = checkpoint(tmp_path / "two.pt", place / "ours.json", labels=("Opacity", "Mass"))
    with pytest.raises(CheckpointError, match=r"two\.pt has the labels Opacity, Mass, and .*high\.pt has Opacity\."):
        study(replace(asked(place), checkpoints=[place / "high.pt", other]))


def test_external_data_needs_a_label_of_the_models(place: Path) -> None:
    with pytest.raises(DataError, match=r"theirs has none of the models' labels \(Opacity\); it has ILL, WELL"):
        study(asked(place, external=place / "theirs"))


def test_without_a_recipe_labels_are_matched_by_name_capitals_aside(
    document: dict[str, Any], place: Path, tmp_path: Path
) -> None:
    table = (place / "theirs" / "manifest.csv").read_text("utf-8")
    shutil.copytree(place / "theirs", tmp_path / "theirs")
    (tmp_path / "theirs" / "manifest.csv").write_text(table.replace("ILL", "OPACITY"), encoding="utf-8")
    found = study(asked(place, external=tmp_path / "theirs"))
    assert found["findings"][0]["external"] == document["findings"][0]["external"]
    assert found["data"]["external"]["name"] == "theirs"


def test_a_split_that_is_not_there_is_named(place: Path) -> None:
    with pytest.raises(DataError, match=r"no images of the split 'final'; it has test, train, valid"):
        study(asked(place, split="final"))


def test_a_model_that_tells_nothing_of_its_making_is_refused(place: Path, tmp_path: Path) -> None:
    trained = load_trained(place / "none.pt")
    save_trained(replace(trained, made_by={}), tmp_path / "bare.pt")
    with pytest.raises(CheckpointError, match=r"bare\.pt does not say which recipe made it"):
        study(replace(asked(place), checkpoints=[tmp_path / "bare.pt"]))


def test_images_that_cannot_be_used_are_left_out_and_named(place: Path, tmp_path: Path) -> None:
    shutil.copytree(place / "theirs", tmp_path / "theirs")
    broken = tmp_path / "theirs" / "-5.png"
    broken.write_bytes(broken.read_bytes()[:-20])
    document = study(asked(place, external=tmp_path / "theirs", external_recipe=place / "theirs.json"))
    assert document["data"]["external"]["images"] == 7
    assert document["findings"][0]["external"]["positives"] == 3
    assert [each["file"] for each in document["unreadable"]] == [str(broken)]


def test_the_verb_writes_document_and_report(place: Path, tmp_path: Path) -> None:
    app = Typer()
    app.command()(robustness)
    arguments = ["--external-recipe", "theirs.json", "--repeats", "3", "--work", "work", "--seed", "5"]
    files = ["--json", str(tmp_path / "r.json"), "--html", str(tmp_path / "r.html")]
    names = [str(place / argument) if argument in ("theirs.json", "work") else argument for argument in arguments]
    done = CliRunner().invoke(app, [str(place / "none.pt"), str(place / "high.pt"), *names, *files])
    assert done.exit_code == 0, done.output
    document = json.loads((tmp_path / "r.json").read_text("utf-8"))
    assert (document["half_splits"], document["seed"], document["resamples"]) == (3, 5, 1000)
    assert "Opacity, ours, test: 5 of 10 images have it" in done.output
    assert f"Wrote {tmp_path / 'r.html'}." in done.output.replace("\n", "")
    assert "their-hospital" in (tmp_path / "r.html").read_text("utf-8")


def test_a_report_that_cannot_be_written_is_an_error(place: Path, tmp_path: Path) -> None:
    app = Typer()
    app.command()(robustness)
    target = tmp_path / "nowhere" / "r.html"
    done = CliRunner().invoke(app, [str(place / "none.pt"), "--work", str(place / "work"), "--html", str(target)])
    assert isinstance(done.exception, DataError)
    assert "cannot be written. Name a file in a folder that exists" in str(done.exception)


def test_the_document_is_as_its_type_says(document: dict[str, Any]) -> None:
    hold(RobustnessDocument, [document], all_keys(ProblemDocument))  # every image could be read


def test_options_and_keys_are_documented(document: dict[str, Any]) -> None:
    text = (Path(__file__).parents[3] / "docs" / "robustness.md").read_text("utf-8")
    app = Typer(add_completion=False)
    app.command()(robustness)
    options = [option for each in get_command(app).params for option in each.opts if option.startswith("--")]
    assert len(options) == 9
    assert [option for option in options if f"`{option}" not in text] == []
    assert [key for key in keys_of(document) if f"`{key}`" not in text] == []
