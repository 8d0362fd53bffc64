"""`sitegen evaluate permutation`: do columns of two tables have different means?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sitegen.cli._options import FiguresOption, choice, require_training
from sitegen.cli._reports import check_place, show, tell_written, write_figures

if TYPE_CHECKING:
    from rich.table import Table

    from sitegen.evaluation.anomaly.document_types import DifferencesDocument

ALTERNATIVES = ("two-sided", "greater", "less")


def permutation(
    first: Annotated[Path, typer.Option(metavar="CSV", help="The table with the first groups.")],
    second: Annotated[Path, typer.Option(metavar="CSV", help="The table with the second groups.")],
    column: Annotated[list[str], typer.Option(metavar="NAME", help="The column to compare. Repeatable: a family.")],
    second_column: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="The column of the second table, where it is called otherwise. Repeatable."),
    ] = None,
    alternative: Annotated[
        str, choice("--alternative", ALTERNATIVES, "Of the first mean beside the second; one- or two-sided.")
    ] = "two-sided",
    permutations: Annotated[
        int, typer.Option(min=100, help="Random divisions; where there are no more, all are looked at.")
    ] = 100_000,
    alpha: Annotated[float, typer.Option(min=0.0, max=1.0, help="For the power: p at most this is a finding.")] = 0.05,
    simulations: Annotated[
        int, typer.Option(min=0, help="Simulations for the power, each drawn anew; 0 leaves it out.")
    ] = 1000,
    power_permutations: Annotated[int, typer.Option(min=20, help="Random divisions in each simulation.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Of divisions and simulations.")] = 0,
    json_file: FiguresOption = None,
) -> None:
    """Test whether columns of two tables have different means, by permutation, with Holm's correction and power."""
    require_training()
    from sitegen.errors import SettingsError
    from sitegen.evaluation.anomaly.differences import Question, differences

    check_place(json_file)
    others = second_column or column
    if len(others) != len(column):
        raise SettingsError(f"{len(column)} --column and {len(others)} --second-column: name as many of each.")
    how = (alternative, permutations, alpha, simulations, power_permutations, seed)
    document = differences(Question(first, second, list(zip(column, others, strict=True)), *how))
    write_figures(json_file, document)
    show([_table(document)])
    for test in document["tests"]:
        if test["note"]:
            typer.echo(f"{test['first']}: {test['note']}", err=True)
    tell_written(json_file)
    typer.echo(
        "Values that were drawn by resampling, such as AUROCs of a bootstrap, are no independent images: the more are "
        "drawn, the smaller p becomes, whatever the images. To compare distances: sitegen evaluate anomaly --against"
    )


def _table(document: "DifferencesDocument") -> "Table":
    from sitegen.evaluation.report.page import interval
    from sitegen.evaluation.report.terminal import table

    columns = ("values", "means", "difference", "p", "Holm", f"power at {document['alpha']:g}")
    made = table(f"{document['first']} and {document['second']}, {document['alternative']}", "column", *columns)
    for test in document["tests"]:
        name = test["first"] if test["first"] == test["second"] else f"{test['first']} / {test['second']}"
        means = " / ".join(f"{mean:.4g}" for mean in test["means"])
        exact = " (all)" if test["exact"] else ""
        numbers = (f"{test['difference']:+.4g}", f"{test['p']:.3g}{exact}", f"{test['holm']:.3g}")
        made.add_row(name, " / ".join(map(str, test["sizes"])), means, *numbers, interval(test["power"]))
    return made
