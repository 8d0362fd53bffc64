"""A recipe's classifier: its images as tensors, its network, and the training of the one on the other.

In the work folder:

    tensors/         inputs of the network, one file an image, kept for the next time
    split.csv        file, patient and split of every image
    left-out.csv     images that could not be used, and why
    training.pt      the training so far, replaced after every epoch
    log.csv          a row an epoch
    classifier.pt    the trained classifier, once it is complete
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sitegen.data.dataset import read_records
from sitegen.data.origin import recorded
from sitegen.data.records import TRAIN, VALID, Record, label_matrix, label_names
from sitegen.data.splits import write_split
from sitegen.data.tensors.cache import Usable, usable_tensors
from sitegen.errors import DataError, SettingsError
from sitegen.networks.classifier import Classifier, as_one_logit
from sitegen.networks.published import Initial, begin_with, find_initial
from sitegen.networks.registry import NetworkSettings, make_network, network_document, read_network
from sitegen.networks.trained import TrainedClassifier
from sitegen.networks.vit import TransformerSettings
from sitegen.settings.reading import settings_document
from sitegen.settings.recipe import RecipeFile, network_input
from sitegen.training.examples import LabelledImages, image_weights
from sitegen.training.fit import TrainingData
from sitegen.training.history import Epoch, phase_summaries
from sitegen.training.losses import OneAgainstAllSettings
from sitegen.training.presets import PRESETS, Recipe, read_recipe
from sitegen_runtime.bundle.model import NetworkInput

ROLE = "classifier"
INITIAL = "initial"  # the key of [network] that names weights to begin with
FRACTION_LOST = 0.1  # of a data set's images that may be unusable before the data set is


@dataclass(frozen=True)
class ImageSplit:
    """The usable images of one split: records and tensors float32 [N, C, side, side], in one order."""

    records: list[Record]
    tensors: np.ndarray[Any, np.dtype[np.float32]]
    problems: list[tuple[Path, str]]


@dataclass(frozen=True)
class Prepared:
    """All that training needs: the recipe resolved, the data, and a new network; and where the images are from."""

    file: RecipeFile
    recipe: Recipe
    settings: NetworkSettings
    data: TrainingData
    image: NetworkInput
    problems: list[tuple[Path, str]]
    origin: Mapping[str, Any] = field(default_factory=dict)

    @property
    def batches(self) -> int:
        """How many batches there are, in all phases together."""
        steps = self.recipe.steps(len(self.data.train.images))
        return steps * sum(phase.epochs for phase in self.recipe.phases)


def training_recipe(file: RecipeFile) -> Recipe:
    """Return the recipe of training, with its preset's values filled in."""
    return read_recipe(file.training)


def load_split(
    file: RecipeFile,
    records: Sequence[Record],
    split: str,
    work: Path,
    inputs: Mapping[str, NetworkInput] | None = None,
) -> ImageSplit:
    """Return the images of one split, those that cannot be used left out and named.

    They are as the classifier sees them, or as the one network that `inputs` describes by its role. Raises DataError
    where none is left, or more than a tenth is lost.
    """
    chosen = [record for record in records if record.split == split]
    if not chosen:
        there = ", ".join(sorted({record.split or '""' for record in records}))
        raise DataError(f"no image is in the split {split!r}; there are {there}. Set split in the recipe's [data].")
    inputs = inputs or {ROLE: network_input(file.image)}
    (role,) = inputs
    usable: Usable = usable_tensors([record.path for record in chosen], inputs, work / "tensors")
    if len(usable.problems) > FRACTION_LOST * len(chosen):
        path, message = usable.problems[0]
        raise DataError(
            f"{len(usable.problems)} of {len(chosen)} images of the split {split!r} cannot be used; {path}: {message}"
        )
    return ImageSplit([chosen[index] for index in usable.kept], usable.tensors[role], usable.problems)


