"""`sitegen explain`: where the classifier looked, as a picture."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sitegen.cli._options import BundleOption, choice, chosen_bundle
from sitegen_runtime.maps.colour_maps import COLOUR_MAPS
from sitegen_runtime.maps.methods import GRAD_CAM, METHODS
from sitegen_runtime.pixels.corrections import CORRECTIONS

if TYPE_CHECKING:
    from sitegen_runtime.document_types import ResultDocument


def explain(
    image: Annotated[Path, typer.Argument(metavar="IMAGE", help="A PNG, JPEG, WebP or DICOM file.")],
    finding: Annotated[
        str, typer.Option("--finding", metavar="LABEL", help='The label to explain; "all" for the sum of all.')
    ],
    out: Annotated[Path, typer.Option("-o", "--out", metavar="OUT.png", help="The file to write.")],
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
    """Draw over an image what made the classifier say what it says. Exit code 1 where there is no map."""
    from sitegen.errors import ExplanationError, SettingsError
    from sitegen.prediction import Predictor
    from sitegen.prediction.explained_picture import ExplainedPicture
    from sitegen.prediction.reading import read_image_file
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
    wanted = [{"finding": finding, "method": method}]
    explained = predictor.explain(image, wanted, force=force, correction=correction)
    if not explained.maps:
        raise ExplanationError(f"{image} cannot be explained. {_reason(explained.document)}")
    cells = predictor.model.graphs["classifier"].images[0].cells
    drawn = ExplainedPicture(read_image_file(image), explained, cells)
    drawn.save(out, look)
    entry = explained.document["explanations"][0]
    typer.echo(f"written  {out}: {method} of {finding}, from {entry['min']:.4g} to {entry['max']:.4g}")
    typer.echo(f"         {drawn.words['place']}")
    typer.echo("Not for diagnostic use.")


def _reason(document: "ResultDocument") -> str:
    if "error" in document:
        return str(document["error"]["message"])
    if not document["explanations"]:
        reason = document["gate"]["reason"] if document["gate"] else None
        return f"The gate refused it: {reason} Use --force to explain it all the same."
    return str(document["explanations"][0]["error"]["message"])
