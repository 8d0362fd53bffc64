"""From a trained checkpoint to a bundle: fitted on validation images, proved, measured, with its card drafted.

    sources      what it is made of is read: `sitegen.recipe.source`
    graphs       the graphs are written and proved, the gate's too
    form         the weights are put into their form, which scores the images of each split, and is judged
    measured     the labels are fitted to what is said of the validation images
    draft        all that the bundle says of itself, with what its gate lets through and what it achieves
    bundle       card and description, written once

The bundle is made in a folder beside the target and put there at the end, so that nothing that failed is ever in place.
The same checkpoint and the same data give the same bytes, on one machine with as many threads.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sitegen.bundle import CARD, Bundle, FeatureMap, Licence, load_bundle
from sitegen.bundle.calibration import Method
from sitegen.data.origin import Origins, collection_of, learned_from, origins, recorded
from sitegen.data.records import TEST, VALID
from sitegen.evaluation.classifier.scored import Scored, bad_file, score_bundle
from sitegen.export.card import render_card
from sitegen.export.classifier_bundle import classifier_input, write_classifier
from sitegen.export.golden import golden_refused, write_golden
from sitegen.export.proof import Proof, prove
from sitegen.export.swap import in_place_of
from sitegen.export.write_bundle import Draft, Inputs, drafted_bundle, write_bundle
from sitegen.gate.bundle import BundleGate, GateWork, needs_features, put_gate
from sitegen.graphs.weight_forms import Weights
from sitegen.recipe.audited import audit_of, require_audit
from sitegen.recipe.bundle_localisation import boxes_of, bundle_localisation
from sitegen.recipe.bundle_metrics import as_shipped, bundle_metrics, marked_weak, with_headline
from sitegen.recipe.document_types import FormDocument
from sitegen.recipe.forms import load_splits, put_form, sample
from sitegen.recipe.harmless import MARGIN
from sitegen.recipe.labels import FittedLabel, fit_labels
from sitegen.recipe.provenance import provenance
from sitegen.recipe.source import ExportSource, open_source
from sitegen.settings.expects import expects_of
from sitegen.settings.recipe import RecipeFile
from sitegen.training.prepare import ImageSplit

_GOLDEN_REFUSED = "The gate refuses the example image, a drawn chest radiograph: it is of another kind."


@dataclass(frozen=True)
class ExportReport:
    """A bundle that was exported: its labels as they were fitted, the proof, and what people should be told."""

    bundle: Bundle
    labels: list[FittedLabel]
    proof: Proof
    warnings: list[str]


@dataclass(frozen=True)
class _Measured:
    """What was found out: what the network says of images, by split, and the labels."""

    method: Method
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


@dataclass(frozen=True)
class _Graphs:
    """What the graphs of the bundle turned out to be."""

    feature_map: FeatureMap | None
    proof: Proof
    gate: BundleGate | None


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
    weights: Weights | None = None,
    margin: float = MARGIN,
) -> ExportReport:
    """Make the bundle `out` of a trained checkpoint, and return what was made.

    `place` is other data than the recipe names; tensors are in `work`. `calibration`, and `gate`, a bundle's folder
    or a trained gate's file, and `weights`, their form, come before the recipe's. Where the form is not "float", it is
    judged: on validation images no AUC may change by more than `margin`. `recipe` is read instead of the one that the
    checkpoint records.
    Only with `final` the test images are opened, and measured, and those of the splits that the recipe names besides,
    and their maps, where it names boxes; and only where the work folder has an audit of the same data that passes: else
    it raises AuditError, or DataError where there is none. Raises ExportError where a graph does not give what the
    network gives, and where a form of the weights is not proved harmless; CheckpointError, SettingsError, DataError and
    BundleError for what cannot be used. `out` is then as it was.
    """
    source = open_source(checkpoint, place, work, gate, recipe, weights)
    if final:
        require_audit(source.records, work)
    method = calibration or source.recipe.export.calibration
    boxes = boxes_of(source.recipe, place, source.records) if final else None
    with in_place_of(out) as folder:
        parts = load_splits(source, _splits(source, final))
        graphs = _write_graphs(source, parts[VALID], folder)
        form = put_form(source, parts, folder, margin)
        measured = _measure(source, method, form.scored)
        refused = golden_refused(_write(source, measured, graphs, form.document, folder, boxes))
    remarks = [remark for fitted in measured.labels for remark in fitted.remarks]
    told = [*measured.remarks, *remarks, *(graphs.gate.warnings if graphs.gate else ())]
    return ExportReport(load_bundle(out), measured.labels, graphs.proof, [*told, _GOLDEN_REFUSED] if refused else told)


def _splits(source: ExportSource, final: bool) -> list[str]:
    return list(dict.fromkeys([VALID, TEST, *source.recipe.evaluation.also] if final else [VALID]))


def _measure(source: ExportSource, method: Method, scored: dict[str, Scored]) -> _Measured:
    """Fit the labels to what the network says of the validation images."""
    data, rule = source.recipe.data, source.recipe.export.operating_points
    return _Measured(method, scored, fit_labels(scored[VALID], method, data.balance_sources, rule))


def _write_graphs(source: ExportSource, valid: ImageSplit, folder: Path) -> _Graphs:
    """Write the golden image and all graphs, and prove them."""
    pooled = needs_features(source.gate, source.plan)
    feature_map = write_classifier(source.trained, folder, pooled=pooled)
    golden = write_golden(folder, classifier_input(source.trained), source.recipe.export.golden)
    shown = np.concatenate([sample(valid.tensors), golden])
    proof = prove(folder, source.trained.network, shown, feature_map)
    work = GateWork(source.recipe, source.trained, source.records, source.work, valid, source.plan)
    return _Graphs(feature_map, proof, put_gate(source.gate, folder, work) if source.gate else None)


def _write(
    source: ExportSource,
    measured: _Measured,
    graphs: _Graphs,
    form: FormDocument | None,
    folder: Path,
    boxes: Path | None,
) -> Bundle:
    """Write card and description, with what the bundle achieves on each split that was opened."""
    image = classifier_input(source.trained)
    inputs: Inputs = {"classifier": image} | ({"gate": graphs.gate.graph} if graphs.gate else {})
    draft = _draft(source, measured, graphs, form)
    bundle = drafted_bundle(folder, draft, inputs)
    known = _origins(source)
    splits = {
        split: bundle_metrics(as_shipped(scored, measured.labels, _accepted(bundle, scored), known))
        for split, scored in measured.scored.items()
    }
    metrics = with_headline(splits, [label.name for label in draft.labels])
    localisation = bundle_localisation(bundle, source.records, boxes) if boxes else None
    labels = marked_weak(draft.labels, metrics)
    whole = replace(draft, metrics=metrics, labels=labels, localisation=localisation)
    (folder / CARD).write_text(render_card(whole, image, source.author), encoding="utf-8", newline="\n")
    return write_bundle(folder, whole, inputs)


def _draft(source: ExportSource, measured: _Measured, graphs: _Graphs, form: FormDocument | None) -> Draft:
    """Return all that the bundle says of itself but what it achieves."""
    asked, gate = source.recipe.export, graphs.gate
    return Draft(
        name=source.recipe.name.lower(),
        version=asked.version,
        title=asked.title or source.recipe.name,
        licence=Licence(weights=asked.licence_weights, data=asked.licence_data),
        labels=[fitted.label for fitted in measured.labels],
        gate=gate.settings if gate else None,
        gradient=True,
        feature_map=graphs.feature_map,
        features=bool(gate and gate.features),
        expects=expects_of(asked.expects),
        provenance=provenance(
            source.trained,
            source.recipe,
            source.records,
            measured.labels,
            measured.method,
            graphs.proof,
            measured.remarks,
            gate.origin if gate else None,
            audit_of(source.records, source.work),
            form,
        ),
    )


def _origins(source: ExportSource) -> Origins:
    """Where all images are from, which are those of the training."""
    records, data = source.records, source.recipe.data
    named = {name: collection_of(data, name) for name in {record.source for record in records}}
    return origins(records, learned_from(recorded(records, data)), records, named)


def _accepted(bundle: Bundle, scored: Scored) -> NDArray[np.bool_] | None:
    """Which images of a split users would see findings of; None where the bundle has no gate."""
    if bundle.description.gate is None:
        return None
    return score_bundle(bundle, scored.records, workers=None).accepted
