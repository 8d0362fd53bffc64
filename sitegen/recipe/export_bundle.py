"""From a trained checkpoint to a bundle: fitted on validation images, proved, measured, with its card drafted.

The bundle is made in a folder beside the target and put there at the end, so that nothing that failed is ever in place.
The same checkpoint and the same data give the same bytes, on one machine with as many threads.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sitegen.bundle import CARD, Bundle, Graph, Licence, load_bundle
from sitegen.calibration import Method
from sitegen.data.cache import cached_tensors
from sitegen.data.records import TEST, VALID, Record
from sitegen.errors import CheckpointError, SettingsError
from sitegen.evaluation.scored import Scored, bad_file, score_checkpoint
from sitegen.export.card import render_card
from sitegen.export.classifier_bundle import classifier_input, take_gate, write_classifier, write_golden
from sitegen.export.proof import Images, Proof, prove, samples
from sitegen.export.swap import in_place_of
from sitegen.export.write_bundle import Draft, write_bundle
from sitegen.networks.trained import TrainedClassifier, load_trained
from sitegen.prediction import Predictor
from sitegen.recipe.bundle_metrics import accepted_images, as_shipped, bundle_metrics
from sitegen.recipe.dataset import read_records
from sitegen.recipe.document import RecipeFile, network_input, recipe_of
from sitegen.recipe.fitted_labels import FittedLabel, fit_labels
from sitegen.recipe.provenance import provenance
from sitegen.recipe.training import ImageSplit, load_split
from sitegen_runtime.model import NetworkInput


@dataclass(frozen=True)
class ExportReport:
    """A bundle that was exported: its labels as they were fitted, the proof, and what people should be told."""

    bundle: Bundle
    labels: list[FittedLabel]
    proof: Proof
    warnings: list[str]


@dataclass(frozen=True)
class _Source:
    """What a bundle is made of: a trained network, its recipe, the images' records, the work folder, another's gate."""

    trained: TrainedClassifier
    recipe: RecipeFile
    records: list[Record]
    work: Path
    gate: Bundle | None


@dataclass(frozen=True)
class _Measured:
    """What was found out: the images looked at and what the network says of them, by split, and the labels."""

    parts: dict[str, ImageSplit]
    scored: dict[str, Scored]
    labels: list[FittedLabel]

    @property
    def remarks(self) -> list[str]:
        """A sentence for each split of which images had to be left out."""
        lost = {split: scored.unreadable for split, scored in self.scored.items() if scored.unreadable}
        return [
            f"{len(problems)} of {len(problems) + len(self.scored[split].records)} images of the split {split} could "
            f"not be used. The first: {bad_file((Path(problems[0][0].name), problems[0][1]))}"
            for split, problems in lost.items()
        ]


def export_bundle(
    checkpoint: Path,
    out: Path,
    place: Path | None,
    work: Path,
    *,
    calibration: Method | None = None,
    gate: Path | None = None,
    final: bool = False,
    recipe: RecipeFile | None = None,
) -> ExportReport:
    """Make the bundle `out` of a trained checkpoint, and return what was made.

    `place` is other data than the recipe names; tensors are in `work`. `calibration`, and `gate`, a bundle's folder,
    come before the recipe's. `recipe` is read instead of the one that the checkpoint records. Only with `final` the
    test images are opened, and measured. Raises ExportError where a graph does not give what the network gives;
    CheckpointError, SettingsError, DataError and BundleError for what cannot be used. `out` is then as it was.
    """
    source = _source(checkpoint, place, work, gate, recipe)
    method = calibration or source.recipe.export.calibration
    author = _author(source.recipe)
    with in_place_of(out) as folder:
        measured = _measure(source, method, [VALID, TEST] if final else [VALID])
        proof = _write(source, measured, method, author, folder)
        golden = _golden_refused(load_bundle(folder))
    remarks = [remark for fitted in measured.labels for remark in fitted.remarks]
    return ExportReport(load_bundle(out), measured.labels, proof, [*measured.remarks, *remarks, *golden])


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


def _source(checkpoint: Path, place: Path | None, work: Path, gate: Path | None, given: RecipeFile | None) -> _Source:
    trained = load_trained(checkpoint)
    recipe = given or _recipe(trained, checkpoint)
    if network_input(recipe.image) != trained.image:
        raise CheckpointError(
            f"{checkpoint} takes {trained.image}, and the recipe's [image] is {network_input(recipe.image)}. "
            "Train with this recipe first."
        )
    named = gate or (recipe.place(recipe.export.gate) if recipe.export.gate else None)
    return _Source(trained, recipe, read_records(recipe, place), work, load_bundle(named) if named else None)


def _measure(source: _Source, method: Method, splits: Sequence[str]) -> _Measured:
    """Score the images of each split, and fit the labels to those of validation."""
    parts = {split: load_split(source.recipe, source.records, split, source.work) for split in splits}
    scored = {
        split: score_checkpoint(source.trained, part.records, part.tensors, part.problems)
        for split, part in parts.items()
    }
    return _Measured(parts, scored, fit_labels(scored[VALID], method, source.recipe.data.balance_sources))


def _write(source: _Source, measured: _Measured, method: Method, author: str, folder: Path) -> Proof:
    """Write all files of the bundle, and prove the graphs."""
    image = classifier_input(source.trained)
    feature_map = write_classifier(source.trained, folder)
    shown = np.concatenate([_sample(measured.parts[VALID].tensors), write_golden(folder, image)])
    proof = prove(folder, source.trained.network, shown, feature_map)
    gate = take_gate(source.gate, folder) if source.gate else None
    asked = source.recipe.export
    draft = Draft(
        name=source.recipe.name.lower(),
        version=asked.version,
        title=asked.title or source.recipe.name,
        licence=Licence(weights=asked.licence_weights, data=asked.licence_data),
        labels=[fitted.label for fitted in measured.labels],
        gate=gate.settings if gate else None,
        gradient=True,
        feature_map=feature_map,
        provenance=provenance(
            source.trained, source.recipe, source.records, measured.labels, method, proof, measured.remarks, gate
        ),
        metrics={split: bundle_metrics(_shipped(source, measured, split)) for split in measured.parts},
    )
    (folder / CARD).write_text(render_card(draft, image, author), encoding="utf-8", newline="\n")
    inputs: dict[str, NetworkInput | Graph] = {"classifier": image}
    if gate:
        inputs["gate"] = gate.graph
    write_bundle(folder, draft, inputs)
    return proof


def _sample(tensors: Images) -> Images:
    return np.ascontiguousarray(tensors[samples(len(tensors))])


def _shipped(source: _Source, measured: _Measured, split: str) -> Scored:
    """What the bundle will say of the images of a split."""
    scored = measured.scored[split]
    accepted = None
    if source.gate:
        paths = [record.path for record in scored.records]
        (image,) = source.gate.model.graphs["gate"].images
        accepted = accepted_images(source.gate, cached_tensors(paths, {"gate": image}, source.work / "tensors")["gate"])
    return as_shipped(scored, measured.labels, accepted)


def _author(recipe: RecipeFile) -> str:
    """The author's own Markdown for the card. Raises SettingsError where it cannot be read."""
    if not recipe.export.card:
        return ""
    path = recipe.place(recipe.export.card)
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path}, the card in the recipe's [export], cannot be read: {error}") from error


def _golden_refused(bundle: Bundle) -> list[str]:
    golden = bundle.description.golden
    if golden is None or not bundle.description.gate:
        return []
    accepted = Predictor(bundle).predict(bundle.path(golden.image))["gate"]["accepted"]
    return [] if accepted else ["The gate refuses the example image, a drawn chest radiograph: it is of another kind."]
