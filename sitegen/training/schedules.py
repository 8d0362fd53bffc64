"""Adam, and how its learning rate changes in the course of training: down at plateaus, or in one cycle.

A schedule is told of every batch and of every epoch with its score, and takes from that what it needs, so one loop
serves both.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import torch
from pydantic import Field
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler, OneCycleLR, ReduceLROnPlateau

from sitegen.networks.classifier import Classifier
from sitegen.settings.reading import STRICT, Count

Rate = Annotated[float, Field(gt=0)]
Momentum = Annotated[float, Field(ge=0, lt=1)]


@dataclass(frozen=True)
class AdamSettings:
    """Adam (Kingma and Ba 2015); `decoupled` weight decay is AdamW's, which fast.ai uses too."""

    __pydantic_config__ = STRICT
    betas: tuple[Momentum, Momentum] = (0.9, 0.999)
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    decoupled: bool = True
    body_share: Annotated[float, Field(gt=0, le=1)] = 1.0  # the body's learning rate as a share of the head's
    layer_decay: Annotated[float, Field(gt=0, le=1)] = 1.0  # each layer's rate as a share of that of the next one up


@dataclass(frozen=True)
class PlateauSettings:
    """The rate falls by `factor` whenever the score has not risen by more than `margin` for over `patience` epochs."""

    __pydantic_config__ = STRICT
    kind: Literal["plateau"] = "plateau"
    learning_rate: Rate = 1e-3
    factor: Annotated[float, Field(gt=0, lt=1)] = 0.1
    patience: Annotated[int, Field(ge=0)] = 2
    margin: Annotated[float, Field(ge=0)] = 1e-4
    lowest: Annotated[float, Field(ge=0)] = 0.0


@dataclass(frozen=True)
class OneCycleSettings:
    """The rate rises to its peak and falls far below its start, by half cosines, while momentum does the opposite.

    Smith 2017. Adam's momentum is its first beta.
    """

    __pydantic_config__ = STRICT
    kind: Literal["one-cycle"] = "one-cycle"
    initial_rate: Rate = 1.2e-4
    peak_rate: Rate = 3e-3
    rise: Annotated[float, Field(gt=0, lt=1)] = 0.3  # share of all batches until the peak
    momentum: tuple[Momentum, Momentum] = (0.95, 0.85)  # at the ends, at the peak
    fall: Annotated[float, Field(ge=1)] = 1e4  # the last rate is the initial one divided by this


ScheduleSettings = Annotated[PlateauSettings | OneCycleSettings, Field(discriminator="kind")]


class Schedule(ABC):
    """A learning rate that changes while training goes on; its state is torch's scheduler's."""

    _scheduler: LRScheduler

    @abstractmethod
    def after_batch(self) -> None:
        """Note that the optimiser has made a step."""

    @abstractmethod
    def after_epoch(self, score: float) -> None:
        """Note that an epoch has ended, with a validation score of which more is better."""

    def state_dict(self) -> dict[str, Any]:
        """Return what `load_state_dict` needs to go on from here."""
        return self._scheduler.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from where `state_dict` was called; the optimiser's own state is restored apart."""
        self._scheduler.load_state_dict(state)


class Plateau(Schedule):
    """torch's ReduceLROnPlateau on a rising score."""

    def __init__(self, optimiser: Optimizer, settings: PlateauSettings) -> None:
        self._scheduler: ReduceLROnPlateau = ReduceLROnPlateau(
            optimiser,
            mode="max",
            factor=settings.factor,
            patience=settings.patience,
            threshold=settings.margin,
            threshold_mode="abs",
            min_lr=settings.lowest,
            eps=0.0,
        )

    def after_batch(self) -> None:
        """Change nothing: plateaus are of epochs."""

    def after_epoch(self, score: float) -> None:
        """Lower the rate where the score has not risen for too long."""
        self._scheduler.step(score)


class OneCycle(Schedule):
    """torch's OneCycleLR over a known number of batches."""

    def __init__(self, optimiser: Optimizer, settings: OneCycleSettings, batches: int) -> None:
        ends, peak = settings.momentum
        self._scheduler = OneCycleLR(
            optimiser,
            [settings.peak_rate * group["share"] for group in optimiser.param_groups],
            total_steps=batches,
            pct_start=settings.rise,
            base_momentum=peak,
            max_momentum=ends,
            div_factor=settings.peak_rate / settings.initial_rate,
            final_div_factor=settings.fall,
        )

    def after_batch(self) -> None:
        """Move rate and momentum along the cycle."""
        self._scheduler.step()

    def after_epoch(self, score: float) -> None:
        """Change nothing: the cycle is fixed beforehand."""


def make_optimiser(network: nn.Module, adam: AdamSettings, learning_rate: float) -> Optimizer:
    """Return Adam over those parameters that are to be trained (`requires_grad`).

    The group `learning_rate` is for is the first. Where the layers of a `Classifier` differ in their rates, that is the
    head, and the body's layers follow from the last to the first; each group has its `share` of the rate.
    """
    same = adam.body_share == adam.layer_decay == 1.0
    layers = network.layers() if isinstance(network, Classifier) and not same else [list(network.parameters())]
    groups = []
    for depth, layer in enumerate(reversed(layers)):
        share = 1.0 if depth == 0 else adam.body_share * adam.layer_decay ** (depth - 1)
        if trained := [parameter for parameter in layer if parameter.requires_grad]:
            groups.append({"params": trained, "lr": learning_rate * share, "share": share})
    kind = torch.optim.AdamW if adam.decoupled else torch.optim.Adam
    return kind(groups, learning_rate, betas=adam.betas, weight_decay=adam.weight_decay)


def make_schedule(
    network: nn.Module, adam: AdamSettings, settings: PlateauSettings | OneCycleSettings, epochs: Count, batches: Count
) -> tuple[Optimizer, Schedule]:
    """Return a new optimiser and the schedule over it, for `epochs` of `batches` each."""
    if isinstance(settings, PlateauSettings):
        optimiser = make_optimiser(network, adam, settings.learning_rate)
        return optimiser, Plateau(optimiser, settings)
    optimiser = make_optimiser(network, adam, settings.initial_rate)
    return optimiser, OneCycle(optimiser, settings, epochs * batches)