def prepare(file: RecipeFile, work: Path, place: Path | None = None) -> Prepared:
    """Read a recipe's images and settings; `place` is other data than the recipe names. Writes split and left-out."""
    recipe = training_recipe(file)
    records = read_records(file, place)
    labels = tuple(label_names(records))
    settings = network_settings(file, recipe, len(labels))
    image = network_input(file.image)
    parts = {split: load_split(file, records, split, work) for split in (TRAIN, VALID)}
    work.mkdir(parents=True, exist_ok=True)
    where = place or file.place(file.data.place)
    write_split(
        [record for record in records if record.split], where if where.is_dir() else where.parent, work / "split.csv"
    )
    problems = [problem for part in parts.values() for problem in part.problems]
    _write_problems(problems, work / "left-out.csv")
    black, white = ends(image)
    train = _labelled(parts[TRAIN], labels, image_weights(parts[TRAIN].records, file.data))
    valid = _labelled(parts[VALID], labels, torch.ones(len(parts[VALID].records)))
    learned = TrainingData(train, valid, labels, black, white)
    return Prepared(file, recipe, settings, learned, image, problems, recorded(records, file.data))


def ends(image: NetworkInput) -> tuple[float, float]:
    """Return what black and white are to the network. With several channels: the least and the greatest of them."""
    low, high = image.range
    values = [(end - mean) / std for end in (low, high) for mean, std in zip(image.mean, image.std, strict=True)]
    return min(values), max(values)


def network_settings(file: RecipeFile, recipe: Recipe, labels: int) -> NetworkSettings:
    """Return the network's settings, for as many channels and labels as there are; the preset's where none is named.

    Raises SettingsError where the recipe's network is for other channels or labels.
    """
    preset = PRESETS.get(str(file.training.get("preset")))
    named = {name: value for name, value in file.network.items() if name != INITIAL}
    document: Mapping[str, Any] = named or (network_document(preset.network) if preset else {})
    outputs = 2 if isinstance(recipe.loss, OneAgainstAllSettings) else labels
    if outputs == 2 and labels != 1 and isinstance(recipe.loss, OneAgainstAllSettings):
        raise SettingsError(f"one-against-all has one label, and the data has {labels}; choose one in [data] labels")
    needed = {"labels": outputs, "channels": 3 if file.image.colour == "rgb" else 1}
    settings = read_network({**document, **needed})
    if isinstance(settings, TransformerSettings):
        settings = replace(settings, side=file.image.grid[0])
    for name, value in needed.items():
        if name in file.network and file.network[name] != value:
            raise SettingsError(f"network.{name} is {file.network[name]}, and the recipe's data and image have {value}")
    return settings


def initial_weights(prepared: Prepared, weights: Path | None = None) -> Initial | None:
    """Return the published weights to begin with, and where they come from: `weights`, else the recipe's, else None.

    Raises what `published.find_initial` raises.
    """
    named = prepared.file.network.get(INITIAL)
    if weights is None and named is None:
        return None
    return find_initial(str(weights or named), Path() if weights else Path(prepared.file.folder))


def new_network(prepared: Prepared, initial: Initial | None = None) -> Classifier:
    """Return the network to begin with, drawn from the recipe's seed; its body from `initial` weights, if given.

    Raises CheckpointError where they do not fit the body.
    """
    torch.manual_seed(prepared.recipe.seed)
    network = make_network(prepared.settings)
    if initial:
        begin_with(network, initial)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # quicker on a CPU
    return network


def trained_classifier(
    prepared: Prepared, network: Classifier, history: Sequence[Epoch], initial: Initial | None = None
) -> TrainedClassifier:
    """Return what is kept of a finished training: a network of one logit a label, and how it was made."""
    one_logit = isinstance(prepared.recipe.loss, OneAgainstAllSettings)
    kept = as_one_logit(network) if one_logit else network
    settings = replace(prepared.settings, labels=1) if one_logit else prepared.settings
    made_by = {
        "recipe": settings_document(replace(prepared.file, folder="")),
        "folder": prepared.file.folder,
        "training": settings_document(prepared.recipe),
        "images": {"train": len(prepared.data.train.images), "valid": len(prepared.data.valid.images)},
        "data": dict(prepared.origin),
        "phases": phase_summaries(history),
        "torch": str(torch.__version__),
    } | ({INITIAL: initial.origin} if initial else {})
    return TrainedClassifier(kept.eval(), network_document(settings), prepared.data.labels, prepared.image, made_by)


def _labelled(split: ImageSplit, labels: Sequence[str], weights: Tensor) -> LabelledImages:
    targets = torch.from_numpy(label_matrix(split.records, labels))
    return LabelledImages(torch.from_numpy(split.tensors), targets, weights)


def _write_problems(problems: Sequence[tuple[Path, str]], path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["file", "problem"])
        writer.writerows([file.as_posix(), message] for file, message in problems)
