"""Reports: written where people asked for them, and their tables shown in the terminal."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from sitegen.cli._terminal import one_line
from sitegen.errors import DataError

if TYPE_CHECKING:
    from rich.table import Table


def check_place(path: Path | None) -> None:
    """Raise DataError at once where a report could not be written after minutes of work."""
    if path and (path.is_dir() or not path.absolute().parent.is_dir()):
        raise DataError(f"{path} cannot be written. Name a file in a folder that exists.")


def write_report(path: Path, text: str) -> None:
    """Write text, the same bytes everywhere. Raises DataError where that cannot be done."""
    try:
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise DataError(f"{path} cannot be written: {error.strerror}. Name a file in a folder that exists.") from error


def write_figures(path: Path | None, document: Mapping[str, Any]) -> None:
    """Write a document as JSON, where a file was named. Raises DataError as `write_report` does."""
    if path:
        write_report(path, json.dumps(document, indent=1, allow_nan=False, ensure_ascii=False) + "\n")


def write_table(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    """Write rows, all of the same keys, as CSV. Raises DataError as `write_report` does."""
    import csv
    from io import StringIO

    written = StringIO()
    table = csv.DictWriter(written, list(rows[0]), lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    write_report(path, written.getvalue())


def show(parts: Iterable["Table | str"]) -> None:
    """Print tables, and sentences, on standard output as they are: names in them may look like markup."""
    from sitegen.cli._progress import PlainConsole

    console = PlainConsole()
    for part in parts:
        console.print(part)


def tell_left_out(document: Mapping[str, Any]) -> None:
    """Say on standard error which files could not be used, each named once."""
    for problem in document["unreadable"]:
        named = problem["file"] in problem["problem"]
        typer.echo(one_line(f"left out: {'' if named else problem['file'] + ': '}{problem['problem']}"), err=True)


def tell_problems(problems: Sequence[tuple[Path, str]]) -> None:
    """Say on standard error how many images were left out of a training, and why the first was."""
    if problems:
        first = one_line(f"{problems[0][0]}: {problems[0][1]}")
        typer.echo(f"{len(problems)} image(s) left out, the first: {first}", err=True)


def tell_written(*paths: Path | None) -> None:
    """Say which files were written."""
    for path in paths:
        if path:
            typer.echo(f"Wrote {path}.")
