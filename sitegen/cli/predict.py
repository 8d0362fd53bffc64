"""`sitegen predict`: what the page would say, computed here."""

import json
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sitegen.cli.options import BundleOption, chosen_bundle

if TYPE_CHECKING:
    from rich.table import Table

    from sitegen.prediction import Predictor
    from sitegen_runtime.gate_settings import Gate


class Correction(StrEnum):
    """What can be done to an image before it is analysed, as the page offers it."""

    TURN_90 = "turn-90"
    TURN_180 = "turn-180"
    TURN_270 = "turn-270"
    INVERT = "invert"


def predict(
    images: Annotated[list[Path], typer.Argument(metavar="IMAGE...", help="PNG, JPEG or WebP files.")],
    bundle: BundleOption = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a result document a line, in the order given.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Classify images that the gate refuses, too.")] = False,
    correction: Annotated[
        Correction | None,
        typer.Option("--correction", help="Turn the images clockwise by so many degrees, or invert them, before."),
    ] = None,
) -> None:
    """Analyse images with native ONNX Runtime. Exit code 1 where an image failed; the others are done."""
    from rich.console import Console

    from sitegen.prediction import Predictor

    predictor = Predictor(chosen_bundle(bundle))
    documents = []
    for document in _documents(predictor, images, force, correction):
        documents.append(document)
        if as_json:
            typer.echo(json.dumps(document))  # in ASCII, which every terminal and pipe takes
    if not as_json:
        # Names of files are no markup, whatever brackets they hold.
        Console(markup=False, emoji=False, highlight=False).print(_table(documents, predictor.model.gate))
        typer.echo("Not for diagnostic use.")
    if any("error" in document for document in documents):
        raise typer.Exit(1)


def _documents(
    predictor: "Predictor", images: list[Path], force: bool, correction: Correction | None
) -> Iterator[dict[str, Any]]:
    from rich.progress import track

    from sitegen.cli.progress import stderr_console

    for path in track(images, "Analysing", console=stderr_console(), disable=len(images) < 2, transient=True):
        yield predictor.predict(path, force=force, correction=correction.value if correction else None)


def _table(documents: list[dict[str, Any]], gate: "Gate | None") -> "Table":
    from rich.table import Table

    from sitegen_runtime.wording import describe

    table = Table("image", "outcome", "findings")
    for document in documents:
        wording = describe(document, gate)
        findings = [f"{entry['label']}: {entry['percent']}, {entry['verdict']}" for entry in wording["findings"]]
        offers = wording["gate"]["offers"] if wording["gate"] else []
        tries = [f"{offer['message']} Try --correction {offer['correction']}." for offer in offers]
        outcome = "\n".join([wording["headline"], *wording["details"], *tries])
        table.add_row(document["image"]["name"], outcome, "\n".join(findings) or "none")
    return table
