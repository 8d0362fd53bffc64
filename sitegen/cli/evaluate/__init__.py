"""`sitegen evaluate`: what a model achieves on labelled images, and how sure that is."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from sitegen.cli._options import DataOption
from sitegen.cli._reports import check_place, write_report
from sitegen.cli.evaluate.explanations import explanations
from sitegen.cli.evaluate.gate import gate
from sitegen.cli.evaluate.robustness import robustness

evaluate = typer.Typer(
    help="Measure models on labelled images. Not for diagnostic use.", no_args_is_help=True, rich_markup_mode=None
)
evaluate.command()(robustness)
evaluate.command()(gate)
evaluate.command()(explanations)


@evaluate.command()
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
    resamples: Annotated[int, typer.Option(min=20, help="Resamples of the patients, for intervals.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Of the resamples and of the random halves.")] = 0,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes that read images; all cores by default.")
    ] = None,
    json_file: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write every figure here.")] = None,
    html_file: Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write a report here.")] = None,
) -> None:
    """Measure a classifier: figures with intervals, decisions, calibration, all of it by groups of images."""
    from sitegen.evaluation.classifier.document import evaluation_document
    from sitegen.evaluation.classifier.page import as_html
    from sitegen.evaluation.classifier.study import Question
    from sitegen.evaluation.classifier.study import evaluate as answered

    for path in (json_file, html_file):
        check_place(path)
    answer = answered(Question(model, data, recipe, split, work, against, workers))
    shares = prevalence if prevalence is not None else answer.settings.prevalence
    document = evaluation_document(answer.scored, seed, resamples, shares, answer.against)
    if json_file:
        write_report(json_file, json.dumps(document, indent=1, allow_nan=False, ensure_ascii=False) + "\n")
    if html_file:
        write_report(html_file, as_html(document))
    _show(document)
    for path in (json_file, html_file):
        if path:
            typer.echo(f"Wrote {path}.")
    typer.echo("Not for diagnostic use.")


def _show(document: dict[str, Any]) -> None:
    from rich.console import Console

    from sitegen.evaluation.classifier.tables import as_tables, heading

    console = Console(markup=False, emoji=False, highlight=False)
    console.print(heading(document))
    for table in as_tables(document):
        console.print(table)
    for problem in document["unreadable"]:
        named = problem["file"] in problem["problem"]
        typer.echo(
            f"left out: {problem['problem'] if named else problem['file'] + ': ' + problem['problem']}", err=True
        )
