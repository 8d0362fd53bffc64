"""`sitegen data audit`: what is wrong with a data set, what is in it, and what tells its labels but findings."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sitegen.cli._options import DataOption, FindingsOption, OnlyPresentOption, WorkersOption
from sitegen.cli._reports import show, write_report
from sitegen.errors import SettingsError

if TYPE_CHECKING:
    from sitegen.data.audit.document_types import AuditDocument
    from sitegen.data.records import Record


def audit(
    place: Annotated[
        Path | None, typer.Argument(metavar="[DIR|CSV]", help="The data set's folder, or its table; or give --recipe.")
    ] = None,
    recipe: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Audit what this recipe trains on, with its labels, splits and [audit]."),
    ] = None,
    data: DataOption = None,
    no_shortcuts: Annotated[
        bool,
        typer.Option("--no-shortcuts", help="Leave out how well labels are told by what is no anatomy: it is slower."),
    ] = False,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Also write the report here.")
    ] = None,
    picture: Annotated[
        Path | None,
        typer.Option("--co-occurrence", metavar="FILE", help="Write a picture (SVG) of which findings come together."),
    ] = None,
    findings: FindingsOption = "",
    only_present: OnlyPresentOption = False,
    workers: WorkersOption = None,
) -> None:
    """Read every image of a data set and say what is wrong with it, what is in it, and what tells its labels.

    Exit code 1 on any problem, and where a label is told too well by what is no anatomy.
    """
    _check_options(place, recipe, data, findings, only_present)
    if not no_shortcuts:
        _require_small_models()
    if recipe:
        records, report = _of_recipe(recipe, data, workers, not no_shortcuts)
    else:
        assert place is not None  # noqa: S101 (`_check_options` saw to it)
        records, report = _of_place(place, findings, only_present, workers, not no_shortcuts)
    if json_file:
        write_report(json_file, json.dumps(report, indent=1))
    if picture:
        from sitegen.data.audit.co_occurrence import as_svg, co_occurrence

        write_report(picture, as_svg(co_occurrence(records)))
    _tell_labels(records)
    _tell(report)


def _check_options(
    place: Path | None, recipe: Path | None, data: Path | None, findings: str, only_present: bool
) -> None:
    if (place is None) == (recipe is None):
        raise SettingsError("Name one data set: a folder or table, or a recipe with --recipe FILE.")
    if data and not recipe:
        raise SettingsError("--data is other data for a recipe: add --recipe FILE, or name the data alone.")
    if recipe and (findings or only_present):
        raise SettingsError("A recipe says itself what its findings are: leave out --findings and --only-present.")


def _require_small_models() -> None:
    from importlib.util import find_spec

    if missing := [name for name in ("sklearn", "scipy", "threadpoolctl") if find_spec(name) is None]:
        raise SettingsError(
            f"The audit of shortcuts needs {', '.join(missing)}: pip install 'offline-sitegen[train]'. "
            "Or leave it out: --no-shortcuts"
        )


def _of_recipe(
    recipe: Path, data: Path | None, workers: int | None, shortcuts: bool
) -> "tuple[list[Record], AuditDocument]":
    from sitegen.data.dataset import read_records
    from sitegen.recipe.audited import audit_recipe
    from sitegen.settings.recipe import read_recipe_file

    file = read_recipe_file(recipe)
    records = read_records(file, data)
    return records, audit_recipe(file, records, workers, shortcuts=shortcuts)


def _of_place(
    place: Path, findings: str, only_present: bool, workers: int | None, shortcuts: bool
) -> "tuple[list[Record], AuditDocument]":
    from sitegen.data.audit.audit import audit as audited
    from sitegen.data.layouts.known import read_dataset
    from sitegen.data.layouts.label_styles import Findings
    from sitegen.data.records import present

    records = read_dataset(place, Findings(findings) if findings else None)
    if only_present:
        records = present(records)
    if not shortcuts:
        return records, audited(records, workers)
    from sitegen.data.audit.shortcuts.report import ShortcutQuestion

    return records, audited(records, workers, ShortcutQuestion())


def _tell_labels(records: "list[Record]") -> None:
    from sitegen.cli._terminal import one_line
    from sitegen.data.audit.tables import labels_in_words

    typer.echo(one_line(labels_in_words(records)))


def _tell(report: "AuditDocument") -> None:
    """Print the report. Raises typer.Exit where there is a problem, or something fails."""
    from sitegen.data.audit.tables import as_tables, problem_count, shared_in_words

    show(as_tables(report))
    if shared := shared_in_words(report):
        typer.echo(shared)
    found, failed = problem_count(report), 0
    if report["shortcuts"]:
        from sitegen.data.audit.shortcuts.tables import failure_count, shortcut_tables

        show(shortcut_tables(report["shortcuts"]))
        failed = failure_count(report["shortcuts"])
        typer.echo(
            f"{failed} time(s) a label is told too well by what is no anatomy, and nobody accepted it."
            if failed
            else "No label is told too well by what is no anatomy, but for what was accepted."
        )
    typer.echo(f"{found} problem(s) found." if found else "No problems found.")
    if found or failed:
        raise typer.Exit(1)
