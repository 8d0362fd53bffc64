from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from sitegen.errors import CheckpointError, DataError, TrainingError
from sitegen.gate.training.fit import GateWatch, fit_gate, reconstructions
from sitegen.gate.training.sample_grid import COLUMNS, sample_grid
from sitegen.gate.training.ssim_loss import structural_similarity
from tests.helpers.gate_pictures import drawn, images, small

KINDS = ["autoencoder", "variational", "ali"]


def test_a_tiny_autoencoder_learns_phantoms_and_not_noise() -> None:
    network, history, complete = fit_gate(
        images(), small("autoencoder", steps=150, report_every=50, learning_rate=1e-2)
    )
    assert complete
    assert [row["step"] for row in history] == [50, 100, 150]
    assert history[-1]["loss"] < 0.6 * history[0]["loss"]
    noise = torch.rand(4, 1, 32, 32)
    seen, strange = images().valid, noise
    likeness = [structural_similarity(reconstructions(network, each)[0], each, 1.0) for each in (seen, strange)]
    assert likeness[0].min() > likeness[1].max()


@pytest.mark.parametrize("kind", KINDS)
def test_a_resumed_training_ends_where_an_uninterrupted_one_does(kind: str, tmp_path: Path) -> None:
    recipe = small(kind)
    whole, history, complete = fit_gate(images(), recipe)
    assert complete
    _, begun, complete = fit_gate(images(), recipe, tmp_path / "gate.pt", rounds_now=2)
    assert (len(begun), complete) == (2, False)
    resumed, again, complete = fit_gate(images(), recipe, tmp_path / "gate.pt")
    assert complete
    assert all(torch.equal(value, resumed.state_dict()[name]) for name, value in whole.state_dict().items())
    assert [row | {"seconds": 0} for row in again] == [row | {"seconds": 0} for row in history]


def test_another_recipe_or_other_images_are_not_resumed(tmp_path: Path) -> None:
    fit_gate(images(), small("autoencoder"), tmp_path / "gate.pt", rounds_now=1)
    for given, recipe in (
        (images(), small("autoencoder", network={"side": 32, "latent": 5, "widths": (8, 16, 16)})),
        (images(25), small("autoencoder")),
    ):
        with pytest.raises(CheckpointError, match="other settings or other images"):
            fit_gate(given, recipe, tmp_path / "gate.pt")


def test_the_figures_of_a_round_are_of_the_validation_images() -> None:
    network, history, _ = fit_gate(images(), small("variational", validation=4))
    shown = images().valid[:4]
    outputs, latents = reconstructions(network, shown)
    assert history[-1]["valid_squared_error"] == pytest.approx(float((outputs - shown).square().mean()))
    assert history[-1]["valid_ssim"] == pytest.approx(float(structural_similarity(outputs, shown, 1.0).mean()))
    assert history[-1]["latent_spread"] == pytest.approx(float(latents.square().mean().sqrt()))
    assert history[-1]["seconds"] > 0


def test_weights_decide_which_images_are_drawn() -> None:
    """With all weight on one blank image, nothing else is learnt: radiographs come back blank."""
    train = torch.cat([drawn(0, 9), torch.full((1, 1, 32, 32), 0.5)])
    weights = torch.tensor([0.0] * 9 + [1.0])
    given = replace(images(), train=train, weights=weights)
    still = {"rotation": 0, "shift": 0, "scale": 0, "brightness": 0, "contrast": 0}
    recipe = small("squared", steps=200, report_every=200, learning_rate=1e-2, augment=still)
    network, _, _ = fit_gate(given, recipe)
    assert float((reconstructions(network, train[-1:])[0] - 0.5).abs().max()) < 0.05


def test_the_watch_is_told_of_every_step_and_round() -> None:
    told = []

    class Told(GateWatch):
        def begun(self, history: Any) -> None:
            told.append("begun")

        def step(self) -> None:
            told.append("step")

        def round(self, history: Any, network: nn.Module) -> None:
            told.append(f"round {history[-1]['step']:.0f} {network.training}")

    fit_gate(images(), small("autoencoder", steps=3), watch=Told())
    assert told == ["begun", "step", "step", "round 2 False", "step", "round 3 False"]


@pytest.mark.parametrize("part", ["train", "valid"])
def test_missing_images_are_named(part: str) -> None:
    with pytest.raises(DataError, match=f"no images in the split '{part}'"):
        fit_gate(replace(images(), **{part: torch.empty(0, 1, 32, 32)}), small("autoencoder"))


def test_a_loss_that_is_no_number_ends_the_training() -> None:
    broken = replace(images(), train=torch.full((24, 1, 32, 32), float("nan")))
    with pytest.raises(TrainingError, match="lower learning_rate"):
        fit_gate(broken, small("autoencoder"))


def test_the_grid_has_images_reconstructions_and_what_is_made_up() -> None:
    network, _, _ = fit_gate(images(), small("ali", steps=2))
    shown = drawn(0, COLUMNS + 2)
    grid = sample_grid(network, shown)
    assert grid.size == (32 * COLUMNS, 32 * 3)
    assert grid.getpixel((5, 7)) == round(255 * float(shown[0, 0, 7, 5]))
    outputs, _ = reconstructions(network, shown[:1])
    assert grid.getpixel((5, 32 + 7)) == round(255 * float(outputs[0, 0, 7, 5]))
    point, _, _ = fit_gate(images(), small("autoencoder", steps=2))
    assert sample_grid(point, shown).size == (32 * COLUMNS, 32 * 2)
