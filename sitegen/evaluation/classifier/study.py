"""Which images a model is measured on, and what it says of them: a checkpoint and a bundle alike.

evaluate(question)      the scores of a model, and those of a second one on the same images
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from sitegen.bundle import DESCRIPTION, Bundle, load_bundle
from sitegen.bundle.origin import Collection
from sitegen.data.dataset import named_alike, of_split, read_records
from sitegen.data.layouts.known import read_dataset
from sitegen.data.origin import Learned, Origins, collection_of, learned_from, origins, recorded
from sitegen.data.records import VALID, Record, label_names
from sitegen.data.tensors.cache import usable_tensors
from sitegen.errors import DataError, SettingsError
from sitegen.evaluation.classifier.scored import Scored, score_bundle, score_checkpoint, with_operating_points
from sitegen.networks.trained import TrainedClassifier, load_trained
from sitegen.settings.data import DataSettings
from sitegen.settings.recipe import EvaluationSettings, RecipeFile, read_recipe_file, recipe_of
from sitegen.training.examples import equal_weights
from sitegen.training.prepare import ROLE


@dataclass(frozen=True)
class Question:
    """What is to be measured: `model` and `against` are checkpoints or bundles. What is None the recipe decides.

    `recipe` says how `data` is read, in place of the recipe that the model records. `workers` None are all cores.
    `collection` and `hospital` say where all images are from; "" is what the recipe says, or nobody.
    """

    model: Path
    data: Path | None = None
    recipe: Path | None = None
    split: str | None = None
    work: Path | None = None
    against: Path | None = None
    workers: int | None = None
    collection: str = ""
    hospital: str = ""


@dataclass(frozen=True)
class Answer:
    """The scores of the model, of the second one or None, and the recipe's settings of the evaluation."""

    scored: Scored
    against: Scored | None
    settings: EvaluationSettings


@dataclass(frozen=True)
class _Model:
    """A model as it was named: a checkpoint or a bundle, with the recipe that made it if it records one."""

    path: Path
    labels: Sequence[str]
    opened: TrainedClassifier | Bundle
    recipe: RecipeFile | None

    @property
    def learned(self) -> Learned | None:
        """What it records of the images that it was trained on."""
        bundle = isinstance(self.opened, Bundle)
        made_by = self.opened.description.provenance if isinstance(self.opened, Bundle) else self.opened.made_by
        return None if bundle and "import" in made_by else learned_from(made_by.get("data"))


def evaluate(question: Question) -> Answer:
    """Return what the model says of the images of a split.

    Raises DataError where there is no data, no such split, no label that both data and model know, or no image that
    can be used; SettingsError where a model is neither checkpoint nor bundle.
    """
    model = _opened(question.model)
    second = _opened(question.against) if question.against else None
    recipe = read_recipe_file(question.recipe) if question.recipe else model.recipe
    settings = recipe.evaluation if recipe else EvaluationSettings()
    records = _records(model, recipe, question.data)
    chosen = of_split(records, question.split or settings.split)
    given = _Given(records, chosen, recipe, question)
    return Answer(_scored(model, given), _scored(second, given) if second else None, settings)


@dataclass(frozen=True)
class _Given:
    """The images at hand, those of them that are measured, the recipe that they were read with, what was asked."""

    records: list[Record]
    chosen: list[Record]
    recipe: RecipeFile | None
    question: Question

    def origins(self, model: _Model) -> Origins:
        """Where the measured images are from, seen from a model's training."""
        divided, learned = self._divided(model), model.learned or _found_again(model)
        asked, data = self.question, self.recipe.data if self.recipe else DataSettings()
        named = {}
        for source in {record.source for record in self.chosen}:
            known = collection_of(data, source)
            named[source] = Collection(asked.collection or known.name, asked.hospital or known.hospital)
        return origins(self.chosen, learned, divided, named)

    def _divided(self, model: _Model) -> list[Record]:
        """The same data as the model's own recipe divides it; none where that does not fit it."""
        if model.recipe is None or self.recipe is None:
            return []
        if _divides_alike(model.recipe.data, self.recipe.data):
            return self.records
        try:
            return read_records(model.recipe, self.question.data or self.recipe.place(self.recipe.data.place))
        except DataError:
            return []


def _found_again(model: _Model) -> Learned | None:
    """What a checkpoint was trained on that does not record it, as long as its recipe's own data is there."""
    recipe = model.recipe
    if isinstance(model.opened, Bundle) or recipe is None or not _has_data(recipe):
        return None
    return learned_from(recorded(read_records(recipe), recipe.data))


