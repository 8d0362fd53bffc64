"""Training from a recipe file, through the command line: killed and resumed, in two processes, with damaged images."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from typer.testing import CliRunner

from sitegen.cli import app
from sitegen.errors import SitegenError
from sitegen.networks.trained import TrainedClassifier, load_trained, save_trained
from tests.helpers.radiographs import phase, write_radiographs, write_recipe

GROUP_NORM = {"name": "resnet", "norm": "group", "stem": 8, "stages": [1, 1]}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_radiographs(tmp_path_factory.mktemp("radiographs"))


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fewer images than are shared by processes (parallel.FOR_ONE_PROCESS), which commands would start here."""
    return write_radiographs(tmp_path_factory.mktemp("few"), {"train": 16, "valid": 7})


def run(*arguments: object, code: int = 0) -> str:
    done = CliRunner().invoke(app, ["train", *map(str, arguments)], catch_exceptions=False)
    assert done.exit_code == code, done.output
    return done.output


def command(recipe: Path, work: Path, *launcher: str) -> list[str]:
    start = [sys.executable, *(launcher or ("-m",)), "sitegen.cli"]
    return [*start, "train", "classifier", "--config", str(recipe), "--work", str(work)]


def one_thread() -> dict[str, str]:
    return os.environ | {"OMP_NUM_THREADS": "1"}


def weights(work: Path) -> dict[str, Tensor]:
    return dict(load_trained(work / "classifier.pt").network.state_dict())


def test_a_recipe_is_trained_and_everything_is_written(data: Path, tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path / "recipe.json", data)
    printed = run("classifier", "--config", recipe, "--work", tmp_path / "work")
    assert "Phase 1 (all): 2 epoch(s), validation AUC" in printed
    assert f"Next: sitegen export {tmp_path}/work/classifier.pt -o" in printed
    trained = load_trained(tmp_path / "work" / "classifier.pt")
    assert trained.labels == ("Opacity",)
    assert trained.image.shape == (1, 1, 32, 32)
    assert not trained.network.training
    assert trained.made_by["recipe"]["training"]["batch"] == 8
    assert trained.made_by["images"] == {"train": 24, "valid": 10}
    rows = list(csv.DictReader((tmp_path / "work" / "log.csv").open()))
    assert [(row["phase"], row["epoch"]) for row in rows] == [("1", "1"), ("1", "2")]
    assert (
        float(rows[-1]["auc Opacity"]) == float(rows[-1]["valid_auc"]) == trained.made_by["phases"][0]["last_valid_auc"]
    )
    split = list(csv.DictReader((tmp_path / "work" / "split.csv").open()))
    assert len(split) == 44
    assert split[0] == {"file": "train-0.png", "patient": "p0", "split": "train"}


