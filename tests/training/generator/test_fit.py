"""Training on tiny networks: killed and resumed to the bit, what is written, and what stops it."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from sitegen.errors import CheckpointError, DataError, SettingsError, TrainingError
from sitegen.networks.stylegan2.trained import load_generator
from sitegen.networks.trained import read_checkpoint
from sitegen.training.generator import losses, steps
from sitegen.training.generator.run import train_generator
from sitegen.training.generator.settings import PRESETS, generator_file, read_generator_file

STEPS = 6


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve images of 32 pixels in folders of two classes."""
    place = tmp_path_factory.mktemp("images")
    rng = np.random.default_rng(1)
    for number in range(12):
        path = place / ("dark", "light")[number % 2] / f"{number}.png"
        path.parent.mkdir(exist_ok=True)
        pixels = rng.integers(0, 120, (32, 32), np.uint8) + np.uint8(120 * (number % 2))
        Image.fromarray(pixels).save(path)
    return place


def _document(folder: Path, **changes: Any) -> dict[str, Any]:
    document: dict[str, Any] = {
        "name": "trial",
        "preset": "tiny",
        "folder": str(folder),
        "images": {"places": ["."]},
        "training": {"images": 8 * STEPS, "path_length_every": 2, "r1_every": 3},
        "augment": {"probability": 0.5, "every": 2, "images": 500},
        "snapshots": {"every": 24, "save_every": 16, "columns": 2},
    }
    for name, value in changes.items():
        document[name] = {**document.get(name, {}), **value} if isinstance(value, dict) else value
    return document


def _judge(*_: object) -> Any:
    """A distance that any folder has: the mean grey."""
    return lambda place: float(np.mean([np.asarray(Image.open(each)).mean() for each in sorted(place.iterdir())]))


CONDITION = {"images": {"classes": "folders"}, "network": {"classes": 2}, "snapshots": {"count": 2}}


