"""Trainings from one beginning, whose last weights are averaged: a soup (Wortsman et al., ICML 2022, section 2).

Trainings that begin with the same published weights end in one valley of the loss, and the middle of it is better than
most of its edge: near what the average of their answers would be, in one network.
"""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import torch
from torch import Generator, nn

from sitegen.errors import SettingsError
from sitegen.networks.classifier import Classifier
from sitegen.settings.recipe import RecipeFile
from sitegen.training.examples import LabelledImages
from sitegen.training.fit import batches, order_of
from sitegen.training.prepare import INITIAL
from sitegen.training.presets import Recipe

RENORMALISED = 40  # batches
_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)


def member_files(file: RecipeFile, begun: bool) -> list[RecipeFile]:
    """Return a recipe for each member, which says `[training]` with the member's changes; none where there are none.

    `begun` tells that the command names weights to begin with, where the recipe need not. Raises SettingsError where
    there is one member alone, where members begin with nothing in common, and where two are the same.
    """
    if not file.members:
        return []
    if len(file.members) == 1:
        raise SettingsError("The recipe has one of [[members]]. Give two at least, or write its keys in [training].")
    if not begun and INITIAL not in file.network:
        raise SettingsError(
            "The recipe's [[members]] begin with nothing in common, and their average would be no network. Name the "
            f"weights that all begin with: {INITIAL} in [network]."
        )
    given = [file.training | changes for changes in file.members]
    if same := [number for number, each in enumerate(given) if each in given[:number]]:
        raise SettingsError(
            f"Number {same[0] + 1} of the recipe's [[members]] is the same as one before. Give it another seed."
        )
    return [replace(file, training=training, members=()) for training in given]


def member_folder(work: Path, number: int) -> Path:
    """Return where a member's checkpoint and log lie; members are counted from 1."""
    return work / f"member-{number}"


@torch.no_grad()
def averaged(networks: Sequence[Classifier]) -> Classifier:
    """Return a network whose weights and running averages are the means of those of several networks of one kind.

    Counts of batches are the first one's.
    """
    states = [network.state_dict() for network in networks]
    made = deepcopy(networks[0])
    means = {
        name: torch.stack([state[name].double() for state in states]).mean(dim=0).to(value.dtype)
        if value.is_floating_point()
        else value
        for name, value in states[0].items()
    }
    made.load_state_dict(means)
    return made.eval()


@torch.no_grad()
def renormalise(network: Classifier, train: LabelledImages, recipe: Recipe) -> None:
    """Take the averages of all batch normalisations anew, from training images as they are, drawn as in an epoch.

    What layers of averaged weights give has another mean and spread than the average of what their members' layers gave
    (Izmailov et al., UAI 2018, section 3.2).
    """
    norms = [module for module in network.modules() if isinstance(module, _NORMS)]
    momenta = [norm.momentum for norm in norms]
    network.eval()  # nothing is dropped
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the plain average over all batches
        norm.train()
    order = order_of(train, recipe.draw, Generator().manual_seed(recipe.seed))
    for indices in batches(order[: RENORMALISED * recipe.batch], recipe.batch):
        network(train.images[indices])
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    network.eval()
