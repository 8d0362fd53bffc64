"""`sitegen explain`: where the classifier looked, as a picture."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sitegen.cli._options import BundleOption, ColourMap, Correction, Method, chosen_bundle

if TYPE_CHECKING:
    from sitegen_runtime.explanation import Explained
    from sitegen_runtime.maps.heat_map import Look


def explain(
    image: Annotated[Path, typer.Argument(metavar="IMAGE", help="A PNG, JPEG or WebP file.")],
    finding: Annotated[
        str, typer.Option("--finding", metavar="LABEL", help='The label to explain; "all" for the sum of all.')
    ],
    out: Annotated[Path, typer.Option("-o", "--out", metavar="OUT.png", help="The file to write.")],
    method: Annotated[Method, typer.Option("--method", help="How; see docs/explanations.md.")] = Method.GRAD_CAM,
    bundle: BundleOption = None,
    opacity: Annotated[float | None, typer.Option(help="Of the strongest place: above 0, up to 1.")] = None,
    colour_map: Annotated[ColourMap | None, typer.Option("--colour-map", help="From weak to strong.")] = None,
    threshold: Annotated[
        float | None, typer.Option(help="Weaker places than this share of the strongest are transparent.")
    ] = None,
    blur: Annotated[int | None, typer.Option(help="Radius in pixels of the map's picture; 0 for none.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Explain an image that the gate refuses, too.")] = False,
    correction: Annotated[
        Correction | None,
        typer.Option("--correction", help="Turn the image clockwise by so many degrees, or invert it, before."),
    ] = None,
) -> None:
    """Draw over an image what made the classifier say what it says. Exit code 1 where there is no map."""
    from sitegen.errors import ExplanationError, SettingsError
    from sitegen.prediction import Predictor
    from sitegen_runtime.errors import BadExplanation
    from sitegen_runtime.maps.heat_map import Look

    given = {"opacity": opacity, "colour_map": colour_map, "threshold": threshold, "blur": blur}
    try:
        look = Look.read({key: value for key, value in given.items() if value is not None})
    except BadExplanation as error:
        raise SettingsError(str(error)) from error
    if out.suffix.lower() != ".png":
        raise SettingsError(f"{out} does not end in .png, which is what is written. Name another file.")
    predictor = Predictor(chosen_bundle(bundle))
    labels = [label.name for label in predictor.model.labels]
    if finding not in (*labels, "all"):
        raise SettingsError(f"The model has no finding {finding!r}. It has {', '.join(map(repr, labels))}, and 'all'.")
    wanted = [{"finding": finding, "method": method.value}]
    correct = correction.value if correction else None
    explained = predictor.explain(image, wanted, force=force, correction=correct)
    if not explained.maps:
        raise ExplanationError(f"{image} cannot be explained. {_reason(explained.document)}")
    cells = predictor.model.graphs["classifier"].images[0].cells
    _write(image, out, explained, cells, look)
    entry = explained.document["explanations"][0]
    typer.echo(f"written  {out}: {method.value} of {finding}, from {entry['min']:.4g} to {entry['max']:.4g}")
    typer.echo("Not for diagnostic use.")


def _write(image: Path, out: Path, explained: "Explained", cells: int, look: "Look") -> None:
    """Write the picture with its legend; what it shows goes into the file, too, as text that programs can read."""
    import json

    from PIL.PngImagePlugin import PngInfo

    from sitegen.prediction.overlay import explained_image, with_legend

    document = explained.document
    notes = PngInfo()
    kept = ("image", "bundle", "engine", "correction", "forced")
    fields = {key: document[key] for key in kept if key in document} | document["explanations"][0]
    notes.add_itxt("sitegen.explanation", json.dumps(fields | {"look": vars(look)}))
    drawn = explained_image(image.read_bytes(), explained, explained.maps[0], cells, look)
    out.parent.mkdir(parents=True, exist_ok=True)
    with_legend(drawn, _lines(image, document), look).save(out, "PNG", pnginfo=notes)


def _lines(image: Path, document: dict[str, Any]) -> list[str]:
    from sitegen_runtime.maps.methods import FAILS_SANITY_CHECKS

    entry = document["explanations"][0]
    of = "all findings" if entry["finding"] == "all" else entry["finding"]
    lines = [f"{image.name}: {of}, by {entry['method']}. Not for diagnostic use."]
    if entry["method"] in FAILS_SANITY_CHECKS:
        lines.append("Guided methods fail sanity checks: the map hardly depends on what the model has learnt.")
    if document.get("forced"):
        lines.append("Forced: the gate refused this image.")
    if "correction" in document:
        lines.append(f"Before it was analysed: {document['correction']}.")
    return lines


def _reason(document: dict[str, Any]) -> str:
    if "error" in document:
        return str(document["error"]["message"])
    if not document["explanations"]:
        return f"The gate refused it: {document['gate']['reason']} Use --force to explain it all the same."
    return str(document["explanations"][0]["error"]["message"])