@pytest.fixture(scope="module")
def whole(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    work = tmp_path_factory.mktemp("whole")
    assert train_generator(generator_file(_document(folder, **CONDITION)), work, judge=_judge).complete
    return work


def test_a_killed_training_ends_as_one_that_was_not(folder: Path, whole: Path, tmp_path: Path) -> None:
    """Killed after 3 and 5 steps, where checkpoints are of 2, 3 (a snapshot) and 4: half a step is done twice."""
    file = generator_file(_document(folder, **CONDITION))
    for count in (3, 2, None):
        done = train_generator(file, tmp_path, judge=_judge, steps_now=count)
    assert done.complete
    _alike(read_checkpoint(whole / "training.pt"), read_checkpoint(tmp_path / "training.pt"))
    first, second = (load_generator(work / "generator.safetensors") for work in (whole, tmp_path))
    _alike(first.generator.state_dict(), second.generator.state_dict())
    for name in ("00000024.png", "00000048.png"):
        assert (whole / "snapshots" / name).read_bytes() == (tmp_path / "snapshots" / name).read_bytes()


def _alike(first: Any, second: Any, name: str = "") -> None:
    """Equal to the bit, seconds aside."""
    if isinstance(first, dict):
        assert first.keys() == second.keys()
        for key in first.keys() - {"seconds"}:
            _alike(first[key], second[key], f"{name}.{key}")
    elif isinstance(first, list):
        assert len(first) == len(second)
        for one, other in zip(first, second, strict=True):
            _alike(one, other, name)
    else:
        assert torch.equal(first, second) if isinstance(first, torch.Tensor) else first == second, name


def test_what_is_written(whole: Path) -> None:
    rows = list(csv.DictReader((whole / "log.csv").open()))
    assert [row["images"] for row in rows] == ["24.0", "48.0"]
    assert {"generator_loss", "discriminator_loss", "r1", "path_length", "probability", "frechet"} <= rows[0].keys()
    assert Image.open(whole / "snapshots" / "00000048.png").size == (64, 64)
    trained = load_generator(whole / "generator.safetensors")
    assert trained.shape.classes == 2
    assert trained.made_by["classes"] == ["dark", "light"]
    best = min(rows, key=lambda row: float(row["frechet"]))
    assert trained.made_by["history"][-1]["images"] == float(best["images"])


def test_networks_change_and_the_average_lags(whole: Path) -> None:
    state = read_checkpoint(whole / "training.pt")
    name = "synthesis.first.const"
    moved = (state["generator"][name] - state["average"][name]).abs().max()
    assert moved > 0
    assert float(state["generator"]["mapping.w_avg"].abs().max()) > 0
    assert float(state["path_mean"]) > 0


def test_mixed_precision_keeps_weights_and_penalties_of_32_bits(folder: Path, tmp_path: Path) -> None:
    changes = {"training": {"images": 16, "precision": "bf16", "r1_every": 1}, "network": {"channels": 3}}
    file = generator_file(_document(folder, **changes, images={"flip": True, "subset": 9}))
    done = train_generator(file, tmp_path)
    assert done.complete and done.progress.history[0]["r1"] > 0
    assert {value.dtype for value in read_checkpoint(tmp_path / "training.pt")["generator"].values()} == {torch.float32}


def test_another_training_is_told_apart(folder: Path, whole: Path) -> None:
    other = generator_file(_document(folder, **{**CONDITION, "network": {"classes": 2, "latent": 8}}))
    with pytest.raises(CheckpointError, match="other settings"):
        train_generator(other, whole)


def test_a_loss_that_is_no_number_stops_and_keeps_the_last_good_state(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = generator_file(_document(folder, snapshots={"every": 16, "save_every": 16}))
    honest, calls = losses.generator_loss, []

    def failing(logits: torch.Tensor) -> torch.Tensor:
        calls.append(1)
        return honest(logits) * (float("nan") if len(calls) == 4 else 1)

    monkeypatch.setattr(steps, "generator_loss", failing)
    with pytest.raises(TrainingError, match="no number any more at step 4, after 24 images"):
        train_generator(file, tmp_path)
    assert read_checkpoint(tmp_path / "training.pt")["progress"]["steps"] == 2
    kept = load_generator(tmp_path / "generator.safetensors").generator.state_dict()
    assert all(bool(value.isfinite().all()) for value in kept.values())


def test_transfer_begins_with_the_weights_and_freezes_layers(folder: Path, whole: Path, tmp_path: Path) -> None:
    changes = {"training": {"initial": str(whole / "generator.safetensors"), "freeze": 1}}
    file = generator_file(_document(folder, **{**CONDITION, **changes}))
    train_generator(file, tmp_path, steps_now=2)
    begun = load_generator(whole / "generator.safetensors").discriminator
    state = read_checkpoint(tmp_path / "training.pt")["discriminator"]
    assert begun is not None
    own = begun.state_dict()
    assert torch.equal(state["from_image.weight"], own["from_image.weight"])
    assert torch.equal(state["blocks.0.conv1.weight"], own["blocks.0.conv1.weight"])
    assert not torch.equal(state["blocks.1.conv1.weight"], own["blocks.1.conv1.weight"])


def test_weights_of_another_size_are_refused(folder: Path, whole: Path, tmp_path: Path) -> None:
    changes = {"training": {"initial": str(whole / "generator.safetensors")}, "network": {"classes": 2, "side": 64}}
    file = generator_file(_document(folder, **{**CONDITION, **changes}))
    with pytest.raises(CheckpointError, match=r"whose side is 32, and this training's is 64\. Set side = 32"):
        train_generator(file, tmp_path)


def test_classes_and_folders_must_agree(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"network\.classes is 3, and there are 2 \(dark, light\)"):
        train_generator(generator_file(_document(folder, **{**CONDITION, "network": {"classes": 3}})), tmp_path)


def test_settings_are_read_with_presets_by_size(tmp_path: Path) -> None:
    path = tmp_path / "generator.toml"
    path.write_text('name = "a"\n[images]\nplaces = ["."]\n[network]\nside = 256\n')
    file = read_generator_file(path)
    assert (file.training.batch, file.training.r1, file.network.mapping_layers) == (16, 0.0002 * 256**2 / 16, 2)
    assert file.network.channel_base == 16384
    assert file.place("x.png") == tmp_path.resolve() / "x.png"
    path.write_text('name = "a"\npreset = "big"\n[images]\nplaces = ["."]\n')
    with pytest.raises(SettingsError, match="there is no preset 'big'; there are auto, paper256"):
        read_generator_file(path)
    path.write_text('name = "a"\n[images]\nplaces = ["."]\n[training]\nkimg = 3\n')
    with pytest.raises(SettingsError, match="kimg"):
        read_generator_file(path)
    path.with_suffix(".json").write_text(json.dumps({"name": "a", "images": {"places": ["."]}, "preset": "paper512"}))
    assert read_generator_file(path.with_suffix(".json")).training.r1 == 0.5
    assert all(generator_file({"name": "a", "preset": p, "images": {"places": ["."]}}) for p in PRESETS)
