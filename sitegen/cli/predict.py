"""`sitegen predict`: what the page would say, computed here."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sitegen.cli.options import BundleOption, chosen_bundle

if TYPE_CHECKING:
    from rich.table import Table


def predict(
    images: Annotated[list[Path], typer.Argument(metavar="IMAGE...", help="PNG, JPEG or WebP files.")],
    bundle: BundleOption = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a result document a line, in the order given.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Classify images that the gate refuses, too.")] = False,
) -> None:
    """Analyse images with native ONNX Runtime. Exit code 1 where an image failed; the others are done."""
    from rich.console import Console

    documents = []
    for document in _documents(images, bundle, force):
        documents.append(document)
        if as_json:
            typer.echo(json.dumps(document))  # in ASCII, which every terminal and pipe takes
    if not as_json:
        # Names of files are no markup, whatever brackets they hold.
        Console(markup=False, emoji=False, highlight=False).print(_table(documents))
        typer.echo("Not for diagnostic use.")
    if any("error" in document for document in documents):
        raise typer.Exit(1)


def _documents(images: list[Path], bundle: Path | None, force: bool) -> Iterator[dict[str, Any]]:
    from rich.progress import track

    from sitegen.cli.progress import stderr_console
    from sitegen.prediction import Predictor

    predictor = Predictor(chosen_bundle(bundle))
    for path in track(images, "Analysing", console=stderr_console(), disable=len(images) < 2, transient=True):
        yield predictor.predict(path, force=force)


def _table(documents: list[dict[str, Any]]) -> "Table":
    from rich.table import Table

    from sitegen_runtime.wording import describe

    table = Table("image", "outcome", "findings")
    for document in documents:
        wording = describe(document)
        findings = [f"{entry['label']}: {entry['percent']}, {entry['verdict']}" for entry in wording["findings"]]
        outcome = "\n".join([wording["headline"], *wording["details"]])
        table.add_row(document["image"]["name"], outcome, "\n".join(findings) or "none")
    return table
