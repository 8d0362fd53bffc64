"""Training a gate's network in rounds: seeded, resumable after every round.

All randomness of a round is drawn from the seed and the round's number, so a training that was killed and resumed ends
with the weights of one that was not (on one machine, with as many threads).
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from math import isfinite
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor

from sitegen.errors import CheckpointError, DataError, TrainingError
from sitegen.gate.training.adversarial import AdversarialObjective
from sitegen.gate.training.objectives import Objective, PointObjective, VariationalObjective
from sitegen.gate.training.presets import AdversarialSettings, GateRecipe, VariationalSettings
from sitegen.gate.training.ssim_loss import structural_similarity
from sitegen.networks.reconstruction import ReconstructionNetwork, make_reconstruction
from sitegen.networks.trained import described, read_checkpoint, write_checkpoint
from sitegen.settings.reading import settings_document
from sitegen.training.augment import augment

Row = dict[str, float]
"""The figures of a round: "step", "seconds", the means of what the objective reports, and "valid_…" ones."""


@dataclass(frozen=True)
class GateImages:
    """Images to learn from and images to watch, float32 [N, 1, side, side] in 0..1; weights [N] of the former.

    A batch is drawn with replacement, each image as often as its weight asks.
    """

    train: Tensor
    weights: Tensor
    valid: Tensor


class GateWatch:
    """Told how a training goes. This one does nothing; others show it, and write it down."""

    def begun(self, history: Sequence[Row]) -> None:
        """Training begins, after the rounds of `history` where it is resumed."""

    def step(self) -> None:
        """A step is done."""

    def round(self, history: Sequence[Row], network: ReconstructionNetwork) -> None:
        """A round is done, the last of `history`; the network is in evaluation mode."""


def new_objective(recipe: GateRecipe) -> tuple[ReconstructionNetwork, Objective]:
    """Return a new network and what it is trained with, their weights drawn from the recipe's seed."""
    torch.manual_seed(recipe.seed)
    network = make_reconstruction(recipe.network)
    asked = recipe.objective
    if isinstance(asked, AdversarialSettings):
        return network, AdversarialObjective(network, recipe, asked)
    if isinstance(asked, VariationalSettings):
        return network, VariationalObjective(network, recipe, asked)
    return network, PointObjective(network, recipe, asked)


def fit_gate(
    images: GateImages,
    recipe: GateRecipe,
    checkpoint: Path | None = None,
    watch: GateWatch | None = None,
    rounds_now: int | None = None,
) -> tuple[ReconstructionNetwork, list[Row], bool]:
    """Train a network; return it in evaluation mode, a row of figures for each round, and whether it is complete.

    A training that `checkpoint` holds goes on from there; `rounds_now` stops after so many rounds, as an interruption
    would. Raises CheckpointError where the checkpoint is of another recipe or other images, DataError where images are
    missing, TrainingError where a loss is no longer finite.
    """
    _need_images(images)
    network, objective = new_objective(recipe)
    made_with, watch, history = _made_with(images, recipe), watch or GateWatch(), []
    if checkpoint and checkpoint.exists():
        history = _resume(checkpoint, made_with, objective)
    watch.begun(history)
    rounds = -(-recipe.steps // recipe.report_every)
    last = rounds if rounds_now is None else min(rounds, len(history) + rounds_now)
    while len(history) < last:
        history.append(_round(images, recipe, objective, len(history), watch) | _validated(network, images, recipe))
        _need_finite(history[-1])
        if checkpoint:
            write_checkpoint({"made_with": made_with, "history": history, **objective.state()}, checkpoint)
        watch.round(history, network)
    network.eval()
    return network, history, len(history) == rounds


@torch.inference_mode()
def reconstructions(network: ReconstructionNetwork, images: Tensor, batch: int = 256) -> tuple[Tensor, Tensor]:
    """Return reconstructions [N, 1, side, side] in 0..1 and latents [N, L] of images, in evaluation mode."""
    network.eval()
    parts = [network(part) for part in torch.split(images, batch)]
    return torch.cat([drawn for drawn, _ in parts]), torch.cat([latent for _, latent in parts])


def _round(images: GateImages, recipe: GateRecipe, objective: Objective, number: int, watch: GateWatch) -> Row:
    """Train for a round; return the mean of each figure that the steps gave."""
    began = monotonic()
    generator = Generator().manual_seed(int(np.random.SeedSequence((recipe.seed, number)).generate_state(1)[0]))
    objective.train()
    first = number * recipe.report_every
    steps = min(recipe.report_every, recipe.steps - first)
    sums: Row = {}
    for _ in range(steps):
        chosen = torch.multinomial(images.weights, recipe.batch, replacement=True, generator=generator)
        batch = augment(images.train[chosen], recipe.augment, 0.0, 1.0, generator)
        for name, value in objective.step(batch, generator).items():
            sums[name] = sums.get(name, 0.0) + value / steps
        watch.step()
    return {"step": float(first + steps), "seconds": round(monotonic() - began, 3), **sums}


def _validated(network: ReconstructionNetwork, images: GateImages, recipe: GateRecipe) -> Row:
    """How well validation images are drawn again; the latents' spread is 1 where they are standard Gaussian."""
    shown = images.valid[: recipe.validation]
    drawn, latents = reconstructions(network, shown)
    return {
        "valid_squared_error": float((drawn - shown).square().mean()),
        "valid_ssim": float(structural_similarity(drawn, shown, 1.0).mean()),
        "latent_spread": float(latents.square().mean().sqrt()),
    }


def _resume(path: Path, made_with: str, objective: Objective) -> list[Row]:
    state = read_checkpoint(path)
    if state.get("made_with") != made_with:
        raise CheckpointError(
            f"{path} is a gate's training with other settings or other images: "
            f"{_difference(state.get('made_with'), made_with)}. "
            "Name another folder with --work, or delete it to begin anew."
        )
    with described(path):
        objective.load(state)
        history: list[Row] = list(state["history"])
    return history


def _made_with(images: GateImages, recipe: GateRecipe) -> str:
    contents = [sha256(part.numpy().tobytes()).hexdigest() for part in (images.train, images.weights, images.valid)]
    described: dict[str, Any] = {"recipe": settings_document(recipe), "images": contents}
    return json.dumps(described)


def _difference(before: object, now: str) -> str:
    """What two descriptions of a training differ in first, in words."""
    if not isinstance(before, str):
        return "it does not say which"
    old, new = dict(_leaves(json.loads(before))), dict(_leaves(json.loads(now)))
    name = next(name for name in (*new, *old) if old.get(name) != new.get(name))
    if name == "images":
        return "the images are not the same"
    return f"{name.removeprefix('recipe.')} is {new.get(name)} now, and was {old.get(name)}"


def _leaves(value: object, name: str = "") -> Iterator[tuple[str, object]]:
    if not isinstance(value, dict):
        yield name, value
        return
    for key, each in value.items():
        yield from _leaves(each, f"{name}.{key}" if name else key)


def _need_images(images: GateImages) -> None:
    for name, part in (("train", images.train), ("valid", images.valid)):
        if not len(part):
            raise DataError(
                f"there are no images in the split {name!r}, and a gate needs some; see the recipe's [data]"
            )


def _need_finite(row: Row) -> None:
    if bad := [name for name, value in row.items() if not isfinite(value)]:
        raise TrainingError(f"{bad[0]} is {row[bad[0]]} at step {row['step']:.0f}. Begin with a lower learning_rate.")
