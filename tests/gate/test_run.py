"""Training a gate from a recipe file, through the command line: interrupted, killed, with more images, and wrongly."""

import csv
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from torch import Tensor
from typer.testing import CliRunner

from sitegen.cli import app
from sitegen.errors import CheckpointError, DataError, SettingsError, SitegenError
from sitegen.gate.run import prepare_gate, train_gate
from sitegen.networks.trained import read_checkpoint, write_checkpoint
from sitegen.networks.trained_gate import load_gate
from sitegen.phantom import phantom
from sitegen.settings.recipe import read_recipe_file, recipe_of
from tests.helpers.radiographs import write_radiographs, write_recipe

SIDE = 16
NETWORK = {"side": SIDE, "latent": 4, "widths": [4, 8]}
TRAINING = {"network": NETWORK, "steps": 6, "batch": 8, "report_every": 2}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_radiographs(tmp_path_factory.mktemp("radiographs"), {"train": 9, "valid": 4}, side=32)


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A work folder that every test may share: what a training of its own leaves goes elsewhere."""
    return tmp_path_factory.mktemp("work")


def recipe_with(path: Path, data: Path, gate: Mapping[str, Any] | None = None, **training: Any) -> Path:
    # Drawn radiographs are all alike: none is left out for looking like one of validation.
    asked = {"apart": 1, **({"training": TRAINING | training} if gate is None else gate)}
    return write_recipe(path, data, image={"side": 32, "fraction": 0.8}, gate=asked)


def run(recipe: Path, work: Path, *options: object) -> str:
    arguments = ["train", "gate", "--config", recipe, "--work", work, *options]
    done = CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def refused(kind: type[SitegenError], recipe: Path, work: Path, *options: object) -> str:
    """What the command says where it is used wrongly."""
    arguments = ["train", "gate", "--config", recipe, "--work", work, *options]
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert isinstance(done.exception, kind), done.output
    assert done.exception.exit_code == 2
    assert not (work / "gate.pt").exists()
    return str(done.exception)


def weights(work: Path) -> dict[str, Tensor]:
    return dict(load_gate(work / "gate.pt").network.state_dict())


def rows(work: Path) -> list[dict[str, str]]:
    """The log without the time that things took."""
    with (work / "gate-log.csv").open(encoding="utf-8") as file:
        return [{name: value for name, value in row.items() if name != "seconds"} for row in csv.DictReader(file)]


@pytest.mark.parametrize("preset", ["autoencoder", "ali"])
def test_a_gate_is_trained_stopped_and_resumed_to_the_same_weights(preset: str, data: Path, tmp_path: Path) -> None:
    recipe = recipe_with(tmp_path / "recipe.json", data, preset=preset)
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    printed = run(recipe, whole)
    assert "Step 6: validation SSIM" in printed
    assert f"Next: sitegen evaluate gate {whole}/gate.pt" in printed
    assert "Stopped before the end" in run(recipe, parts, "--rounds-now", 1)
    assert not (parts / "gate.pt").exists()
    assert [row["step"] for row in rows(parts)] == ["2.0"]
    assert "resumed after step 2" in run(recipe, parts)
    assert rows(parts) == rows(whole)
    assert all(torch.equal(value, weights(parts)[name]) for name, value in weights(whole).items())
    assert sorted(path.name for path in (whole / "gate-samples").iterdir()) == [
        f"000000{step}.png" for step in (2, 4, 6)
    ]
    with Image.open(whole / "gate-samples" / "0000006.png") as grid:
        # Four validation images, their reconstructions, and what a stochastic network makes up.
        assert grid.size == (4 * SIDE, (3 if preset == "ali" else 2) * SIDE)


def test_a_trained_gate_says_how_it_was_made_and_what_it_sees(data: Path, tmp_path: Path) -> None:
    recipe = recipe_with(tmp_path / "recipe.json", data)
    run(recipe, tmp_path / "work")
    gate = load_gate(tmp_path / "work" / "gate.pt")
    assert gate.image.shape == (1, 1, SIDE, SIDE)
    assert (gate.image.colour, gate.image.fraction, gate.image.range) == ("grey", 0.8, (0.0, 1.0))
    assert gate.network_settings["latent"] == gate.network.latent == 4
    assert not gate.network.training
    assert gate.made_by["images"] == {"train": 9, "valid": 4}
    assert gate.made_by["training"]["steps"] == 6
    assert gate.made_by["recipe"]["gate"]["training"]["batch"] == 8
    assert gate.made_by["folder"] == str(tmp_path)
    assert [row["step"] for row in gate.made_by["history"]] == [2, 4, 6]
    logged = rows(tmp_path / "work")[-1]
    assert float(logged["valid_ssim"]) == gate.made_by["history"][-1]["valid_ssim"]
    assert {"step", "loss", "valid_squared_error", "valid_ssim", "latent_spread"} == set(logged)


@pytest.mark.slow
def test_killed_and_resumed_it_has_the_weights_of_an_uninterrupted_training(data: Path, tmp_path: Path) -> None:
    recipe = recipe_with(tmp_path / "recipe.json", data, steps=400, report_every=20)  # killed long before the end
    command = [sys.executable, "-m", "sitegen.cli", "train", "gate", "--config", str(recipe), "--work"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    killed = subprocess.Popen([*command, str(tmp_path / "killed")], env=environment, stderr=subprocess.DEVNULL)
    while not (tmp_path / "killed" / "gate-log.csv").exists():
        assert killed.poll() is None
        time.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    assert killed.wait() == -signal.SIGKILL
    assert not (tmp_path / "killed" / "gate.pt").exists()
    for folder in ("killed", "whole"):
        done = subprocess.run(
            [*command, str(tmp_path / folder)], env=environment, capture_output=True, text=True, check=True
        )
        assert ("resumed after step" in done.stderr) == (folder == "killed")
    whole = weights(tmp_path / "whole")
    assert all(torch.equal(value, whole[name]) for name, value in weights(tmp_path / "killed").items())
    assert rows(tmp_path / "killed") == rows(tmp_path / "whole")


def more_images(folder: Path, count: int) -> Path:
    """Radiographs without labels in folders within a folder, and a file that is none of them."""
    for at in range(count):
        path = folder / str(at % 2) / f"{at}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(phantom(500 + at, 32)).save(path)
    (folder / "about.txt").write_text("drawn", encoding="utf-8")
    return folder


def test_more_images_are_a_source_of_their_own_and_trained_on(data: Path, work: Path, tmp_path: Path) -> None:
    """Sources of 6, 3, 5 and 2 images: each counts a quarter of all 16."""
    more = more_images(tmp_path / "more", 5)
    more_images(tmp_path / "named", 2)
    (more / "0" / "broken.png").write_bytes(b"no image")
    gate = {"training": TRAINING, "images": ["named"]}
    file = read_recipe_file(recipe_with(tmp_path / "recipe.json", data, gate))
    alone = prepare_gate(replace(file, gate=replace(file.gate, images=())), work)  # type: ignore[type-var]
    prepared = prepare_gate(file, work, more=[more])
    assert [path for path, _ in prepared.problems] == [more / "0" / "broken.png"]
    assert prepared.images.train.shape == (16, 1, SIDE, SIDE)
    assert torch.equal(prepared.images.valid, alone.images.valid)
    assert torch.equal(prepared.images.train[:9], alone.images.train)
    assert prepared.images.weights[9:11].tolist() == pytest.approx([2, 2])
    assert prepared.images.weights[11:].tolist() == pytest.approx([4 / 5] * 5)
    assert sorted(set(prepared.images.weights[:9].tolist())) == pytest.approx([4 / 6, 4 / 3])
    assert float(alone.images.weights.sum()) == pytest.approx(9)


def test_what_is_left_out_is_said_and_the_others_are_trained_on(data: Path, work: Path, tmp_path: Path) -> None:
    more = more_images(tmp_path / "more", 3)
    (more / "broken.png").write_bytes(b"no image")
    recipe = recipe_with(tmp_path / "recipe.json", data, steps=2)
    done = train_gate(read_recipe_file(recipe), tmp_path / "plain")
    printed = run(recipe, tmp_path / "work", "--images", more, "--images", more_images(tmp_path / "again", 2))
    assert f"1 image(s) left out, the first: {more / 'broken.png'}" in printed
    assert load_gate(tmp_path / "work" / "gate.pt").made_by["images"] == {"train": 14, "valid": 4}
    assert done.trained is not None
    ours, theirs = weights(tmp_path / "work"), done.trained.network.state_dict()
    assert not all(torch.equal(value, theirs[name]) for name, value in ours.items())


@pytest.mark.parametrize(
    ("gate", "message"),
    [
        ({"share": 0}, "gate.share: Input should be greater than 0"),
        ({"share": 1}, "gate.share: Input should be less than 1"),
        ({"scores": ["turned", "colour"]}, "gate.scores.1: Input should be 'ssim-gaussian', 'l1'"),
        ({"scores": ["ssim"]}, "gate.scores.0"),
        ({"combine": ["combined"]}, "gate.combine.0"),
        ({"combine": []}, "gate.combine: Tuple should have at least 1 item"),
        ({"trains": {}}, "gate.trains"),
        ({"training": {"preset": "gan"}}, "there is no gate preset 'gan'; there are autoencoder, squared"),
        ({"training": {"network": {"latent": 0}}}, "network.latent: Input should be greater than or equal to 1"),
        ({"training": {"network": {"latent": "many"}}}, "network.latent"),
        ({"training": {"network": {"side": 20}}}, "side 20 cannot be halved 4 times"),
    ],
)
def test_wrong_settings_are_named(gate: dict[str, Any], message: str, data: Path, work: Path, tmp_path: Path) -> None:
    assert message in refused(SettingsError, recipe_with(tmp_path / "recipe.json", data, gate), work)


def test_a_recipe_without_a_gate_and_one_with_two(data: Path, work: Path, tmp_path: Path) -> None:
    assert "The recipe has no [gate]" in refused(SettingsError, write_recipe(tmp_path / "none.json", data), work)
    both = write_recipe(tmp_path / "both.json", data, gate={}, export={"gate": "another"})
    message = refused(SettingsError, both, work)
    assert f"{both} has a [gate], and its [export] names another" in message
    assert "Keep one of them" in message


def test_missing_images_are_named(data: Path, work: Path, tmp_path: Path) -> None:
    recipe = recipe_with(tmp_path / "recipe.json", data)
    (tmp_path / "empty").mkdir()
    for folder in ("empty", "nowhere"):
        message = refused(DataError, recipe, work, "--images", tmp_path / folder)
        assert f"{tmp_path / folder}, named for the gate's training, has no images (.png" in message
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "a.png").write_bytes(b"no image")
    message = refused(DataError, recipe, work, "--images", tmp_path / "broken")
    assert f"None of the 1 images in {tmp_path / 'broken'}" in message
    for split, other in (("valid", "train"), ("train", "valid")):
        lacking = write_radiographs(tmp_path / f"no {split}", {other: 3}, side=32)
        message = refused(DataError, recipe, work, "--data", lacking)
        assert f"no image is in the split '{split}'; there are {other}. Set split in the recipe's [data]." in message


def test_another_latent_is_not_resumed_and_both_sizes_are_named(data: Path, tmp_path: Path) -> None:
    run(recipe_with(tmp_path / "recipe.json", data), tmp_path / "work", "--rounds-now", 1)
    other = recipe_with(tmp_path / "other.json", data, network=NETWORK | {"latent": 5})
    message = refused(CheckpointError, other, tmp_path / "work")
    assert "gate-training.pt is a gate's training with other settings" in message
    assert "network.latent is 5 now, and was 4" in message
    assert "delete it to begin anew" in message
    (tmp_path / "work" / "gate-training.pt").unlink()
    run(other, tmp_path / "work")
    assert load_gate(tmp_path / "work" / "gate.pt").network.latent == 5


def test_a_checkpoint_that_names_another_latent_is_refused(data: Path, tmp_path: Path) -> None:
    run(recipe_with(tmp_path / "recipe.json", data, steps=2), tmp_path / "work")
    path = tmp_path / "work" / "gate.pt"
    document = read_checkpoint(path)
    document["network"]["latent"] = 6
    write_checkpoint(document, path)
    with pytest.raises(
        CheckpointError,
        match=r"(?s)gate\.pt has weights that do not fit .*size mismatch.*train gate",
    ):
        load_gate(path)
    assert CheckpointError.exit_code == 2


@pytest.mark.parametrize(("key", "wrong"), [("scores", "ssim"), ("scores", "psnr"), ("combine", "combined")])
def test_a_recipe_takes_metrics_where_they_make_sense(key: str, wrong: str) -> None:
    fields = {"name": "some", "gate": {key: ["turned", wrong]}}
    with pytest.raises(SettingsError, match=rf"gate\.{key}\.1: Input should be '"):
        recipe_of(fields, "")
    assert recipe_of({"name": "some", "gate": {key: ["turned", "l2"]}}, "").gate is not None
