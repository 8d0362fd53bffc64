"""`sitegen evaluate classifier`: checkpoints and bundles on images that the tests draw."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score
from typer.main import get_command
from typer.testing import CliRunner, Result

from sitegen.bundle import load_bundle, write_description
from sitegen.cli.evaluate import evaluate
from sitegen.data.tensors.cache import cached_tensors
from sitegen.errors import CheckpointError, DataError, SettingsError
from sitegen.networks.registry import make_network, network_document, read_network
from sitegen.networks.trained import TrainedClassifier, save_trained
from sitegen.prediction import Predictor
from sitegen.settings.recipe import network_input, read_recipe_file
from tests.helpers.bundles import make_bundle
from tests.helpers.radiographs import write_radiographs, write_recipe

SPLITS = {"train": 2, "valid": 8, "test": 12}
NETWORK = {"name": "densenet", "growth": 4, "blocks": [2, 2], "stem": 8, "labels": 1}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Images, a recipe for them, two checkpoints that it could have made, and a bundle."""
    folder = tmp_path_factory.mktemp("evaluate")
    write_radiographs(folder / "data", SPLITS)
    recipe = write_recipe(folder / "recipe.json", folder / "data", evaluation={"prevalence": [0.25]})
    for name, seed in (("one.pt", 1), ("two.pt", 2)):
        save_trained(untrained(recipe, seed), folder / name)
    make_bundle(folder / "bundle", labels=("ill", "Effusion"))
    return folder


def untrained(recipe: Path, seed: int = 1, labels: tuple[str, ...] = ("Opacity",)) -> TrainedClassifier:
    file = read_recipe_file(recipe)
    settings = read_network(NETWORK | {"labels": len(labels)})
    torch.manual_seed(seed)
    network = make_network(settings).eval()
    made_by = {"recipe": json.loads(recipe.read_text()), "folder": str(recipe.parent)}
    return TrainedClassifier(network, network_document(settings), labels, network_input(file.image), made_by)


def run(*arguments: Any, fails: type[Exception] | None = None, work: bool = True) -> Result:
    place = next((Path(argument).parent for argument in arguments if isinstance(argument, Path)), Path())
    options = ["--work", place / "work"] if work else []
    asked = ["classifier", *map(str, [*arguments, *options, "--resamples", 30, "--workers", 1])]
    result = CliRunner().invoke(evaluate, asked, env={"COLUMNS": "80"})
    assert isinstance(result.exception, fails) if fails else result.exit_code == 0, result.output
    return result


def document_of(place: Path, *arguments: Any) -> Any:
    run(*arguments, "--json", place / "out.json")
    return json.loads((place / "out.json").read_text("utf-8"))


def targets_of(place: Path, split: str = "test") -> list[tuple[str, bool]]:
    rows = (place / "data" / "manifest.csv").read_text().splitlines()[1:]
    return [(row.split(",")[0], ",ILL," in row) for row in rows if f",{split}," in row]


def test_a_checkpoint_is_measured_on_the_test_split_of_its_recipe(place: Path) -> None:
    document = document_of(place, place / "one.pt")
    names, targets = zip(*targets_of(place), strict=True)
    trained = untrained(place / "recipe.json")
    tensors = cached_tensors([place / "data" / name for name in names], {"a": trained.image}, place / "other", 1)["a"]
    with torch.inference_mode():
        logits = trained.network(torch.from_numpy(tensors))[:, 0].double().numpy()
    (entry,) = document["findings"]
    assert entry["label"] == "Opacity"
    assert entry["auc"]["value"] == pytest.approx(roc_auc_score(targets, logits), abs=1e-12)
    assert document["data"] == {"splits": ["test"], "images": 12, "patients": 12}
    assert document["model"]["file"] == str(place / "one.pt")
    assert len(document["model"]["sha256"]) == 64
    assert document["operating_points"] == "chosen on 8 images of valid"
    assert [row["prevalence"] for row in entry["predictive_values"]] == [0.25]
    assert document["accepted"] is None


def test_the_operating_point_is_that_of_the_validation_images(place: Path) -> None:
    measured = document_of(place, place / "one.pt")["findings"][0]["operating_point"]
    of_validation = document_of(place, place / "one.pt", "--split", "valid")["findings"][0]
    assert measured == of_validation["operating_point"]
    # There it is the best: no other threshold gives more.
    youden = np.subtract(of_validation["roc"]["true_positive_rate"], of_validation["roc"]["false_positive_rate"])
    found = of_validation["sensitivity"]["value"] + of_validation["specificity"]["value"] - 1
    assert found == pytest.approx(youden.max(), abs=1e-6)


