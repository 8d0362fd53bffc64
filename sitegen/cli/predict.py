"""`sitegen predict`: what the page would say, computed here."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sitegen.cli._options import BundleOption, choice, chosen_bundle
from sitegen_runtime.maps.methods import METHODS
from sitegen_runtime.pixels.corrections import CORRECTIONS

if TYPE_CHECKING:
    from rich.table import Table

    from sitegen_runtime.bundle.model import Model
    from sitegen_runtime.document_types import ExplanationDocument, ResultDocument


def predict(
    images: Annotated[list[Path], typer.Argument(metavar="IMAGE...", help="PNG, JPEG, WebP or DICOM files.")],
    bundle: BundleOption = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a result document a line, in the order given.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Classify images that the gate refuses, too.")] = False,
    correction: Annotated[
        str | None,
        choice("--correction", CORRECTIONS, "Turn the images clockwise by so many degrees, or invert them, before."),
    ] = None,
    explain: Annotated[
        list[str] | None,
        typer.Option(
            "--explain",
            metavar="METHOD:LABEL",
            help='Add an explanation, such as grad-cam:Pneumonia or saliency:all, to "explanations". Repeatable.',
        ),
    ] = None,
    explain_values: Annotated[
        bool, typer.Option("--explain-values", help="Give the values of each explanation, too.")
    ] = False,
) -> None:
    """Analyse images with native ONNX Runtime. Exit code 1 where an image, or an explanation, failed; the others are
    done.
    """
    from rich.console import Console

    from sitegen.prediction import Predictor

    wanted = [_wanted(text) for text in explain or ()]
    predictor = Predictor(chosen_bundle(bundle))
    options: dict[str, Any] = {"force": force, "correction": correction}

    def analysed(path: Path) -> "ResultDocument":
        if wanted:
            return predictor.explain(path, wanted, values=explain_values, **options).document
        return predictor.predict(path, **options)

    documents = []
    for document in _documents(images, analysed):
        documents.append(document)
        if as_json:
            typer.echo(json.dumps(document))  # in ASCII, which every terminal and pipe takes
    if not as_json:
        # Names of files are no markup, whatever brackets they hold.
        Console(markup=False, emoji=False, highlight=False).print(_table(documents, predictor.model))
        typer.echo("Not for diagnostic use.")
    explanations = (entry for document in documents for entry in document.get("explanations", ()))
    if any("error" in entry for entry in (*documents, *explanations)):
        raise typer.Exit(1)


def _wanted(text: str) -> dict[str, str]:
    """Read METHOD:LABEL. A label may hold colons itself; whether the model has it, the document says."""
    method, colon, finding = text.partition(":")
    if not colon or not finding or method not in METHODS:
        known = ", ".join(METHODS)
        raise typer.BadParameter(f"{text!r} is not METHOD:LABEL. The methods are {known}.", param_hint="--explain")
    return {"finding": finding, "method": method}


def _documents(images: list[Path], analysed: Callable[[Path], "ResultDocument"]) -> Iterator["ResultDocument"]:
    from rich.progress import track

    from sitegen.cli._progress import stderr_console

    for path in track(images, "Analysing", console=stderr_console(), disable=len(images) < 2, transient=True):
        yield analysed(path)


def _table(documents: list["ResultDocument"], model: "Model") -> "Table":
    from rich.table import Table

    from sitegen_runtime.wording.results import describe

    table = Table("image", "outcome", "findings")
    for document in documents:
        wording = describe(document, model)
        findings = [
            f"{entry['label']}: {entry['percent']}, {entry['verdict']}{'. ' + entry['weak'] if entry['weak'] else ''}"
            for entry in wording["findings"]
        ]
        offers = wording["gate"]["offers"] if wording["gate"] else []
        tries = [f"{offer['message']} Try --correction {offer['correction']}." for offer in offers]
        seen = [wording["seen"]["text"]] if wording["seen"] else []
        outcome = "\n".join([wording["headline"], *wording["details"], *seen, *tries])
        explanations = [_explanation(entry) for entry in document.get("explanations", ())]
        table.add_row(document["image"]["name"], outcome, "\n".join([*findings, *explanations]) or "none")
    return table


def _explanation(entry: "ExplanationDocument") -> str:
    named = f"{entry['method']} of {entry['finding']}"
    if "error" in entry:
        return f"{named}: {entry['error']['message']}"
    rows, columns = entry["shape"]
    return f"{named}: {rows} x {columns} values from {entry['min']:.4g} to {entry['max']:.4g}"
