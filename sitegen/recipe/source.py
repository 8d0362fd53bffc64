"""What a bundle is made of: a trained classifier, the recipe and the images it is for, a gate, the author's words."""

from dataclasses import dataclass
from pathlib import Path

from sitegen.data.dataset import read_records
from sitegen.data.records import Record
from sitegen.errors import CheckpointError
from sitegen.export.card_text import read_author
from sitegen.export.half import HalfStored, gate_in_half, stored_half
from sitegen.gate.bundle import GateSource, open_gate
from sitegen.gate.run import GATE
from sitegen.networks.trained import TrainedClassifier, load_trained
from sitegen.networks.trained_gate import TrainedGate
from sitegen.settings.recipe import GatePlan, RecipeFile, network_input, recipe_of

_NO_CARD = "{path}, the card in the recipe's [export], cannot be read: {error}"


@dataclass(frozen=True)
class ExportSource:
    """A trained network, its recipe, the images' records, the work folder, the gate, and Markdown for the card.

    Where weights are to be rounded to 16 bits, the networks are the ones that these make, and `half` says what that
    did to the classifier.
    """

    trained: TrainedClassifier
    recipe: RecipeFile
    records: list[Record]
    work: Path
    gate: GateSource | None
    author: str
    half: HalfStored | None = None

    @property
    def plan(self) -> GatePlan:
        """What is asked of a trained gate."""
        return self.recipe.gate or GatePlan()


def open_source(
    checkpoint: Path, place: Path | None, work: Path, gate: Path | None, given: RecipeFile | None
) -> ExportSource:
    """Read all that a bundle is made of; `place`, `gate` and `given` come before what checkpoint and recipe name.

    Raises CheckpointError, SettingsError, DataError and BundleError for what cannot be used.
    """
    trained = load_trained(checkpoint)
    recipe = given or _recipe(trained, checkpoint)
    if network_input(recipe.image) != trained.image:
        raise CheckpointError(
            f"{checkpoint} takes {trained.image}, and the recipe's [image] is {network_input(recipe.image)}. "
            "Train with this recipe first."
        )
    half = None
    if recipe.export.half:
        trained, half = stored_half(trained)
    named = gate or _gate_of(recipe, work)
    judge = open_gate(named) if named else None
    if recipe.export.half and isinstance(judge, TrainedGate):
        judge = gate_in_half(judge)
    card = recipe.place(recipe.export.card) if recipe.export.card else None
    return ExportSource(
        trained,
        recipe,
        read_records(recipe, place),
        work,
        judge,
        read_author(card, _NO_CARD),
        half,
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
