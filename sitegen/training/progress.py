"""How far a classifier's training has come, as a checkpoint holds it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from sitegen.errors import CheckpointError
from sitegen.networks.trained import read_checkpoint
from sitegen.settings.reading import settings_document
from sitegen.training.history import Epoch
from sitegen.training.presets import Recipe

Weights = dict[str, Tensor]


@dataclass
class Progress:
    """Counts `phase` from 0, `epoch` finished ones in it; best score, epoch and weights are those of this phase."""

    phase: int = 0
    epoch: int = 0
    history: list[Epoch] = field(default_factory=list)
    best_score: float = float("-inf")
    best_epoch: int = 0
    best_weights: Weights = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """Return what `read_progress` makes the same progress of."""
        return vars(self) | {"history": [asdict(epoch) for epoch in self.history]}

    def note(self, score: float, network: nn.Module, keep: bool) -> None:
        """Count an epoch with its score; `keep` copies the weights where it is the best so far."""
        self.epoch += 1
        if score > self.best_score:
            self.best_score, self.best_epoch = score, self.epoch
            self.best_weights = _copied(network) if keep else {}


def read_progress(document: Mapping[str, Any]) -> Progress:
    """Return the progress that `Progress.document` describes."""
    fields = {name: document[name] for name in vars(Progress())}
    return Progress(**fields | {"history": [Epoch(**epoch) for epoch in document["history"]]})


def read_state(path: Path, made_with: str) -> dict[str, Any]:
    """Return what a checkpoint holds. Raises CheckpointError where it was made with something else."""
    state = read_checkpoint(path)
    if state.get("made_with") != made_with:
        raise CheckpointError(
            f"{path} is a training with another recipe or other images. "
            "Name another folder with --work, or delete it to begin anew."
        )
    return state


def made_with(recipe: Recipe, network: nn.Module, labels: Sequence[str], *given: Tensor, begun_with: str = "") -> str:
    """Return what a checkpoint must agree with: recipe, labels, shapes of weights, and what is given of all images.

    That is their targets, in order, and how much each counts.

    `begun_with` names published weights to begin with, where there are some.
    """
    described = {
        "recipe": settings_document(recipe),
        "labels": list(labels),
        "images": [sha256(each.numpy().tobytes()).hexdigest() for each in given],
        "network": [f"{name} {tuple(value.shape)}" for name, value in network.state_dict().items()],
    }
    return json.dumps(described | ({"begun_with": begun_with} if begun_with else {}))


def _copied(network: nn.Module) -> Weights:
    return {name: value.detach().cpu().clone() for name, value in network.state_dict().items()}
