"""From a trained checkpoint to a bundle: fitted on validation images, proved, measured, with its card drafted.

The bundle is made in a folder beside the target and put there at the end, so that nothing that failed is ever in place.
The same checkpoint and the same data give the same bytes, on one machine with as many threads.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sitegen.bundle import CARD, Bundle, Graph, Licence, load_bundle
from sitegen.bundle.calibration import Method
from sitegen.data.dataset import read_records
from sitegen.data.records import TEST, VALID, Record
from sitegen.errors import CheckpointError, SettingsError
from sitegen.evaluation.classifier.scored import Scored, bad_file, score_bundle, score_checkpoint
from sitegen.export.agreement import samples
from sitegen.export.card import render_card
from sitegen.export.classifier_bundle import classifier_input, write_classifier
from sitegen.export.golden import write_golden
from sitegen.export.proof import Images, Proof, prove
from sitegen.export.swap import in_place_of
from sitegen.export.write_bundle import Draft, write_bundle
from sitegen.gate.bundle import BundleGate, GateSource, GateWork, needs_features, open_gate, put_gate
from sitegen.gate.run import GATE
from sitegen.networks.trained import TrainedClassifier, load_trained
from sitegen.prediction import Predictor
from sitegen.recipe.bundle_metrics import as_shipped, bundle_metrics
from sitegen.recipe.labels import FittedLabel, fit_labels
from sitegen.recipe.provenance import provenance
from sitegen.settings.recipe import GatePlan, RecipeFile, network_input, recipe_of
from sitegen.training.prepare import ImageSplit, load_split
from sitegen_runtime.bundle.model import NetworkInput


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
    gate: GateSource | None

    @property
    def plan(self) -> GatePlan:
        """What is asked of a trained gate."""
        return self.recipe.gate or GatePlan()


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

    `place` is other data than the recipe names; tensors are in `work`. `calibration`, and `gate`, a bundle's folder
    or a trained gate's file, come before the recipe's. `recipe` is read instead of the one that the checkpoint records.
    Only with `final` the test images are opened, and measured. Raises ExportError where a graph does not give what the
    network gives; CheckpointError, SettingsError, DataError and BundleError for what cannot be used. `out` is then as
    it was.
    """
    source = _source(checkpoint, place, work, gate, recipe)
    method = calibration or source.recipe.export.calibration
    author = _author(source.recipe)
    with in_place_of(out) as folder:
        measured = _measure(source, method, [VALID, TEST] if final else [VALID])
        proof, warnings = _write(source, measured, method, author, folder)
        golden = _golden_refused(load_bundle(folder))
    remarks = [remark for fitted in measured.labels for remark in fitted.remarks]
    return ExportReport(load_bundle(out), measured.labels, proof, [*measured.remarks, *remarks, *warnings, *golden])


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
    named = gate or _gate_of(recipe, work)
    return _Source(trained, recipe, read_records(recipe, place), work, open_gate(named) if named else None)


def _gate_of(recipe: RecipeFile, work: Path) -> Path | None:
    """The gate that a recipe names, its own or another bundle's. Raises CheckpointError where its own is missing."""
    if recipe.gate:
        if not (work / GATE).is_file():
            raise CheckpointError(f"{work / GATE} does not exist, and the recipe has a [gate]. Run: sitegen train gate")
        return work / GATE
    return recipe.place(recipe.export.gate) if recipe.export.gate else None


def _measure(source: _Source, method: Method, splits: Sequence[str]) -> _Measured:
    """Score the images of each split, and fit the labels to those of validation."""
    parts = {split: load_split(source.recipe, source.records, split, source.work) for split in splits}
    scored = {
        split: score_checkpoint(source.trained, part.records, part.tensors, part.problems)
        for split, part in parts.items()
    }
    return _Measured(parts, scored, fit_labels(scored[VALID], method, source.recipe.data.balance_sources))


def _write(
    source: _Source, measured: _Measured, method: Method, author: str, folder: Path
) -> tuple[Proof, Sequence[str]]:
    """Write all files of the bundle, and prove the graphs; return the proof, and what people should know of the gate.

    The bundle is written twice: what its gate lets through is measured with the whole of it, and then noted in it.
    """
    image = classifier_input(source.trained)
    pooled = needs_features(source.gate, source.plan)
    feature_map = write_classifier(source.trained, folder, pooled=pooled)
    shown = np.concatenate([_sample(measured.parts[VALID].tensors), write_golden(folder, image)])
    proof = prove(folder, source.trained.network, shown, feature_map)
    work = GateWork(source.recipe, source.trained, source.records, source.work, measured.parts[VALID], source.plan)
    gate = put_gate(source.gate, folder, work) if source.gate else None
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
        features=bool(gate and gate.features),
        provenance=provenance(
            source.trained,
            source.recipe,
            source.records,
            measured.labels,
            method,
            proof,
            measured.remarks,
            gate.origin if gate else None,
        ),
    )
    _finish(folder, draft, image, gate, measured, author)
    return proof, gate.warnings if gate else ()


def _finish(
    folder: Path, draft: Draft, image: NetworkInput, gate: BundleGate | None, measured: _Measured, author: str
) -> None:
    """Write the bundle's description and card, with what it achieves on each split that was opened."""
    inputs: dict[str, NetworkInput | Graph] = {"classifier": image}
    if gate:
        inputs["gate"] = gate.graph
    (folder / CARD).write_text("", encoding="utf-8")
    bundle = write_bundle(folder, draft, inputs)
    metrics = {
        split: bundle_metrics(as_shipped(scored, measured.labels, _accepted(bundle, scored)))
        for split, scored in measured.scored.items()
    }
    whole = replace(draft, metrics=metrics)
    (folder / CARD).write_text(render_card(whole, image, author), encoding="utf-8", newline="\n")
    write_bundle(folder, whole, inputs)


def _accepted(bundle: Bundle, scored: Scored) -> NDArray[np.bool_] | None:
    """Which images of a split users would see findings of; None where the bundle has no gate."""
    if bundle.description.gate is None:
        return None
    return score_bundle(bundle, scored.records, workers=None).accepted


def _sample(tensors: Images) -> Images:
    return np.ascontiguousarray(tensors[samples(len(tensors))])


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
