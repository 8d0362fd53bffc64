"""`sitegen evaluate localisation`: does the worst patch, or a heat map's strongest, overlap the anomaly?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sitegen.cli._options import FiguresOption, ResamplesOption, require_training
from sitegen.cli._reports import check_place, show, tell_left_out, tell_written, write_figures
from sitegen.errors import DataError, SettingsError

if TYPE_CHECKING:
    from rich.table import Table

    from sitegen.evaluation.anomaly.document_types import LocalisationStudyDocument
    from sitegen.evaluation.anomaly.localisation import Window
    from sitegen.evaluation.anomaly.regions import Anomaly


def localisation(
    distances: Annotated[
        Path | None, typer.Option(metavar="CSV", help="Distances with worst patches, of `evaluate reconstructions`.")
    ] = None,
    heat_maps: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Instead, heat maps of the images: the brighter, the stronger.")
    ] = None,
    images: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Instead, images, with --bundle: maps of its findings are made.")
    ] = None,
    bundle: Annotated[Path | None, typer.Option(metavar="DIR", help="With --images: the model's bundle.")] = None,
    method: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="With --images: of explanation. Repeatable; grad-cam.")
    ] = None,
    finding: Annotated[
        str | None, typer.Option(metavar="LABEL", help="With --images: this one; else each image's most probable.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="With --images: those that the gate refuses, too.")] = False,
    boxes: Annotated[
        Path | None, typer.Option(metavar="CSV", help="Boxes around the anomalies; see docs/explanation-evaluation.md.")
    ] = None,
    masks: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Instead, masks of the same names: above 0 is the anomaly.")
    ] = None,
    patch: Annotated[int, typer.Option(min=1, help="Of heat maps: pixels along the side of a patch.")] = 32,
    stride: Annotated[int, typer.Option(min=1, help="With --heat-maps: pixels from one patch to the next.")] = 1,
    resamples: ResamplesOption = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Of resamples.")] = 0,
    json_file: FiguresOption = None,
) -> None:
    """Measure how often the worst patch overlaps the anomaly, beside chance: a patch anywhere."""
    require_training()
    from sitegen.evaluation.anomaly.localisation import localise

    check_place(json_file)
    if images:
        windows, first = _explained(
            images, bundle, (distances, heat_maps), method or ["grad-cam"], patch, finding, force
        )
    else:
        windows, first = _windows(distances, heat_maps, patch, stride)
    anomalies, second = _anomalies(boxes, masks)
    document = localise(windows, anomalies, (first, second), resamples, seed)
    write_figures(json_file, document)
    show([_table(document)])
    typer.echo(
        f"{document['without_anomaly']} image(s) have no anomaly there, {len(document['without_window'])} anomalies no "
        "image; they are left out.",
        err=True,
    )
    tell_written(json_file)
    typer.echo("Not for diagnostic use.")


def _explained(
    images: Path,
    bundle: Path | None,
    others: tuple[Path | None, ...],
    methods: list[str],
    patch: int,
    finding: str | None,
    force: bool,
) -> "tuple[dict[str, list[Window]], str]":
    from sitegen.evaluation.anomaly.explained import of_explanations

    if bundle is None or any(others):
        raise SettingsError("--images go with --bundle DIR, and with neither --distances nor --heat-maps.")
    explained = of_explanations(bundle, images, methods, patch, finding=finding, force=force)
    tell_left_out({"unreadable": explained.problems})
    return explained.windows, images.name


def _windows(
    distances: Path | None, heat_maps: Path | None, patch: int, stride: int
) -> "tuple[dict[str, list[Window]], str]":
    from sitegen.evaluation.anomaly.localisation import of_heat_maps, of_table
    from sitegen.evaluation.reconstructions.patches import Patches
    from sitegen.evaluation.reconstructions.planes import PlaneProblem

    if distances and not heat_maps:
        return dict(of_table(distances)), distances.name
    if not heat_maps or distances:
        raise SettingsError("Name one of --distances CSV, --heat-maps DIR, and --images DIR with --bundle DIR.")
    try:
        return {"heat map": of_heat_maps(heat_maps, Patches(patch, stride))}, heat_maps.name
    except PlaneProblem as problem:
        raise DataError(str(problem)) from problem


def _anomalies(boxes: Path | None, masks: Path | None) -> "tuple[dict[str, Anomaly], str]":
    from sitegen.evaluation.anomaly.regions import of_boxes, of_masks
    from sitegen.evaluation.reconstructions.planes import PlaneProblem

    if boxes and not masks:
        return of_boxes(boxes), boxes.name
    if not masks or boxes:
        raise SettingsError("Name either --boxes CSV or --masks DIR.")
    try:
        return of_masks(masks), masks.name
    except PlaneProblem as problem:
        raise DataError(str(problem)) from problem


def _table(document: "LocalisationStudyDocument") -> "Table":
    from sitegen.evaluation.report.page import interval
    from sitegen.evaluation.report.terminal import table

    columns = ("images", "overlap (95 %)", "± SD", "by chance", "above chance (95 %)")
    made = table(f"Worst patches of {document['windows']} in {document['anomalies']}", "chosen by", *columns)
    for each in document["localised"]:
        shares = (interval(each["hits"]), f"{each['deviation']:.3f}", f"{each['chance']:.3f}")
        made.add_row(each["distance"], str(each["images"]), *shares, interval(each["above_chance"]))
    return made
