import json
from typing import Any

import pytest
import torch

from sitegen.errors import SettingsError
from sitegen.networks.heads import PooledHead
from sitegen.networks.registry import make_network, read_network
from sitegen.settings.reading import settings_document
from sitegen.training.augment import AugmentSettings
from sitegen.training.losses import MultiLabelSettings, OneAgainstAllSettings
from sitegen.training.presets import PRESETS, Phase, Recipe, read_recipe
from sitegen.training.schedules import AdamSettings, OneCycleSettings, PlateauSettings
from sitegen.training.transfer import begin_phase, train_mode


def test_chester_has_the_papers_numbers() -> None:
    recipe = PRESETS["chester"].recipe
    assert recipe.adam.betas == (0.9, 0.999)
    (phase,) = recipe.phases
    assert phase.trains == "all"
    assert isinstance(phase.schedule, PlateauSettings)
    assert (phase.schedule.learning_rate, phase.schedule.factor) == (1e-3, 0.1)
    moves = recipe.augment
    assert (moves.rotation, moves.shift, moves.scale, moves.brightness, moves.contrast) == (45, 0.15, 0.15, 0, 0)
    assert recipe.loss == MultiLabelSettings()


def test_the_app_has_the_papers_numbers() -> None:
    recipe = PRESETS["app"].recipe
    assert (recipe.batch, recipe.adam.betas) == (64, (0.9, 0.999))
    first, second = recipe.phases
    assert (first.trains, first.epochs, second.trains) == ("all", 30, "head")
    assert isinstance(first.schedule, OneCycleSettings)
    assert (first.schedule.initial_rate, first.schedule.peak_rate) == (1.32e-2, 1e-1)
    assert recipe.augment == AugmentSettings(
        rotation=30, shift=0, scale=0, brightness=0.4, contrast=0.4, zoom=1.3, zoom_chance=0.5
    )
    assert recipe.loss == MultiLabelSettings(class_weights=True)


@pytest.mark.parametrize("name", PRESETS)
def test_no_preset_mirrors(name: str) -> None:
    assert PRESETS[name].recipe.augment.flip_chance == 0


def test_networks_of_the_presets_are_densenet121() -> None:
    with torch.device("meta"):
        chester, app = (make_network(PRESETS[name].network) for name in ("chester", "app"))
    whole = 6_953_856  # of DenseNet-121 without a head
    assert sum(weight.numel() for weight in chester.parameters()) == whole + 1024 * 14 + 14
    assert sum(weight.numel() for weight in app.body_parameters()) == whole
    assert isinstance(app.head, PooledHead)
    assert (app.head.linear1.in_features, app.head.final.out_features) == (2048, 14)


@pytest.mark.parametrize("name", PRESETS)
def test_a_recipe_survives_a_file(name: str) -> None:
    recipe = PRESETS[name].recipe
    assert read_recipe(json.loads(json.dumps(settings_document(recipe)))) == recipe
    assert read_recipe({"preset": name}) == recipe


def test_a_file_changes_what_it_names() -> None:
    phase = {"trains": "all", "epochs": 2, "schedule": {"kind": "one-cycle", "peak_rate": 0.01}}
    recipe = read_recipe(
        {
            "preset": "chester",
            "phases": [phase],
            "loss": {"kind": "one-against-all"},
            "adam": {"weight_decay": 0.1},
            "augment": {"rotation": 5},
        }
    )
    assert recipe == Recipe(
        phases=(Phase("all", 2, OneCycleSettings(peak_rate=0.01)),),
        loss=OneAgainstAllSettings(),
        adam=AdamSettings((0.9, 0.999), 0.1),
        augment=AugmentSettings(5, 0.15, 0.15, 0, 0),
        batch=16,
    )


@pytest.mark.parametrize(
    ("document", "messages"),
    [
        ({"preset": "chestor"}, ["no preset 'chestor'", "chester, app"]),
        ({}, ["phases"]),
        ({"preset": "app", "bach": 3, "batch": 0}, ["bach", "batch", "greater than or equal to 1"]),
        ({"preset": "app", "augment": {"rotation": -1, "zoom": 0.5}}, ["augment.rotation", "augment.zoom"]),
        ({"preset": "app", "adam": {"betas": [0.9]}}, ["adam.betas"]),
        ({"preset": "app", "loss": {"kind": "hinge"}}, ["loss", "'multi-label', 'one-against-all'"]),
        ({"preset": "app", "adam": {"weight_decay": float("nan")}}, ["adam.weight_decay"]),
    ],
)
def test_what_does_not_fit_is_named(document: dict[str, Any], messages: list[str]) -> None:
    with pytest.raises(SettingsError) as caught:
        read_recipe(document)
    for message in messages:
        assert message in str(caught.value)


@pytest.mark.parametrize("name", ["densenet-tiny", "resnet"])
def test_a_frozen_body_stays_as_it_is(name: str) -> None:
    torch.manual_seed(0)
    network = make_network(read_network({"name": name, "head": {"kind": "pooled", "hidden": 4}}))
    begin_phase(network, "head")
    train_mode(network, "head")
    before = {key: value.clone() for key, value in network.state_dict().items()}
    optimiser = torch.optim.SGD([each for each in network.parameters() if each.requires_grad], 0.1)
    network(torch.rand(4, 1, 64, 64)).square().sum().backward()
    optimiser.step()
    changed = {key for key, value in network.state_dict().items() if not torch.equal(value, before[key])}
    top = {"densenet-tiny": "classifier.", "resnet": "fc."}[name]
    assert changed
    assert {key for key in changed if not key.startswith(top)} == set()
    assert network.head.dropout1.training


def test_the_other_order_trains_all_after_the_head() -> None:
    network = make_network(read_network({"name": "densenet-tiny"}))
    begin_phase(network, "head")
    train_mode(network, "head")
    begin_phase(network, "all")
    train_mode(network, "all")
    assert all(each.requires_grad for each in network.parameters())
    assert all(module.training for module in network.modules())
