"""What a bundle is made of: a trained classifier, the recipe and the images it is for, a gate, the author's words."""

from dataclasses import dataclass
from pathlib import Path

from sitegen.data.dataset import read_records
from sitegen.data.records import Record
from sitegen.errors import CheckpointError
from sitegen.export.card_text import read_author
from sitegen.export.variants.rounded import gate_in_half, stored
from sitegen.gate.bundle import GateSource, open_gate
from sitegen.gate.run import GATE
from sitegen.graphs.weight_forms import Weights
from sitegen.networks.trained import TrainedClassifier, load_trained
from sitegen.networks.trained_gate import TrainedGate
from sitegen.settings.recipe import GatePlan, RecipeFile, network_input, recipe_of

_NO_CARD = "{path}, the card in the recipe's [export], cannot be read: {error}"


@dataclass(frozen=True)
class ExportSource:
    """A trained network, its recipe, the images' records, the work folder, the gate, and Markdown for the card.

    `form` is that of the weights. Where they are to be rounded, the networks are the ones that these make, and
    `original` is the classifier as it was trained. A gate's weights have 16 bits then, also where the classifier's have
    8.
    """

    trained: TrainedClassifier
    recipe: RecipeFile
    records: list[Record]
    work: Path
    gate: GateSource | None
    author: str
    form: Weights
    original: TrainedClassifier

    @property
    def plan(self) -> GatePlan:
        """What is asked of a trained gate."""
        return self.recipe.gate or GatePlan()


def open_source(
    checkpoint: Path,
    place: Path | None,
    work: Path,
    gate: Path | None,
    given: RecipeFile | None,
    weights: Weights | None,
) -> ExportSource:
    """Read all that a bundle is made of; `place`, `gate`, `given` and `weights` come before checkpoint and recipe.

    Raises CheckpointError, SettingsError, DataError and BundleError for what cannot be used.
    """
    original = load_trained(checkpoint)
    recipe = given or _recipe(original, checkpoint)
    if network_input(recipe.image) != original.image:
        raise CheckpointError(
            f"{checkpoint} takes {original.image}, and the recipe's [image] is {network_input(recipe.image)}. "
            "Train with this recipe first."
        )
    form: Weights = weights or ("half" if recipe.export.half else "float")
    trained = stored(original, form) if form in ("half", "int8") else original
    named = gate or _gate_of(recipe, work)
    judge = open_gate(named) if named else None
    if form != "float" and isinstance(judge, TrainedGate):
        judge = gate_in_half(judge)
    card = recipe.place(recipe.export.card) if recipe.export.card else None
    return ExportSource(
        trained,
        recipe,
        read_records(recipe, place),
        work,
        judge,
        read_author(card, _NO_CARD),
        form,
        original,
    )


def recipe_of_checkpoint(checkpoint: Path) -> RecipeFile:
    """Return the recipe that a checkpoint records. Raises CheckpointError where it is none, or has none."""
    return _recipe(load_trained(checkpoint), checkpoint)


def _recipe(trained: TrainedClassifier, checkpoint: Path) -> RecipeFile:
    document = trained.made_by.get("recipe")
    if not document:
        raise CheckpointError(
            f"{checkpoint} records no recipe, which says what data it is for. Make it with: sitegen train classifier"
        )
    return recipe_of(document, str(trained.made_by.get("folder", "")), f"the recipe in {checkpoint}")


def _gate_of(recipe: RecipeFile, work: Path) -> Path | None:
    """The gate that a recipe names, its own or another bundle's. Raises CheckpointError where its own is missing."""
    if recipe.gate:
        if not (work / GATE).is_file():
            raise CheckpointError(f"{work / GATE} does not exist, and the recipe has a [gate]. Run: sitegen train gate")
        return work / GATE
    return recipe.place(recipe.export.gate) if recipe.export.gate else None
