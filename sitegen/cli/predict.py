"""`sitegen predict`: what the page would say, computed here."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sitegen.cli._options import BundleOption, choice, chosen_bundle
from sitegen.cli._terminal import one_line
from sitegen_runtime.maps.methods import METHODS
from sitegen_runtime.pixels.corrections import CORRECTIONS

if TYPE_CHECKING:
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
    from sitegen.prediction import Predictor

    wanted = [_wanted(text) for text in explain or ()]
    predictor = Predictor(chosen_bundle(bundle))
    options: dict[str, Any] = {"force": force, "correction": correction}

    def analysed(path: Path) -> "ResultDocument":
        if wanted:
            return predictor.explain(path, wanted, values=explain_values, **options).document
        return predictor.predict(path, **options)

    failed = False
    with _counted(len(images), as_json) as count:
        for path in images:
            document = analysed(path)
            # One by one: what is done stays done, whatever comes after it. JSON is ASCII, which every pipe takes.
            typer.echo(json.dumps(document) if as_json else _told(document, predictor.model))
            failed |= any("error" in entry for entry in (document, *document.get("explanations", ())))
            count()
    if failed:
        raise typer.Exit(1)


@contextmanager
def _counted(total: int, as_json: bool) -> Iterator[Callable[[], None]]:
    """Show how many images are done, and say so in the end, also where it is Ctrl+C that ends it."""
    from sitegen.cli._progress import progress

    done = 0
    with progress(total) as bar:
        task = bar.add_task("Analysing", total=total)

        def count() -> None:
            nonlocal done
            done += 1
            bar.advance(task)

        try:
            yield count
        except KeyboardInterrupt:
            bar.stop()
            typer.echo(f"Stopped after {done} of {total} images; what is printed is complete.", err=True)
            raise typer.Exit(1) from None
        finally:
            bar.stop()
            if not as_json:
                typer.echo("Not for diagnostic use.")


def _wanted(text: str) -> dict[str, str]:
    """Read METHOD:LABEL. A label may hold colons itself; whether the model has it, the document says."""
    method, colon, finding = text.partition(":")
    if not colon or not finding or method not in METHODS:
        known = ", ".join(METHODS)
        raise typer.BadParameter(f"{text!r} is not METHOD:LABEL. The methods are {known}.", param_hint="--explain")
    return {"finding": finding, "method": method}


def _told(document: "ResultDocument", model: "Model") -> str:
    """Return what is said of an image: its name, and below it, indented, the outcome and the findings."""
    from sitegen_runtime.wording.results import describe

    wording = describe(document, model)
    findings = [
        f"{entry['label']}: {entry['percent']}, {entry['verdict']}{'. ' + entry['weak'] if entry['weak'] else ''}"
        for entry in wording["findings"]
    ]
    offers = wording["gate"]["offers"] if wording["gate"] else []
    tries = [f"{offer['message']} Try --correction {offer['correction']}." for offer in offers]
    seen = [wording["seen"]["text"]] if wording["seen"] else []
    explanations = [_explanation(entry) for entry in document.get("explanations", ())]
    lines = [wording["headline"], *wording["details"], *seen, *tries, *findings, *explanations]
    return "\n  ".join([one_line(document["image"]["name"]), *map(one_line, lines)]) + "\n"


def _explanation(entry: "ExplanationDocument") -> str:
    named = f"{entry['method']} of {entry['finding']}"
    if "error" in entry:
        return f"{named}: {entry['error']['message']}"
    rows, columns = entry["shape"]
    return f"{named}: {rows} x {columns} values from {entry['min']:.4g} to {entry['max']:.4g}"
