"""`sitegen evaluate explanations`: what maps of a model are worth, measured."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from sitegen.cli._options import require_training
from sitegen.cli._reports import check_place, write_report


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
    resamples: Annotated[int, typer.Option(min=20, help="Resamples of the patients, for intervals.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Of random weights, maps, noise and resamples.")] = 0,
    json_file: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write every figure here.")] = None,
) -> None:
    """Measure explanations: sanity check, deletion, insertion, ROAD, agreement; with --planted a known answer.

    Without IMAGES, --planted says on how many synthetic images a small network, trained here, is explained.
    """
    require_training()
    from rich.console import Console

    from sitegen import resources
    from sitegen.errors import SettingsError
    from sitegen.evaluation.explanations.document import How
    from sitegen.evaluation.explanations.page import as_html, as_tables
    from sitegen.evaluation.explanations.study import Study, study

    for path in (report, json_file):
        check_place(path)
    if bundle and model:
        raise SettingsError("Name one model: either --bundle or --model.")
    chosen = bundle or model or (None if planted else resources.default_bundle())
    named = [name.strip() for name in methods.split(",")] if methods else None
    asked = Study(
        images or (), chosen, planted, named, finding, force, every_image, sanity_images, sanity_draws, stages,
        How(steps, resamples, seed),
    )  # fmt: skip
    document = study(asked)
    if json_file:
        write_report(json_file, json.dumps(document, indent=1, allow_nan=False, ensure_ascii=False) + "\n")
    write_report(report, as_html(document))
    console = Console(markup=False, emoji=False, highlight=False)
    for table in as_tables(document):
        console.print(table)
    _remarks(document)
    for path in (report, json_file):
        if path:
            typer.echo(f"Wrote {path}.")
    typer.echo("Not for diagnostic use.")


def _remarks(document: dict[str, Any]) -> None:
    for missing in document["unavailable"]:
        typer.echo(f"{missing['name']} is not measured: {missing['reason']}", err=True)
    for problem in document["unreadable"]:
        typer.echo(f"left out: {problem['file']}: {problem['problem']}", err=True)
    if document["with_curves"] < document["images"]:
        typer.echo(
            f"The model says yes on {document['with_curves']} of {document['images']} images; curves are of these.",
            err=True,
        )
