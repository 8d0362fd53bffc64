"""`sitegen evaluate gate`: how well gates tell images that a model may judge from all others."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from sitegen.cli._options import DataOption, FiguresOption, ResamplesOption, require_training
from sitegen.cli._reports import check_place, show, tell_left_out, tell_written, write_figures, write_report


def gate(
    models: Annotated[
        list[Path], typer.Argument(metavar="BUNDLE|GATE...", help="Bundles' folders, and gate.pt files of training.")
    ],
    outside: Annotated[
        Path,
        typer.Option(metavar="DIR", help="Images out of distribution: with a manifest.csv, or a folder a category."),
    ],
    report: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="Write the report here, as HTML.")],
    data: DataOption = None,
    recipe: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Read the data as this recipe's [data] says.")
    ] = None,
    split: Annotated[str, typer.Option(help="The split of the data to measure, or all.")] = "test",
    half: Annotated[
        str, typer.Option(help="The half of the images outside: development, test, or all.")
    ] = "development",
    near: Annotated[
        list[str] | None,
        typer.Option(metavar="PATTERN", help="Categories near the training distribution; repeatable: derived_*"),
    ] = None,
    against: Annotated[
        str | None, typer.Option(metavar="DETECTOR", help='Test the others against this one, such as "ali ssim".')
    ] = None,
    projections: Annotated[
        list[Path] | None,
        typer.Option(metavar="CSV", help="The distances of sitegen project, as further rows. Repeatable."),
    ] = None,
    work: Annotated[Path, typer.Option(metavar="DIR", help="Keeps tensors.")] = Path("build/gate-evaluation"),
    gallery: Annotated[
        bool, typer.Option("--gallery", help="Show the easiest and hardest images; the report then contains them.")
    ] = False,
    resamples: ResamplesOption = 1000,
    permutations: Annotated[int, typer.Option(min=100, help="Exchanges of ranks, for tests.")] = 10_000,
    seed: Annotated[int, typer.Option(min=0, help="Of resamples and exchanges.")] = 0,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; all cores by default.")] = None,
    json_file: FiguresOption = None,
) -> None:
    """Measure gates on images inside and outside of the training distribution, near and far."""
    require_training()
    from sitegen.evaluation.gate.gallery import galleries_of
    from sitegen.evaluation.gate.images import NEAR
    from sitegen.evaluation.gate.page import as_html, as_tables
    from sitegen.evaluation.gate.projected import ProjectedTable
    from sitegen.evaluation.gate.study import Study, study
    from sitegen.evaluation.reconstructions.table import turned_scores
    from sitegen.metrics.resampling import Resampling

    for path in (report, json_file):
        check_place(path)
    how = Resampling(resamples, permutations=permutations, seed=seed)
    asked = Study(models, outside, data, recipe, split, half, near or NEAR, against, work, workers, how)
    answer = study(
        replace(asked, projections=[ProjectedTable(file, *turned_scores(file)) for file in projections or ()])
    )
    shown = answer.scored if gallery else ()
    galleries = [entry for each in shown for entry in galleries_of(each, answer.images, answer.rows)]
    write_figures(json_file, answer.document)
    write_report(report, as_html(answer.document, galleries))
    show(as_tables(answer.document))
    for note in answer.document["notes"]:
        typer.echo(note, err=True)
    tell_left_out(answer.document)
    tell_written(report, json_file)
    if gallery:
        typer.echo("The report contains images of the data: pass it on only where these may be passed on.")
    typer.echo("Not for diagnostic use.")