def test_a_bundle_is_measured_by_whole_analyses(place: Path) -> None:
    document = document_of(place, place / "bundle", "--data", place / "data")
    ill, other = document["findings"]
    assert (ill["label"], ill["images"], ill["operating_point"]) == ("ill", 12, 0.25)
    assert (other["label"], other["images"], other["auc"]) == ("Effusion", 0, None)
    names, targets = zip(*targets_of(place), strict=True)
    predictor = Predictor(load_bundle(place / "bundle"))
    logits = [predictor.predict(place / "data" / name, force=True)["findings"][0]["logit"] for name in names]
    assert ill["auc"]["value"] == pytest.approx(roc_auc_score(targets, logits), abs=1e-12)
    assert document["model"]["version"] == "1.0"
    assert document["operating_points"] == "of the bundle"
    assert 0 <= document["accepted"]["value"] <= 1
    assert [row["prevalence"] for row in ill["predictive_values"]] == [0.01, 0.1, 0.5]


def test_a_bundle_reads_data_by_the_recipe_that_it_records(place: Path, tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "bundle", labels=("Opacity",))
    recipe = json.loads((place / "recipe.json").read_text())
    made_by = {"recipe": recipe, "folder": str(place)}
    write_description(bundle.folder, bundle.description.model_copy(update={"provenance": made_by}))
    (entry,) = document_of(tmp_path, tmp_path / "bundle")["findings"]
    assert (entry["label"], entry["images"], entry["positives"]) == ("Opacity", 12, 6)


def test_a_bundle_far_from_its_data_asks_for_some(place: Path, tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "bundle", labels=("Opacity",))
    made_by = {"recipe": json.loads((place / "recipe.json").read_text()) | {"data": {"place": "elsewhere"}}}
    write_description(bundle.folder, bundle.description.model_copy(update={"provenance": made_by}))
    result = run(tmp_path / "bundle", fails=DataError)
    assert "elsewhere does not exist. Name the data that is to be measured with --data DIR." in str(result.exception)


def test_another_recipe_says_how_the_data_is_read(place: Path, tmp_path: Path) -> None:
    recipe = write_recipe(
        tmp_path / "other.json",
        place / "data",
        data={"place": str(place / "data"), "labels": {"Opacity": "WELL"}, "sources": ["one"]},
        evaluation={"split": "valid"},
    )
    document = document_of(tmp_path, place / "one.pt", "--recipe", recipe)
    assert document["data"]["splits"] == ["valid"]
    (entry,) = document["findings"]
    assert list(entry["by"]["source"]) == ["one"]
    well = [name for name, ill in targets_of(place, "valid") if not ill and int(name[6:-4]) % 3]
    assert entry["positives"] == len(well)
    assert document["operating_points"] == "chosen on 8 images of valid"  # by the recipe of the training


def test_every_image_can_be_asked_for(place: Path) -> None:
    assert document_of(place, place / "one.pt", "--split", "all")["data"]["images"] == 22


def test_a_second_model_sees_the_same_images(place: Path) -> None:
    document = document_of(place, place / "one.pt", "--against", place / "two.pt")
    (entry,) = document["against"]["findings"]
    alone = document_of(place, place / "two.pt")["findings"][0]
    assert entry["auc"]["second"] == pytest.approx(alone["auc"]["value"], abs=1e-12)
    assert entry["operating_point"] == alone["operating_point"]
    assert entry["decisions"] == alone["decisions"]
    assert entry["auc"]["first"] == document["findings"][0]["auc"]["value"]


def test_a_checkpoint_and_a_bundle_can_be_compared(place: Path, tmp_path: Path) -> None:
    make_bundle(tmp_path / "bundle", labels=("OPACITY",))
    against = document_of(tmp_path, place / "one.pt", "--against", tmp_path / "bundle")["against"]
    assert (against["model"]["kind"], against["images"]) == ("bundle", 12)
    assert against["findings"][0]["label"] == "Opacity"


