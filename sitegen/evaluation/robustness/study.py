"""The study of robustness from files: trained classifiers, the data that they come from, and data of others.

`study` reads and checks everything, and has `sitegen.evaluation.robustness.matrix` make the matrices.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from torch import Tensor

from sitegen.data.dataset import named_alike, read_records
from sitegen.data.layouts.known import read_dataset
from sitegen.data.overlap import shared_files, shared_patients
from sitegen.data.records import TRAIN, VALID, Record, label_matrix, label_names, select
from sitegen.data.tensors.cache import cached_tensors, usable_tensors
from sitegen.errors import CheckpointError, DataError
from sitegen.evaluation.robustness.document_types import RobustnessDocument
from sitegen.evaluation.robustness.matrix import (
    JudgedSet,
    Row,
    level_name,
    logits_at_level,
    robustness_document,
    row_names,
)
from sitegen.metrics.examples import Scores
from sitegen.metrics.resampling import Resampling
from sitegen.networks.trained import TrainedClassifier, load_trained
from sitegen.parallel import shown
from sitegen.settings.recipe import RecipeFile, read_recipe_file, recipe_of
from sitegen.training.augment import LEVELS
from sitegen.training.prepare import ROLE, ends
from sitegen.training.presets import read_recipe
from sitegen_runtime.bundle.model import NetworkInput

_SEEN = (TRAIN, VALID)  # weights are fitted on one, and epochs are chosen by the other

_Tensors = dict[NetworkInput, Tensor]


@dataclass(frozen=True)
class Study:
    """What to judge on what. `data` overrides where the models' recipe says that its data is.

    `external` is other data, all of whose images count; `external_recipe` says how to read it, and by what names it
    has the models' labels. `work` keeps tensors; `build/<name of the recipe>` where it is not given.
    """

    checkpoints: Sequence[Path]
    data: Path | None = None
    split: str = "test"
    external: Path | None = None
    external_recipe: Path | None = None
    work: Path | None = None
    resampling: Resampling = field(default_factory=Resampling)


@dataclass(frozen=True)
class _Model:
    path: Path
    trained: TrainedClassifier
    recipe: RecipeFile
    level: str


@dataclass(frozen=True)
class _Images:
    """Records under the models' labels, the folder that they lie in, and the images that cannot be used, with why."""

    name: str
    folder: Path
    records: Sequence[Record]
    problems: Sequence[tuple[Path, str]] = ()


def study(asked: Study) -> RobustnessDocument:
    """Return the matrices of all findings; `sitegen.evaluation.robustness.matrix.robustness_document` describes them.

    Images that cannot be used are left out, and listed under "unreadable". Raises CheckpointError where a file is no
    trained classifier, or the models differ in their labels; DataError where data is missing, has none of the labels,
    or where a model has seen images or patients that it is to be judged on.
    """
    models = [_load(path) for path in asked.checkpoints]
    labels = _same_labels(models)
    judged = _unseen_images(asked, models, labels)
    work = asked.work or Path("build") / models[0].recipe.name
    judged, tensors = _prepared(judged, list(dict.fromkeys(model.trained.image for model in models)), work / "tensors")
    sets = {role: _judged_set(images, labels) for role, images in judged.items()}
    rows = _rows(models, tensors, asked.resampling.seed)
    problems = [problem for images in judged.values() for problem in images.problems]
    figures = robustness_document(rows, sets, labels, asked.resampling)
    return {**figures, "unreadable": [{"file": str(path), "problem": problem} for path, problem in problems]}


def _load(path: Path) -> _Model:
    trained = load_trained(path)
    made_by = trained.made_by
    if "recipe" not in made_by or "folder" not in made_by:
        raise CheckpointError(f"{path} does not say which recipe made it. Train it with: sitegen train classifier")
    recipe = recipe_of(made_by["recipe"], made_by["folder"], str(path))
    training = read_recipe(made_by.get("training", recipe.training))
    return _Model(path, trained, recipe, level_name(training.augment))


def _same_labels(models: Sequence[_Model]) -> list[str]:
    first, *others = models
    for other in others:
        if list(other.trained.labels) != list(first.trained.labels):
            raise CheckpointError(
                f"{other.path} has the labels {', '.join(other.trained.labels)}, and {first.path} has "
                f"{', '.join(first.trained.labels)}. Compare models of the same labels."
            )
    return list(first.trained.labels)


def _unseen_images(asked: Study, models: Sequence[_Model], labels: Sequence[str]) -> dict[str, _Images]:
    """The images of each role, which no model has seen."""
    known = [_training_data(model, asked.data) for model in models]
    internal, external = _judged(known[0], asked.split), _external(asked, labels)
    for model, images in zip(models, known, strict=True):
        _check_unseen(internal, images, model, (TRAIN,) if asked.split == VALID else _SEEN)
        if external:
            _check_unseen(external, images, model, _SEEN, files=True)
    return {"internal": internal} | ({"external": external} if external else {})


