"""From a model that was read to a bundle: graphs with gradients, proof, gate, card, and a report beside it.

The bundle is made in a folder beside the target and put there at the end, so that nothing that failed is ever in place.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sitegen.bundle import CARD, DESCRIPTION, Bundle, Graph, Licence, load_bundle
from sitegen.errors import BundleError, DataError, ExportError, SettingsError
from sitegen.export.card_text import read_author
from sitegen.export.golden import golden_refused, write_golden
from sitegen.export.swap import in_place_of
from sitegen.export.write_bundle import Draft, write_bundle
from sitegen.gate.taken import TakenGate, take_gate
from sitegen.graphs.weight_forms import Weights
from sitegen.importing.card import render_card
from sitegen.importing.graphs import (
    GradientGraphs,
    without_gradients,
    write_gradient_graphs,
)
from sitegen.importing.proof.document_types import PreprocessingDocument
from sitegen.importing.proof.gradients import GradientDefect
from sitegen.importing.proof.preprocessing import compare_preprocessing
from sitegen.importing.proof.proof import Proof, prove
from sitegen.importing.proof.sample_images import SampleImages, sample_images
from sitegen.importing.report.document import import_document, import_provenance
from sitegen.importing.report.document_types import ImportDocument
from sitegen.importing.report.page import as_html
from sitegen.importing.settings import ImportSettings
from sitegen.importing.source import ImportedClassifier
from sitegen.importing.stored_weights import StoredWeights, check_form, store_weights
from sitegen.settings.expects import expects_of
from sitegen_runtime.bundle.model import NetworkInput

Say = Callable[[str], None]
COSTLY = 5.0  # percentage points of any label, that preparing images in another way may change
_NO_CARD = "{path} cannot be read: {error}. The settings name it as card."
_GOLDEN_REFUSED = (
    "The gate refuses the example image, a drawn chest radiograph. Look at whether it suits this model's images."
)


@dataclass(frozen=True)
class ImportReport:
    """A bundle that was imported, its proof, the document of its report, where that lies, and sentences for people."""

    bundle: Bundle
    proof: Proof
    document: Mapping[str, Any]
    report: Path
    warnings: Sequence[str]


@dataclass(frozen=True)
class _Made:
    """What the files of a bundle turned out to be."""

    graphs: GradientGraphs
    proof: Proof
    stored: StoredWeights | None
    gate: TakenGate | None
    preprocessing: PreprocessingDocument | None


def import_bundle(
    model: ImportedClassifier,
    out: Path,
    settings: ImportSettings,
    *,
    gate: Path | None,
    images: Sequence[Path],
    report: Path | None,
    weights: Weights = "float",
    force: bool = False,
    say: Say = lambda stage: None,
) -> ImportReport:
    """Make the bundle `out` of a model, prove it, write the report, and return what was made.

    `gate` is another bundle, whose gate is taken over; `images` are files or folders to prove the import on, synthetic
    ones if there are none; `report` is an HTML file, `<name>-import.html` beside the bundle's folder by default; the
    same as data is written beside it as JSON. `weights` is the form that these are put into. `force` lets a model pass
    to which sitegen's way of preparing images does more than COSTLY. `say` is told each stage.

    Raises ExportError where a graph does not give what the original gives; BundleError, DataError and SettingsError
    for what cannot be used. `out` is then as it was.
    """
    page = _page(report or out.resolve().parent / f"{model.name}-import.html")
    source = _open_gate(gate) if gate else None
    card = Path(settings.folder) / Path(settings.card).expanduser() if settings.card else None
    author = read_author(card, _NO_CARD)
    say("Reading images")
    given = sample_images(images, model.image)
    check_form(weights, given.synthetic)
    with in_place_of(out) as folder:
        made = _write(model, folder, given, source, weights, say)
        say("Writing the bundle")
        remarks = [*model.remarks, *made.graphs.remarks, *(made.gate.warnings if made.gate else ())]
        bundle = _finish(folder, model, settings, made, remarks, author)
        document = import_document(model, bundle, given, made.proof, made.stored, remarks, made.preprocessing)
        _check_cost(page, document, force)
        golden = [_GOLDEN_REFUSED] if golden_refused(bundle) else []
    _write_report(page, document)
    return ImportReport(load_bundle(out), made.proof, document, page, [*remarks, *golden])


def _check_cost(page: Path, document: ImportDocument, force: bool) -> None:
    """Raise ExportError, with the report in its place, where the preparation of images costs too much."""
    compared = document["preprocessing"]
    worst = max(compared["findings"], key=lambda entry: entry["largest"]) if compared and compared["findings"] else None
    if compared is None or worst is None or worst["largest"] <= COSTLY or force:
        return
    _write_report(page, document)
    closer = compared["suggested"]
    raise ExportError(
        f"The source prepares images in another way ({compared['described'].rstrip('.')}), and sitegen's way changes "
        f"the probability of {worst['label']} by up to {worst['largest']:.2g} percentage points; more than {COSTLY:g} "
        f"needs --force. {f'Closer is fraction = {closer:g} under [image]. ' if closer is not None else ''}The report "
        f"says more: {page}"
    )


def check_target(out: Path, name: str, *, force: bool) -> None:
    """Raise BundleError where `out` has a bundle of another model than `name`, unless `force` allows to replace it."""
    try:
        present = json.loads((out / DESCRIPTION).read_bytes()).get("name")
    except (OSError, ValueError, AttributeError):
        return  # nothing, or no bundle: `in_place_of` says what is to be said of that
    if present != name and not force:
        raise BundleError(
            f"{out} holds the bundle of another model, {present!r}; this one is {name!r}. Name another folder with -o, "
            "or replace it with --force."
        )


def _write(
    model: ImportedClassifier, folder: Path, given: SampleImages, gate: Bundle | None, weights: Weights, say: Say
) -> _Made:
    """Write all files but description and card."""
    say("Writing the classifier's graph")
    model.write(folder)
    say("Writing graphs of gradients")
    graphs = write_gradient_graphs(folder)
    shown = np.concatenate([given.tensors, write_golden(folder, model.image)])
    say("Running the original")
    try:
        proof = prove(folder, model.original, shown, graphs.feature_map, say)
    except GradientDefect as defect:
        graphs = without_gradients(folder, str(defect))
        proof = prove(folder, model.original, shown, None)
    stored = None
    if weights != "float":
        say(f"Putting weights into the form {weights}")
        graphs, stored = store_weights(folder, shown, proof, graphs, weights)
    compared = None
    if model.preparation:
        say("Comparing preprocessing")
        compared = compare_preprocessing(folder, model.preparation, given, model.image, model.labels)
    return _Made(graphs, proof, stored, take_gate(gate, folder) if gate else None, compared)


def _finish(
    folder: Path, model: ImportedClassifier, settings: ImportSettings, made: _Made, remarks: list[str], author: str
) -> Bundle:
    """Write the card and the bundle's description."""
    draft = Draft(
        name=model.name,
        version=settings.version,
        title=model.title,
        licence=Licence(weights=settings.licence_weights, data=settings.licence_data),
        labels=model.labels,
        gate=made.gate.settings if made.gate else None,
        gradient=made.graphs.gradient,
        feature_map=made.graphs.feature_map,
        expects=expects_of(settings.expects),
        provenance=import_provenance(model, made.proof, made.stored, made.gate, remarks, made.preprocessing),
    )
    inputs: dict[str, NetworkInput | Graph] = {"classifier": model.image}
    if made.gate:
        inputs["gate"] = made.gate.graph
    (folder / CARD).write_text(render_card(draft, model.image, author), encoding="utf-8", newline="\n")
    return write_bundle(folder, draft, inputs)


def _page(report: Path) -> Path:
    """The file of the report. Raises SettingsError where it can be none."""
    if report.suffix == ".json":
        raise SettingsError(f"{report} is where the report's figures go. Name an HTML file with --report.")
    if report.is_dir():
        raise SettingsError(f"{report} is a folder. Name an HTML file with --report.")
    return report


def _open_gate(folder: Path) -> Bundle:
    bundle = load_bundle(folder)
    if bundle.description.gate is None:
        raise SettingsError(f"The bundle {folder} has no gate. Name one that has, or leave out --gate.")
    return bundle


def _write_report(page: Path, document: Mapping[str, Any]) -> None:
    """Write the report and, beside it, its document as JSON."""
    text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    try:
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(as_html(document), encoding="utf-8", newline="\n")
        page.with_suffix(".json").write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise DataError(f"{page} cannot be written: {error.strerror}. Name another file with --report.") from error
