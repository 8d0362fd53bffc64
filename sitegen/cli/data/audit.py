"""`sitegen data audit`: what is wrong with a data set, and what is in it."""

import json
from pathlib import Path
from typing import Annotated

import typer

from sitegen.cli._options import DataArgument, FindingsOption, OnlyPresentOption
from sitegen.cli._reports import write_report


def audit(
    place: DataArgument,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Also write the report here.")
    ] = None,
    picture: Annotated[
        Path | None,
        typer.Option("--co-occurrence", metavar="FILE", help="Write a picture (SVG) of which findings come together."),
    ] = None,
    findings: FindingsOption = "",
    only_present: OnlyPresentOption = False,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes that read files; all cores by default.")] = None,
) -> None:
    """Read every image of a data set and say what is wrong with it and what is in it. Exit code 1 on any problem."""
    from rich.console import Console

    from sitegen.data.audit.audit import audit as audited
    from sitegen.data.audit.co_occurrence import as_svg, co_occurrence
    from sitegen.data.audit.tables import as_tables, problem_count
    from sitegen.data.layouts.known import read_dataset
    from sitegen.data.layouts.label_styles import Findings
    from sitegen.data.records import present

    records = read_dataset(place, Findings(findings) if findings else None)
    if only_present:
        records = present(records)
    report = audited(records, workers)
    if json_file:
        write_report(json_file, json.dumps(report, indent=1))
    if picture:
        write_report(picture, as_svg(co_occurrence(records)))
    console = Console(markup=False, emoji=False, highlight=False)
    for table in as_tables(report):
        console.print(table)
    found = problem_count(report)
    typer.echo(f"{found} problem(s) found." if found else "No problems found.")
    if found:
        raise typer.Exit(1)
