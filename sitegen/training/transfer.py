"""Training in phases: all of a network, or its head alone over a body that stays as it is."""

from typing import Literal

from sitegen.networks.classifier import Classifier

Part = Literal["all", "head"]


def begin_phase(network: Classifier, part: Part) -> None:
    """Let only `part` of the network be trained, from now on. An optimiser made afterwards has its parameters alone."""
    for parameter in network.body_parameters():
        parameter.requires_grad_(part == "all")
    for parameter in network.head.parameters():
        parameter.requires_grad_(True)


def train_mode(network: Classifier, part: Part) -> None:
    """Put the network in training mode, apart from a body that is frozen: its normalisation goes on as in evaluation.

    To be called at the start of every epoch. Without it the running averages of a frozen body's batch normalisation
    would still drift.
    """
    network.train(part == "all")
    network.head.train()