def _has_data(recipe: RecipeFile) -> bool:
    return bool(recipe.data.place) and recipe.place(recipe.data.place).exists()


def _divides_alike(some: DataSettings, other: DataSettings) -> bool:
    """Whether two recipes put the same images into the same splits, wherever these lie."""
    return _without_folders(some) == _without_folders(other)


def _without_folders(data: DataSettings) -> DataSettings:
    parts = tuple(replace(part, place="", split_file=Path(part.split_file).name) for part in data.parts)
    return replace(data, place="", split_file=Path(data.split_file).name, parts=parts)


def _opened(path: Path) -> _Model:
    if (path / DESCRIPTION).is_file():
        bundle = load_bundle(path)
        description = bundle.description
        return _Model(path, [label.name for label in description.labels], bundle, _recipe(description.provenance, path))
    if path.is_dir() or not path.exists():
        raise SettingsError(
            f"{path} is neither a checkpoint nor a bundle. Name a .pt file that training wrote, or a folder "
            f"with {DESCRIPTION}."
        )
    trained = load_trained(path)
    return _Model(path, trained.labels, trained, _recipe(trained.made_by, path))


def _recipe(made_by: Mapping[str, Any], path: Path) -> RecipeFile | None:
    """The recipe that a model records as plain data; others tell in words what made them."""
    document = made_by.get("recipe")
    if not isinstance(document, Mapping):
        return None
    return recipe_of(document, str(made_by.get("folder", "")), f"the recipe in {path}")


def _records(model: _Model, recipe: RecipeFile | None, data: Path | None) -> list[Record]:
    """All images, with their labels under the model's names."""
    if recipe:
        place = data or recipe.place(recipe.data.place)
        if not place.exists():
            raise DataError(f"{place} does not exist. Name the data that is to be measured with --data DIR.")
        records = read_records(recipe, data)
    elif data:
        records, place = named_alike(read_dataset(data), model.labels, data), data
    else:
        raise DataError(f"{model.path} does not say which data it was made with. Name some with --data DIR.")
    there = label_names(records)
    if not set(there) & set(model.labels):
        raise DataError(
            f"{place} has none of the model's labels ({', '.join(model.labels)}); it has {', '.join(there)}. "
            "Say which is which in [data.labels] of a recipe, and name it with --recipe."
        )
    return records


def _scored(model: _Model, given: _Given) -> Scored:
    records, question = given.chosen, given.question
    if isinstance(model.opened, Bundle):
        scored = score_bundle(model.opened, records, question.workers)
    else:
        trained = model.opened
        scored = _checkpoint_scores(model, trained, records, question)
        if validation := _validation_records(model, None if question.recipe else question.data):
            balance = model.recipe is not None and model.recipe.data.balance_sources
            seen = _checkpoint_scores(model, trained, validation, question)
            scored = with_operating_points(scored, seen, _source_weights(seen.records) if balance else None)
    named = {"file": str(model.path)}
    if model.path.is_file():
        named["sha256"] = sha256(model.path.read_bytes()).hexdigest()
    return replace(scored, model={**scored.model, **named}, origins=given.origins(model))


def _checkpoint_scores(
    model: _Model, trained: TrainedClassifier, records: Sequence[Record], question: Question
) -> Scored:
    work = question.work or Path("build") / (model.recipe.name if model.recipe else model.path.stem)
    usable = usable_tensors(
        [record.path for record in records], {ROLE: trained.image}, work / "tensors", question.workers
    )
    kept = [records[index] for index in usable.kept]
    return score_checkpoint(trained, kept, usable.tensors[ROLE], usable.problems)


def _validation_records(model: _Model, data: Path | None) -> list[Record]:
    """The validation images of the recipe that trained a model: from its own data, or from `data` where that is gone.

    None where there is no such recipe, or its data is not to be had: then there are no operating points.
    """
    if model.recipe is None:
        return []
    own = _has_data(model.recipe)
    if not own and data is None:
        return []
    place = None if own else data
    try:
        records = read_records(model.recipe, place)
    except DataError:
        if own:
            raise
        return []  # other data, which this recipe does not fit
    return [record for record in records if record.split == VALID]


def _source_weights(records: Sequence[Record]) -> list[float]:
    """Weights that make all sources count the same, as the recipe asked for in training."""
    weights: list[float] = equal_weights([record.source for record in records]).double().tolist()
    return weights