@pytest.mark.slow
def test_killed_and_resumed_it_has_the_weights_of_an_uninterrupted_training(few: Path, tmp_path: Path) -> None:
    recipe = write_recipe(
        tmp_path / "recipe.json", few, training={"preset": "compact", "phases": [phase(12)], "batch": 8}
    )
    killed = subprocess.Popen(command(recipe, tmp_path / "killed"), env=one_thread(), stderr=subprocess.DEVNULL)
    while not (tmp_path / "killed" / "log.csv").exists():
        assert killed.poll() is None
        time.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    assert killed.wait() == -signal.SIGKILL
    assert not (tmp_path / "killed" / "classifier.pt").exists()
    for work in ("killed", "whole"):
        done = subprocess.run(
            command(recipe, tmp_path / work), env=one_thread(), capture_output=True, text=True, check=True
        )
        assert ("resumed after epoch" in done.stderr) == (work == "killed")
    whole = weights(tmp_path / "whole")
    assert all(torch.equal(value, whole[name]) for name, value in weights(tmp_path / "killed").items())
    logs = [list(csv.DictReader((tmp_path / work / "log.csv").open())) for work in ("killed", "whole")]
    assert [row["train_loss"] for row in logs[0]] == [row["train_loss"] for row in logs[1]]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("network", "trains"),
    [(GROUP_NORM, "all"), ({"name": "densenet", "growth": 4, "blocks": [2, 2], "stem": 8}, "head")],
    ids=["group normalisation", "frozen batch normalisation"],
)
def test_two_processes_are_one(few: Path, tmp_path: Path, network: dict[str, Any], trains: str) -> None:
    training = {"preset": "compact", "phases": [phase(3, trains)], "batch": 7}  # uneven parts
    recipe = write_recipe(tmp_path / "recipe.json", few, network=network, training=training)
    run("classifier", "--config", recipe, "--work", tmp_path / "one")
    launcher = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m")
    done = subprocess.run(
        command(recipe, tmp_path / "two", *launcher), env=one_thread(), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("phase 1 epoch 3:") == 1  # one of them talks
    one, two = weights(tmp_path / "one"), weights(tmp_path / "two")
    assert max(float((one[name] - two[name]).abs().max()) for name in one if one[name].is_floating_point()) <= 1e-5
    start = write_recipe(
        tmp_path / "start.json", few, network=network, training=training | {"phases": [phase(1, rate=1e-3)]}
    )
    run("classifier", "--config", start, "--work", tmp_path / "start")
    other = weights(tmp_path / "start")
    assert max(float((one[name] - other[name]).abs().max()) for name in one if one[name].is_floating_point()) > 1e-4


def test_damaged_images_are_left_out_and_named(tmp_path: Path) -> None:
    data = write_radiographs(tmp_path / "data")
    (data / "train-3.png").write_bytes(b"no image")
    recipe = write_recipe(tmp_path / "recipe.json", data)
    printed = run("classifier", "--config", recipe, "--work", tmp_path / "work")
    assert "1 image(s) left out, the first:" in printed
    assert load_trained(tmp_path / "work" / "classifier.pt").made_by["images"]["train"] == 23
    (row,) = csv.DictReader((tmp_path / "work" / "left-out.csv").open())
    assert row["file"].endswith("train-3.png")
    for number in (5, 7):
        (data / f"train-{number}.png").write_bytes(b"no image")
    done = CliRunner().invoke(app, ["train", "classifier", "--config", str(recipe), "--work", str(tmp_path / "more")])
    assert "3 of 24 images of the split 'train' cannot be used" in str(done.exception)


def test_the_body_begins_with_given_weights_and_the_head_anew(data: Path, tmp_path: Path) -> None:
    from sitegen.settings.recipe import read_recipe_file
    from sitegen.training.prepare import initial_weights, new_network, prepare

    recipe = write_recipe(tmp_path / "recipe.json", data)
    run("classifier", "--config", recipe, "--work", tmp_path / "work")
    prepared = prepare(read_recipe_file(recipe), tmp_path / "work")
    assert initial_weights(prepared) is None
    found = initial_weights(prepared, tmp_path / "work" / "classifier.pt")
    fresh, given = new_network(prepared), new_network(prepared, found)
    trained = weights(tmp_path / "work")
    for name, value in given.state_dict().items():
        source = fresh.state_dict() if name.startswith("classifier.") else trained
        assert torch.equal(value, source[name]), name


def test_a_recipe_names_weights_to_begin_with(data: Path, tmp_path: Path) -> None:
    plain = write_recipe(tmp_path / "plain.json", data, network={"name": "densenet-tiny"})
    run("classifier", "--config", plain, "--work", tmp_path / "first")
    network = {"name": "densenet-tiny", "initial": "first/classifier.pt"}
    recipe = write_recipe(tmp_path / "recipe.json", data, network=network)
    run("classifier", "--config", recipe, "--work", tmp_path / "work")
    origin = load_trained(tmp_path / "work" / "classifier.pt").made_by["initial"]
    file = (tmp_path / "first" / "classifier.pt").read_bytes()
    assert origin == {"name": "classifier.pt", "sha256": sha256(file).hexdigest()}
    done = CliRunner().invoke(app, ["train", "classifier", "--config", str(plain), "--work", str(tmp_path / "work")])
    assert "is a training with another recipe" in str(done.exception)


def test_one_against_all_is_kept_as_one_logit(data: Path, tmp_path: Path) -> None:
    training = {"preset": "compact", "phases": [phase()], "batch": 8, "loss": {"kind": "one-against-all"}}
    recipe = write_recipe(tmp_path / "recipe.json", data, training=training)
    run("classifier", "--config", recipe, "--work", tmp_path / "work")
    trained = load_trained(tmp_path / "work" / "classifier.pt")
    assert trained.network(torch.zeros(2, 1, 32, 32)).shape == (2, 1)


def test_three_channels_reach_the_network(data: Path, tmp_path: Path) -> None:
    image = {"side": 32, "colour": "rgb", "range": [0, 1], "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}
    recipe = write_recipe(tmp_path / "recipe.json", data, image=image)
    run("classifier", "--config", recipe, "--work", tmp_path / "work")
    assert load_trained(tmp_path / "work" / "classifier.pt").image.shape == (1, 3, 32, 32)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"data": {"place": "nowhere", "labels": {"Opacity": "ILL"}}}, "nowhere does not exist"),
        ({"data": {}}, "The recipe names no data"),
        ({"network": {"name": "alexnet"}}, "there is no network 'alexnet'"),
        ({"network": {"name": "densenet", "labels": 3}}, "network.labels is 3, and the recipe's data and image have 1"),
        ({"training": {"preset": "compact", "batches": 3}}, "batches"),
        ({"trainings": {}}, "trainings"),
        ({"image": {"side": 32, "mean": [0, 0]}}, "grey needs 1 value"),
    ],
)
def test_wrong_recipes_are_refused_by_name(data: Path, tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    recipe = write_recipe(tmp_path / "recipe.json", data, **changes)
    done = CliRunner().invoke(app, ["train", "classifier", "--config", str(recipe), "--work", str(tmp_path / "work")])
    assert isinstance(done.exception, SitegenError)
    assert done.exception.exit_code == 2
    assert message in str(done.exception)


def test_the_range_test_draws_its_curves(data: Path, tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path / "recipe.json", data)
    options = ("--steps", 12, "-o", tmp_path / "range.svg", "--curves", tmp_path / "curves.json")
    printed = run("range-test", "--config", recipe, "--work", tmp_path / "work", *options)
    for decay in ("0", "0.1", "0.001", "1e-05"):
        assert f"weight decay {decay}: suggested rate" in printed
    assert (tmp_path / "range.svg").read_text(encoding="utf-8").count("<svg") == 1
    assert json.loads((tmp_path / "curves.json").read_text(encoding="utf-8"))


def test_a_trained_classifier_comes_back_as_it_was(data: Path, tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path / "recipe.json", data)
    run("classifier", "--config", recipe, "--work", tmp_path / "work")
    first = load_trained(tmp_path / "work" / "classifier.pt")
    save_trained(first, tmp_path / "again.pt")
    second = load_trained(tmp_path / "again.pt")
    assert isinstance(second, TrainedClassifier)
    assert (first.labels, first.image, first.made_by) == (second.labels, second.image, second.made_by)
    images = torch.rand(2, 1, 32, 32)
    assert torch.equal(first.network(images), second.network(images))
