"""`sitegen evaluate explanations`: what maps of a model are worth, measured."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from sitegen.cli._options import FiguresOption, ResamplesOption, require_training
from sitegen.cli._reports import check_place, show, tell_left_out, tell_written, write_figures, write_report


def explanations(
    images: Annotated[
        list[Path] | None, typer.Argument(metavar="IMAGE|DIR...", help="Image files, or folders of them.")
    ] = None,
    report: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="Write the report here, as HTML.")] = Path(
        "explanations.html"
    ),
    bundle: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The model's bundle; the one that ships by default.")
    ] = None,
    model: Annotated[
        Path | None, typer.Option(metavar="CHECKPOINT", help="A trained classifier, instead of a bundle.")
    ] = None,
    methods: Annotated[
        str | None, typer.Option(metavar="NAME,NAME", help="These methods alone, separated by commas.")
    ] = None,
    finding: Annotated[
        str | None, typer.Option(metavar="LABEL", help="The finding to explain; each image's most probable by default.")
    ] = None,
    planted: Annotated[
        int, typer.Option(metavar="COUNT", min=0, help="Train on planted marks, and explain so many images with one.")
    ] = 0,
    boxes: Annotated[
        Path | None,
        typer.Option(metavar="CSV", help="Compare maps with boxes that radiologists drew, and do nothing else."),
    ] = None,
    split: Annotated[
        str | None, typer.Option(metavar="NAME", help='Of the boxes; "test" where they have splits, or "all".')
    ] = None,
    all_parts: Annotated[
        bool, typer.Option("--all-parts", help="With --boxes: curves, agreement and the sanity check, too.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Explain images that the gate refuses, too.")] = False,
    every_image: Annotated[
        bool, typer.Option("--every-image", help="Draw curves also where the model says no.")
    ] = False,
    steps: Annotated[int, typer.Option(min=2, help="Of the curves of deletion and insertion.")] = 10,
    sanity_images: Annotated[
        int, typer.Option(min=0, help="Images of the sanity check, the first ones; 0 leaves it out.")
    ] = 8,
    sanity_draws: Annotated[int, typer.Option(min=1, help="How often weights are drawn anew for it.")] = 2,
    stages: Annotated[int, typer.Option(min=2, help="Groups of layers that lose their weights together.")] = 8,
    resamples: ResamplesOption = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Of random weights, maps, noise and resamples.")] = 0,
    json_file: FiguresOption = None,
) -> None:
    """Measure explanations: sanity check, deletion, insertion, ROAD, agreement; with --planted a known answer.

    With --boxes: do maps find what radiologists drew boxes around, and better than pointing at its usual place?

    Without IMAGES, --planted says on how many synthetic images a small network, trained here, is explained.
    """
    require_training()
    from sitegen import resources
    from sitegen.evaluation.explanations.document import How
    from sitegen.evaluation.explanations.page import as_html, as_tables
    from sitegen.evaluation.explanations.study import Study, study

    for path in (report, json_file):
        check_place(path)
    chosen = _chosen(bundle, model) or (None if planted else resources.default_bundle())
    named = [name.strip() for name in methods.split(",")] if methods else None
    asked = Study(
        images or (), chosen, planted, named, finding, force, every_image, sanity_images, sanity_draws, stages,
        boxes, split, all_parts, How(steps, resamples, seed),
    )  # fmt: skip
    document = study(asked)
    write_figures(json_file, document)
    write_report(report, as_html(document))
    show(as_tables(document))
    _remarks(document)
    tell_written(report, json_file)
    typer.echo("Not for diagnostic use.")


def _chosen(bundle: Path | None, model: Path | None) -> Path | None:
    from sitegen.errors import SettingsError

    if bundle and model:
        raise SettingsError("Name one model: either --bundle or --model.")
    return bundle or model


def _remarks(document: Mapping[str, Any]) -> None:
    from sitegen.evaluation.explanations.localisation.page import remarks_of

    if document["localisation"]:
        for remark in remarks_of(document["localisation"]):
            typer.echo(remark, err=True)
        if not document["methods"]:
            typer.echo(
                "Curves, agreement and the sanity check were left out; with --all-parts they are made.", err=True
            )
    for missing in document["unavailable"]:
        typer.echo(f"{missing['name']} is not measured: {missing['reason']}", err=True)
    tell_left_out(document)
    if document["methods"] and document["with_curves"] < document["images"]:
        typer.echo(
            f"The model says yes on {document['with_curves']} of {document['images']} images; curves are of these.",
            err=True,
        )
