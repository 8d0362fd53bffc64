"""`sitegen explain`: where the classifier looked, as a picture."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sitegen.cli._options import BundleOption, choice, chosen_bundle
from sitegen_runtime.maps.colour_maps import COLOUR_MAPS
from sitegen_runtime.maps.methods import GRAD_CAM, METHODS
from sitegen_runtime.pixels.corrections import CORRECTIONS

if TYPE_CHECKING:
    from sitegen.prediction import Predictor
    from sitegen_runtime.document_types import ResultDocument
    from sitegen_runtime.maps.heat_map import Look


def explain(
    image: Annotated[Path, typer.Argument(metavar="IMAGE", help="A PNG, JPEG, WebP or DICOM file.")],
    finding: Annotated[
        str | None, typer.Option("--finding", metavar="LABEL", help='The label to explain; "all" for the sum of all.')
    ] = None,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", metavar="OUT.png", help="The file to write; .json with --what-if.")
    ] = None,
    what_if: Annotated[
        Path | None,
        typer.Option(
            "--what-if",
            metavar="FILE.json",
            help="Instead of a map: what changes where parts of the image are replaced; see docs/effects.md.",
        ),
    ] = None,
    method: Annotated[str, choice("--method", METHODS, "How; see docs/explanations.md.")] = GRAD_CAM,
    bundle: BundleOption = None,
    opacity: Annotated[float | None, typer.Option(help="Of the strongest place: above 0, up to 1.")] = None,
    colour_map: Annotated[str | None, choice("--colour-map", COLOUR_MAPS, "From weak to strong.")] = None,
    threshold: Annotated[
        float | None, typer.Option(help="Weaker places than this share of the strongest are transparent.")
    ] = None,
    blur: Annotated[int | None, typer.Option(help="Radius in pixels of the map's picture; 0 for none.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Explain an image that the gate refuses, too.")] = False,
    correction: Annotated[
        str | None,
        choice("--correction", CORRECTIONS, "Turn the image clockwise by so many degrees, or invert it, before."),
    ] = None,
) -> None:
    """Draw over an image what made the classifier say what it says, or try what else it would say. Exit code 1 where
    there is no map, or an intervention cannot be tried.
    """
    from sitegen.cli._what_if import tell_what_if
    from sitegen.errors import SettingsError
    from sitegen.prediction import Predictor

    options: dict[str, Any] = {"force": force, "correction": correction}
    if what_if is not None:
        if finding is not None:
            raise SettingsError("--what-if tells of all findings: leave --finding out.")
        tell_what_if(Predictor(chosen_bundle(bundle)), image, what_if, out, **options)
        return
    if finding is None or out is None:
        raise SettingsError("Name --finding LABEL and -o OUT.png for a map, or --what-if FILE.json.")
    given = {"opacity": opacity, "colour_map": colour_map, "threshold": threshold, "blur": blur}
    look = _look({key: value for key, value in given.items() if value is not None})
    if out.suffix.lower() != ".png":
        raise SettingsError(f"{out} does not end in .png, which is what is written. Name another file.")
    _draw(Predictor(chosen_bundle(bundle)), image, {"finding": finding, "method": method}, out, look, options)


def _look(given: dict[str, Any]) -> "Look":
    from sitegen.errors import SettingsError
    from sitegen_runtime.errors import BadExplanation
    from sitegen_runtime.maps.heat_map import Look

    try:
        return Look.read(given)
    except BadExplanation as error:
        raise SettingsError(str(error)) from error


def _draw(
    predictor: "Predictor", image: Path, wanted: dict[str, str], out: Path, look: "Look", options: dict[str, Any]
) -> None:
    from sitegen.errors import ExplanationError, SettingsError
    from sitegen.prediction.explained_picture import ExplainedPicture
    from sitegen.prediction.reading import read_image_file

    finding, method = wanted["finding"], wanted["method"]
    labels = [label.name for label in predictor.model.labels]
    if finding not in (*labels, "all"):
        raise SettingsError(f"The model has no finding {finding!r}. It has {', '.join(map(repr, labels))}, and 'all'.")
    explained = predictor.explain(image, [wanted], **options)
    if not explained.maps:
        raise ExplanationError(f"{image} cannot be explained. {_reason(explained.document)}")
    grid = predictor.model.graphs["classifier"].images[0].grid
    drawn = ExplainedPicture(read_image_file(image), explained, grid)
    drawn.save(out, look)
    entry = explained.document["explanations"][0]
    typer.echo(f"written  {out}: {method} of {finding}, from {entry['min']:.4g} to {entry['max']:.4g}")
    typer.echo(f"         {drawn.words['place']}")
    if drawn.words["made"]:
        typer.echo(f"         {drawn.words['made']}")
    typer.echo("Not for diagnostic use.")


def _reason(document: "ResultDocument") -> str:
    if "error" in document:
        return str(document["error"]["message"])
    if not document["explanations"]:
        reason = document["gate"]["reason"] if document["gate"] else None
        return f"The gate refused it: {reason} Use --force to explain it all the same."
    return str(document["explanations"][0]["error"]["message"])
