"""`sitegen evaluate robustness`: how well models hold out against turned, moved and scaled images."""

from pathlib import Path
from typing import Annotated

import typer

from sitegen.cli._options import DataOption, WorkOption, require_training
from sitegen.cli._reports import check_place, show, tell_left_out, tell_written, write_figures, write_report


def robustness(
    checkpoints: Annotated[
        list[Path], typer.Argument(metavar="CHECKPOINT...", help="Classifiers, trained at rising augmentation.")
    ],
    data: DataOption = None,
    split: Annotated[str, typer.Option(help="The split of that data to judge on.")] = "test",
    external: Annotated[
        Path | None,
        typer.Option(metavar="DIR|CSV", help="Data that training never saw, for the right half of the matrices."),
    ] = None,
    external_recipe: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A recipe whose [data] says how the external data is to be read."),
    ] = None,
    repeats: Annotated[int, typer.Option(min=2, help="Random halves of the images, for the deviation.")] = 10,
    seed: Annotated[int, typer.Option(min=0, help="Of distortions, halves and resamples.")] = 0,
    work: WorkOption = None,
    json_file: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write all figures here.")] = None,
    html_file: Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write a report here.")] = None,
) -> None:
    """Judge models on distorted images: a matrix for each finding, models by levels of distortion."""
    require_training()
    from sitegen.evaluation.robustness.page import as_html, as_tables
    from sitegen.evaluation.robustness.study import Study, study
    from sitegen.metrics.resampling import Resampling

    for path in (json_file, html_file):
        check_place(path)
    resampling = Resampling(half_splits=repeats, seed=seed)
    document = study(Study(checkpoints, data, split, external, external_recipe, work, resampling))
    write_figures(json_file, document)
    if html_file:
        write_report(html_file, as_html(document))
    show(as_tables(document))
    tell_left_out(document)
    tell_written(json_file, html_file)
    typer.echo("Not for diagnostic use.")