def test_an_image_that_cannot_be_analysed_does_not_stop_the_others(place: Path, tmp_path: Path) -> None:
    data = write_radiographs(tmp_path / "data", {"train": 2, "valid": 4, "test": 6})
    (data / "test-7.png").write_bytes((data / "test-7.png").read_bytes()[:-40])
    recipe = write_recipe(tmp_path / "recipe.json", data)
    save_trained(untrained(recipe), tmp_path / "model.pt")
    for model, options in ((tmp_path / "model.pt", []), (place / "bundle", ["--data", data])):
        result = run(model, *options, "--json", tmp_path / "out.json")
        document = json.loads((tmp_path / "out.json").read_text())
        assert document["data"]["images"] == 5
        assert [Path(problem["file"]).name for problem in document["unreadable"]] == ["test-7.png"]
        assert result.stderr.startswith("left out: ")
        assert "test-7.png" in result.stderr
        assert "test-7.png" not in result.stdout


def test_nothing_but_tables_is_written_unless_asked_for(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(place / "bundle", "--data", place / "data", work=False)
    assert list(tmp_path.iterdir()) == []
    assert "Not for diagnostic use." in result.stdout
    assert "bundle test-model: 12 images of 12 patients, test." in result.stdout
    assert all(len(line) <= 80 for line in result.stdout.splitlines())
    assert "…" not in result.stdout


def test_tensors_go_where_the_recipe_is_called(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run(place / "one.pt", work=False)
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.glob("*/*/*")] == ["build/opacity/tensors"]


def test_files_are_the_same_to_the_byte(place: Path, tmp_path: Path) -> None:
    written = []
    for name in ("first", "second"):
        files = tmp_path / f"{name}.json", tmp_path / f"{name}.html"
        result = run(place / "one.pt", "--json", files[0], "--html", files[1], "--against", place / "two.pt")
        assert [f"Wrote {file}." in result.stdout.replace("\n", "") for file in files] == [True, True]
        written.append([file.read_bytes() for file in files])
    assert written[0] == written[1]
    assert written[0][1].startswith(b"<!DOCTYPE html>")


def test_the_seed_moves_the_intervals_alone(place: Path) -> None:
    one, other = (document_of(place, place / "one.pt", "--seed", seed)["findings"][0]["auc"] for seed in (0, 1))
    assert one["value"] == other["value"]
    assert (one["low"], one["high"]) != (other["low"], other["high"])


def test_without_validation_images_there_is_no_operating_point(place: Path, tmp_path: Path) -> None:
    data = write_radiographs(tmp_path / "data", {"test": 4})
    trained = untrained(write_recipe(tmp_path / "recipe.json", data))
    save_trained(trained, tmp_path / "model.pt")
    document = document_of(tmp_path, tmp_path / "model.pt")
    assert document["operating_points"] is None
    assert document["findings"][0]["sensitivity"] is None


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (["one.pt", "--split", "tset"], DataError, "no image in the split 'tset'; the splits are: test, train, valid"),
        (["nothing.pt"], SettingsError, r"nothing\.pt is neither a checkpoint nor a bundle"),
        (["data"], SettingsError, "data is neither a checkpoint nor a bundle"),
        (["recipe.json"], CheckpointError, r"recipe\.json cannot be read as a checkpoint"),
        (["bundle"], DataError, "does not say which data it was made with. Name some with --data"),
        (["one.pt", "--against", "nothing"], SettingsError, "nothing is neither"),
        (["one.pt", "--json", "nowhere/out.json"], DataError, r"out\.json cannot be written"),
        (["one.pt", "--html", "data"], DataError, "data cannot be written"),
    ],
)
def test_wrong_use_says_what_to_do(
    place: Path,
    arguments: list[str],
    error: type[Exception],
    message: str,
) -> None:
    given = [argument if argument.startswith("-") or argument == "tset" else place / argument for argument in arguments]
    result = run(*given, fails=error)
    assert result.exception.exit_code == 2
    assert re.search(message, str(result.exception))


def test_data_without_any_label_of_the_model_is_refused(place: Path, tmp_path: Path) -> None:
    make_bundle(tmp_path / "bundle", labels=("Hernia",))
    result = run(tmp_path / "bundle", "--data", place / "data", fails=DataError)
    assert "has none of the model's labels (Hernia); it has ILL, WELL." in str(result.exception)


def test_every_option_is_documented() -> None:
    text = (Path(__file__).parents[2] / "docs" / "evaluation.md").read_text("utf-8")
    verbs: Any = get_command(evaluate)
    command = verbs.commands["classifier"]
    options = {option for parameter in command.params for option in parameter.opts if option.startswith("-")}
    assert len(options) == 13
    assert [option for option in options if f"`{option}" not in text] == []
