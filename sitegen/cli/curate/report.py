"""`sitegen curate report DIR`: what is in a repository, as one HTML file that loads nothing."""

from pathlib import Path
from typing import Annotated

import typer

from sitegen.cli._options import BundleOption, chosen_bundle
from sitegen.cli._reports import check_place, tell_written, write_report, write_table
from sitegen.cli.curate._needs import require_curation
from sitegen.cli.curate.apply import CuratedArgument
from sitegen.errors import DataError, SettingsError


def report(
    curated: CuratedArgument,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", metavar="HTML", help="The report; DIR/report.html by default.")
    ] = None,
    bundle: BundleOption = None,
    thumbnails: Annotated[
        bool, typer.Option("--thumbnails", help="Show the most and the least unlike images, with their error maps.")
    ] = False,
    names: Annotated[bool, typer.Option("--names", help="Call folders by their names, which may be people's.")] = False,
    keep: Annotated[str | None, typer.Option("--keep", metavar="RULE", help="With --csv: which rows are kept.")] = None,
    csv: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="With --keep: a list of hashes, each kept or dropped.")
    ] = None,
) -> None:
    """Write a report of a curation: how scores are distributed, what is unlike, what a threshold would drop.

    It names no file and no folder, and has no pictures, unless that is asked for.
    """
    require_curation()
    from sitegen.curation.apply import keep_list
    from sitegen.curation.report.page import as_html
    from sitegen.curation.report.thumbnails import Thumbnails
    from sitegen.curation.store import read_manifest
    from sitegen.curation.table import read_table

    if (keep is None) != (csv is None):
        raise SettingsError("--keep RULE and --csv FILE go together: the list says which rows the rule keeps.")
    path = out or curated / "report.html"
    table, manifest = read_table(curated), read_manifest(curated)
    check_place(path)
    check_place(csv)
    if manifest is None:
        raise DataError(f"{curated} has no manifest.json. Name a folder that `sitegen curate` wrote.")
    loaded = chosen_bundle(bundle)
    if loaded.model.sha256 != manifest["bundle"]["sha256"]:
        raise SettingsError(
            f"These images were scored with another bundle, {manifest['bundle']['name']}: --bundle DIR."
        )
    rows = list(keep_list(keep, table)) if keep is not None else []
    pictures = Thumbnails(loaded.folder, loaded.model.sha256) if thumbnails else None
    write_report(path, as_html(table, manifest, loaded, thumbnails=pictures, names=names))
    if csv is not None:
        write_table(csv, rows)
    tell_written(path, csv)