def _training_data(model: _Model, data: Path | None) -> _Images:
    place = data or model.recipe.place(model.recipe.data.place)
    return _Images(_folder(place).name, _folder(place), read_records(model.recipe, data))


def _judged(known: _Images, split: str) -> _Images:
    records = select(known.records, split)
    if not records:
        splits = ", ".join(sorted({record.split for record in known.records if record.split})) or "no split"
        raise DataError(f"{known.folder} has no images of the split {split!r}; it has {splits}. Name one with --split.")
    return _Images(f"{known.name}, {split}", known.folder, records)


def _external(asked: Study, labels: Sequence[str]) -> _Images | None:
    if asked.external_recipe:
        recipe = read_recipe_file(asked.external_recipe)
        place = asked.external or recipe.place(recipe.data.place)
        name, records = recipe.name, read_records(recipe, asked.external)
    elif asked.external:
        place = asked.external
        name, records = place.name, named_alike(read_dataset(place), labels, place)
    else:
        return None
    has = label_names(records)
    if not set(has) & set(labels):
        raise DataError(
            f"{place} has none of the models' labels ({', '.join(labels)}); it has {', '.join(has)}. "
            "Say which is which in [data.labels] of a recipe, and name it with --external-recipe."
        )
    return _Images(name, _folder(place), records)


def _check_unseen(judged: _Images, known: _Images, model: _Model, splits: Sequence[str], files: bool = False) -> None:
    """Raise DataError where a model, trained on `splits` of `known`, has seen what it is to be judged on.

    Patients are compared within a data set alone: elsewhere the same name is another person. Files are compared where
    the data sets differ, and by their bytes, since a copy has another path.
    """
    seen = [record for record in known.records if record.split in splits]
    if known.folder == judged.folder:
        for patient in shared_patients(judged.records, seen):
            raise DataError(
                f"{model.path} was trained with images of the patient {patient!r}, who is in {judged.name!r} too. "
                "Judge models on patients whom none of them has seen."
            )
    if files or known.folder != judged.folder:
        for path, other in shared_files(judged.records, seen):
            raise DataError(
                f"{model.path} was trained with {other}, and {path} of {judged.name!r} is the same file. "
                "Judge models on images that none of them has seen."
            )


def _prepared(
    judged: Mapping[str, _Images], inputs: Sequence[NetworkInput], folder: Path
) -> tuple[dict[str, _Images], dict[str, _Tensors]]:
    """Return the images that can be used, and their tensors[data][input]."""
    usable, tensors = {}, {}
    for role, images in judged.items():
        paths = [record.path for record in images.records]
        first = usable_tensors(paths, {ROLE: inputs[0]}, folder)
        if not first.kept:
            raise DataError(f"None of the images of {images.name!r} can be used. Look with: sitegen data audit")
        records = [images.records[index] for index in first.kept]
        usable[role] = replace(images, records=records, problems=first.problems)
        tensors[role] = {inputs[0]: torch.from_numpy(first.tensors[ROLE])}
        for entry in inputs[1:]:  # what is wrong with a file is wrong at every size
            others = cached_tensors([record.path for record in records], {ROLE: entry}, folder)
            tensors[role][entry] = torch.from_numpy(others[ROLE])
    return usable, tensors


def _rows(models: Sequence[_Model], tensors: Mapping[str, _Tensors], seed: int) -> list[Row]:
    """Every model with its logits[data][level]."""
    files = [str(model.path) for model in models]
    names = row_names([model.level for model in models], files)
    return [
        Row(name, file, model.level, _logits(model.trained, tensors, seed))
        for name, file, model in zip(names, files, shown(models, len(models), "models"), strict=True)
    ]


def _logits(trained: TrainedClassifier, tensors: Mapping[str, _Tensors], seed: int) -> dict[str, dict[str, Scores]]:
    network = trained.network.to("cuda" if torch.cuda.is_available() else "cpu")
    black, white = ends(trained.image)
    found = {
        role: {
            name: logits_at_level(network, each[trained.image], level, black, white, seed)
            for name, level in LEVELS.items()
        }
        for role, each in tensors.items()
    }
    network.to("cpu")
    return found


def _judged_set(images: _Images, labels: Sequence[str]) -> JudgedSet:
    targets = label_matrix(images.records, labels).astype("float64")
    return JudgedSet(images.name, targets, [record.patient for record in images.records])


def _folder(place: Path) -> Path:
    """A data set's table stands for the folder that it lies in."""
    return (place.parent if place.is_file() else place).resolve()
