"""`sitegen evaluate classifier`: what a classifier achieves on labelled images, and how sure that is."""

from pathlib import Path
from typing import Annotated

import typer

from sitegen.cli._options import DataOption, FiguresOption, ResamplesOption, WorkersOption
from sitegen.cli._reports import check_place, show, tell_left_out, tell_written, write_figures, write_report


def classifier(
    model: Annotated[
        Path, typer.Argument(metavar="CHECKPOINT|BUNDLE", help="A .pt file of training, or a bundle's folder.")
    ],
    data: DataOption = None,
    recipe: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Read the data as this recipe's [data] says, not as the model's own."),
    ] = None,
    split: Annotated[
        str | None,
        typer.Option(help="The split to measure, or all; the recipe's [evaluation] says which by default, or test."),
    ] = None,
    work: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Keeps tensors; build/<name of the recipe> by default.")
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option(metavar="CHECKPOINT|BUNDLE", help="A second model, to be measured on the same images."),
    ] = None,
    prevalence: Annotated[
        list[float] | None,
        typer.Option(metavar="SHARE", min=0, max=1, help="Give predictive values at this prevalence; repeatable."),
    ] = None,
    collection: Annotated[
        str, typer.Option(metavar="TEXT", help="The collection that all images are from, as people call it.")
    ] = "",
    hospital: Annotated[str, typer.Option(metavar="TEXT", help="The hospital that made all of the images.")] = "",
    resamples: ResamplesOption = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Of the resamples and of the random halves.")] = 0,
    workers: WorkersOption = None,
    json_file: FiguresOption = None,
    html_file: Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write a report here.")] = None,
) -> None:
    """Measure a classifier: figures with intervals, decisions, calibration, all of it by groups of images."""
    from sitegen.evaluation.classifier.document import evaluation_document
    from sitegen.evaluation.classifier.page import as_html
    from sitegen.evaluation.classifier.study import Question
    from sitegen.evaluation.classifier.study import evaluate as answered
    from sitegen.evaluation.classifier.tables import as_tables, heading

    for path in (json_file, html_file):
        check_place(path)
    answer = answered(Question(model, data, recipe, split, work, against, workers, collection, hospital))
    shares = prevalence if prevalence is not None else answer.settings.prevalence
    document = evaluation_document(answer.scored, seed, resamples, shares, answer.against)
    write_figures(json_file, document)
    if html_file:
        write_report(html_file, as_html(document))
    show([heading(document), *as_tables(document)])
    tell_left_out(document)
    tell_written(json_file, html_file)
    typer.echo("Not for diagnostic use.")
