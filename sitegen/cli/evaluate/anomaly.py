"""`sitegen evaluate anomaly`: how well distances from reconstructions tell anomalies."""

from pathlib import Path
from typing import Annotated

import typer

from sitegen.cli._options import FiguresOption, ResamplesOption, require_training
from sitegen.cli._reports import check_place, show, tell_written, write_figures, write_report


def anomaly(
    baseline: Annotated[
        Path, typer.Option(metavar="CSV", help="Distances of images as those that the network learned from.")
    ],
    anomalies: Annotated[
        list[Path], typer.Option("--anomaly", metavar="CSV", help="Distances of a set of anomalies. Repeatable.")
    ],
    report: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="Write the report here, as HTML.")],
    distance: Annotated[
        list[str] | None, typer.Option(metavar="COLUMN", help="These distances alone, such as patch_mse. Repeatable.")
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="Test the others against this one, on the same images."),
    ] = None,
    resamples: ResamplesOption = 1000,
    subsamples: Annotated[int, typer.Option(min=2, help="Draws without replacement, as published.")] = 50,
    permutations: Annotated[int, typer.Option(min=100, help="Exchanges of ranks, for --against.")] = 10_000,
    bootstrap_csv: Annotated[
        Path | None, typer.Option(metavar="CSV", help="Write the AUROC of every bootstrap resample here.")
    ] = None,
    subsamples_csv: Annotated[
        Path | None, typer.Option(metavar="CSV", help="Write the AUROC of every subsample here.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of resamples, subsamples and exchanges.")] = 0,
    json_file: FiguresOption = None,
) -> None:
    """Measure how well distances tell sets of anomalies from a baseline: AUROC with a bootstrap, and as published."""
    require_training()
    from sitegen.evaluation.anomaly.detection import Detection, detect
    from sitegen.evaluation.anomaly.page import as_csv, as_html, as_tables

    for path in (report, json_file, bootstrap_csv, subsamples_csv):
        check_place(path)
    how = (resamples, subsamples, permutations, seed)
    found = detect(Detection(baseline, anomalies, distance, against, *how))
    write_figures(json_file, found.document)
    write_report(report, as_html(found.document))
    resampled = {name: values[1:] for name, values in found.bootstrap.items()}  # the first is of all images
    for path, columns in ((bootstrap_csv, resampled), (subsamples_csv, found.subsampled)):
        if path:
            write_report(path, as_csv(columns))
    show(as_tables(found.document))
    for note in found.document["notes"]:
        typer.echo(note, err=True)
    tell_written(report, json_file, bootstrap_csv, subsamples_csv)
    typer.echo("Not for diagnostic use.")
