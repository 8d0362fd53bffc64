"""Members of a recipe: trained one after the other, averaged, resumed; and what cannot be averaged."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from typer.testing import CliRunner

from sitegen.cli import app
from sitegen.errors import SettingsError
from sitegen.networks.registry import make_network, read_network
from sitegen.networks.trained import load_trained
from sitegen.settings.recipe import RecipeFile
from sitegen.training.examples import LabelledImages
from sitegen.training.members import averaged, member_files, renormalise
from sitegen.training.presets import read_recipe
from tests.helpers.radiographs import phase, write_radiographs, write_recipe

TINY = {"name": "densenet", "growth": 4, "blocks": [2, 2], "stem": 8}
TRAINING = {"preset": "compact", "phases": [phase(2)], "batch": 8}
MEMBERS = [{"seed": 2}, {"seed": 3, "mix": 0.4}]


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recipe of two members that begin with the weights of a training before."""
    folder = tmp_path_factory.mktemp("members")
    data = write_radiographs(folder / "data")
    first = write_recipe(folder / "first.json", data, network=TINY, training=TRAINING)
    run("--config", first, "--work", folder / "first")
    path = write_recipe(
        folder / "recipe.json", data, network=TINY | {"initial": "first/classifier.pt"}, training=TRAINING
    )
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | {"members": MEMBERS}), "utf-8")
    return path


def run(*arguments: object) -> str:
    done = CliRunner().invoke(app, ["train", "classifier", *map(str, arguments)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def states(work: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    own = load_trained(work / "classifier.pt").network.state_dict()
    return own, [load_trained(work / f"member-{n}" / "classifier.pt").network.state_dict() for n in (1, 2)]


def test_the_classifier_has_the_mean_of_its_members_weights(recipe: Path, tmp_path: Path) -> None:
    printed = run("--config", recipe, "--work", tmp_path / "work")
    assert "Member 2: Phase 1 (all): 2 epoch(s), validation AUC" in printed
    own, members = states(tmp_path / "work")
    assert not torch.equal(members[0]["classifier.weight"], members[1]["classifier.weight"])
    for name, value in own.items():
        if value.is_floating_point() and "running" not in name:
            mean = (members[0][name].double() + members[1][name].double()) / 2
            assert torch.equal(value, mean.float()), name
    made_by = load_trained(tmp_path / "work" / "classifier.pt").made_by
    assert [member["changes"] for member in made_by["members"]] == MEMBERS
    assert [member["phases"][0]["epochs"] for member in made_by["members"]] == [2, 2]
    assert made_by["phases"] == []
    assert made_by["initial"]["name"] == "classifier.pt"
    alone = load_trained(tmp_path / "work" / "member-2" / "classifier.pt").made_by["training"]
    assert (alone["seed"], alone["mix"]) == (3, 0.4)


def test_stopped_in_the_second_member_it_goes_on_there(recipe: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    for expected in (["1"], ["1", "2"], ["1"]):
        assert "Stopped after" in run("--config", recipe, "--work", work, "--epochs-now", 1)
        logs = sorted(work.glob("member-*/log.csv"))
        assert [row["epoch"] for row in csv.DictReader(logs[-1].open())] == expected
    run("--config", recipe, "--work", work)
    run("--config", recipe, "--work", tmp_path / "whole")
    stopped, whole = states(work)[0], states(tmp_path / "whole")[0]
    assert all(torch.equal(value, whole[name]) for name, value in stopped.items())


def test_running_averages_are_averaged_and_counts_are_not() -> None:
    networks = [make_network(read_network(TINY | {"labels": 1, "channels": 1})) for _ in range(2)]
    for value, network in zip((1.0, 4.0), networks, strict=True):
        for name, buffer in network.named_buffers():
            buffer.fill_(7 if name.endswith("num_batches_tracked") else value)
    made = dict(averaged(networks).named_buffers())
    assert {float(buffer.max()) for buffer in made.values() if buffer.is_floating_point()} == {2.5}
    assert {int(buffer) for buffer in made.values() if not buffer.is_floating_point()} == {7}


def test_normalisations_are_taken_anew_from_what_their_layers_are_given() -> None:
    torch.manual_seed(1)
    network = make_network(read_network(TINY | {"labels": 1, "channels": 1}))
    images = torch.rand(24, 1, 32, 32) * 3 - 1
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 0.03
    given: list[torch.Tensor] = []
    first = next(module for module in network.modules() if isinstance(module, torch.nn.BatchNorm2d))
    first.register_forward_hook(lambda module, arguments, result: given.append(arguments[0]))
    recipe = read_recipe({"preset": "compact", "batch": 8})
    renormalise(network, LabelledImages(images, torch.zeros(24, 1), torch.ones(24)), recipe)
    assert [len(each) for each in given] == [8, 8, 8]
    assert first.running_mean is not None
    assert first.running_var is not None
    means, variances = ([measure(each.double()) for each in given] for measure in (channel_means, channel_variances))
    torch.testing.assert_close(first.running_mean.double(), torch.stack(means).mean(0), rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(first.running_var.double(), torch.stack(variances).mean(0), rtol=1e-4, atol=1e-6)
    assert not network.training
    assert not first.training
    assert first.momentum == 0.03


def channel_means(values: torch.Tensor) -> torch.Tensor:
    return values.mean((0, 2, 3))


def channel_variances(values: torch.Tensor) -> torch.Tensor:
    return values.transpose(0, 1).flatten(1).var(1)


@pytest.mark.parametrize(
    ("network", "members", "words"),
    [
        ({}, [{"seed": 1}, {"seed": 2}], "begin with nothing in common"),
        ({"initial": "a.pt"}, [{"seed": 1}], r"has one of \[\[members\]\]"),
        ({"initial": "a.pt"}, [{"seed": 1}, {"seed": 2}, {"seed": 1}], "Number 3 .* is the same as one before"),
    ],
)
def test_what_cannot_be_averaged(network: dict[str, Any], members: list[dict[str, Any]], words: str) -> None:
    file = RecipeFile(name="a", network=network, members=tuple(members))
    with pytest.raises(SettingsError, match=words):
        member_files(file, begun=False)


def test_weights_of_the_command_are_a_beginning_too() -> None:
    file = RecipeFile(name="a", training={"preset": "compact", "seed": 9}, members=({"seed": 1}, {"mix": 0.2}))
    assert [each.training for each in member_files(file, begun=True)] == [
        {"preset": "compact", "seed": 1},
        {"preset": "compact", "seed": 9, "mix": 0.2},
    ]
