"""A recipe's gate: its images as tensors, and the training of a reconstruction network on them.

In the work folder:

    gate-training.pt      the training so far, replaced after every round
    gate-log.csv          a row a round
    gate-samples/         a picture a round: validation images, their reconstructions, and what it makes up
    gate.pt               the trained gate, once it is complete
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from sitegen.data.dataset import read_records
from sitegen.data.records import TRAIN, VALID, Record
from sitegen.errors import SettingsError
from sitegen.gate.further import Images, further_images
from sitegen.gate.training.fit import GateImages, GateWatch, Row, fit_gate
from sitegen.gate.training.presets import GateRecipe, read_gate_recipe
from sitegen.gate.training.sample_grid import COLUMNS, sample_grid, save_grid
from sitegen.locking import alone_in
from sitegen.networks.reconstruction import ReconstructionNetwork, reconstruction_document
from sitegen.networks.trained_gate import TrainedGate, save_gate
from sitegen.settings.reading import settings_document
from sitegen.settings.recipe import GatePlan, RecipeFile
from sitegen.training.examples import equal_weights
from sitegen.training.prepare import load_split
from sitegen_runtime.bundle.model import CROP, SQUASH, NetworkInput

GATE, GATE_TRAINING, GATE_LOG, GATE_SAMPLES = "gate.pt", "gate-training.pt", "gate-log.csv", "gate-samples"
ROLE = "gate"


@dataclass(frozen=True)
class PreparedGate:
    """All that training a gate needs: the recipe resolved, the images, what the network sees of one."""

    file: RecipeFile
    recipe: GateRecipe
    images: GateImages
    image: NetworkInput
    problems: list[tuple[Path, str]]
    alike: int = 0  # further images that were left out, since another split has their like


@dataclass(frozen=True)
class GateTraining:
    """What a training has come to: the gate where it is complete, and the figures of every round."""

    prepared: PreparedGate
    history: list[Row]
    trained: TrainedGate | None


def gate_plan(file: RecipeFile) -> GatePlan:
    """Return the recipe's gate. Raises SettingsError where it has none."""
    if file.gate is None:
        raise SettingsError('The recipe has no [gate]. Write one; "[gate]" alone takes every default.')
    return file.gate


def gate_input(file: RecipeFile, side: int) -> NetworkInput:
    """Return what the gate sees: what the classifier sees of the image, grey, in 0..1.

    Where the classifier's images are padded the gate's are squashed: a fill of one grey is easily rebuilt, and would
    make every image seem more like those of the training than it is.
    """
    fit = CROP if file.image.fit == CROP else SQUASH
    return NetworkInput("image", (1, 1, side, side), "grey", file.image.fraction, (0.0, 1.0), (0.0,), (1.0,), fit)


def prepare_gate(file: RecipeFile, work: Path, place: Path | None = None, more: Sequence[Path] = ()) -> PreparedGate:
    """Read the images of a recipe's gate; `place` is other data than the recipe names, `more` further folders.

    Raises DataError where images are missing, SettingsError where settings do not fit.
    """
    plan = gate_plan(file)
    recipe = read_gate_recipe(plan.training)
    image = gate_input(file, recipe.network.side)
    records = read_records(file, place)
    train, valid = (load_split(file, records, split, work, {ROLE: image}) for split in (TRAIN, VALID))
    tensors, sources = [train.tensors], [record.source for record in train.records]
    problems, alike = train.problems + valid.problems, 0
    folders = [*(file.place(name) for name in plan.images), *more]
    held_back = _held_back(file, records, work, image) if folders else train.tensors[:0]
    for folder in folders:
        further = further_images(folder, image, work, held_back, plan.apart)
        tensors.append(further.images)
        sources += [str(folder)] * len(further.images)
        problems += further.problems
        alike += further.alike
    images = GateImages(
        torch.from_numpy(np.concatenate(tensors)), equal_weights(sources), torch.from_numpy(np.array(valid.tensors))
    )
    return PreparedGate(file, recipe, images, image, problems, alike)


def _held_back(file: RecipeFile, records: Sequence[Record], work: Path, image: NetworkInput) -> Images:
    """The images of every split but the training's, whose likes must not be trained on."""
    splits = sorted({record.split for record in records} - {TRAIN, ""})
    return np.concatenate([load_split(file, records, split, work, {ROLE: image}).tensors for split in splits])


def train_gate(
    file: RecipeFile,
    work: Path,
    place: Path | None = None,
    *,
    more: Sequence[Path] = (),
    rounds_now: int | None = None,
    console: Console | None = None,
) -> GateTraining:
    """Train the gate of a recipe in the folder `work`, going on where an earlier run was stopped.

    Raises what `prepare_gate` and `fit_gate` raise, and SettingsError where another process trains a gate there.
    """
    with alone_in(work, GATE_TRAINING, "training of a gate"):
        return _train_alone(prepare_gate(file, work, place, more), work, rounds_now, console)


def _train_alone(prepared: PreparedGate, work: Path, rounds_now: int | None, console: Console | None) -> GateTraining:
    with ShownRounds(prepared, work, console or Console(stderr=True)) as watch:
        network, history, complete = fit_gate(prepared.images, prepared.recipe, work / GATE_TRAINING, watch, rounds_now)
    if not complete:
        return GateTraining(prepared, history, None)
    trained = _trained(prepared, network, history)
    save_gate(trained, work / GATE)
    return GateTraining(prepared, history, trained)


def _trained(prepared: PreparedGate, network: ReconstructionNetwork, history: list[Row]) -> TrainedGate:
    made_by = {
        "recipe": settings_document(replace(prepared.file, folder="")),
        "folder": prepared.file.folder,
        "training": settings_document(prepared.recipe),
        "images": {"train": len(prepared.images.train), "valid": len(prepared.images.valid)}
        | ({"left_out": prepared.alike} if prepared.alike else {}),
        "history": history,
        "torch": str(torch.__version__),
    }
    return TrainedGate(network, reconstruction_document(prepared.recipe.network), prepared.image, made_by)


class ShownRounds(GateWatch):
    """Shows a line a round and a bar in between, writes the log and the sample grids; to be used as a context."""

    def __init__(self, prepared: PreparedGate, work: Path, console: Console) -> None:
        self._work, self._recipe = work, prepared.recipe
        shown = prepared.images.valid
        self._shown = shown[:: max(1, len(shown) // COLUMNS)]
        columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
        self._progress = Progress(*columns, console=console, transient=True)
        self._task = self._progress.add_task("training the gate", total=prepared.recipe.steps)

    def __enter__(self) -> "ShownRounds":
        """Show the bar."""
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Take the bar away."""
        self._progress.stop()

    def begun(self, history: Sequence[Row]) -> None:
        """Say where a resumed training goes on."""
        if history:
            self._progress.update(self._task, completed=history[-1]["step"])
            self._progress.console.print(f"resumed after step {history[-1]['step']:.0f}")

    def step(self) -> None:
        """Advance the bar."""
        self._progress.advance(self._task)

    def round(self, history: Sequence[Row], network: ReconstructionNetwork) -> None:
        """Show the round's figures, write log and samples."""
        figures = ", ".join(f"{name.replace('_', ' ')} {value:.4g}" for name, value in history[-1].items())
        self._progress.console.print(figures)
        self._work.mkdir(parents=True, exist_ok=True)
        with (self._work / GATE_LOG).open("w", encoding="utf-8", newline="") as out:
            writer = csv.DictWriter(out, list(history[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(history)
        save_grid(sample_grid(network, self._shown), self._work / GATE_SAMPLES / f"{int(history[-1]['step']):07d}.png")
