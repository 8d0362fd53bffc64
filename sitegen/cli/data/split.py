"""`sitegen data split`: who is in which part of a data set, written to a file."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sitegen.cli._options import DataArgument, FindingsOption, OnlyPresentOption

if TYPE_CHECKING:
    from sitegen.data.records import Record


def split(
    place: DataArgument,
    out: Annotated[Path, typer.Option("-o", "--out", metavar="FILE", help="The split to write (CSV).")],
    shares: Annotated[
        str, typer.Option(metavar="SHARES", help="70/10/20, 80/20, or such as train=0.6,valid=0.2,test=0.2.")
    ] = "70/10/20",
    seed: Annotated[int, typer.Option(min=0, help="Another seed is another split.")] = 1,
    divide: Annotated[
        str, typer.Option(metavar="SPLIT", help="Divide this given split alone; the others stay as they are.")
    ] = "",
    only_with_findings: Annotated[
        bool, typer.Option("--only-with-findings", help="Leave out images without any finding.")
    ] = False,
    findings: FindingsOption = "",
    only_present: OnlyPresentOption = False,
) -> None:
    """Divide a data set so that no patient is on both sides, with the findings spread alike."""
    from sitegen.data.dataset import divided
    from sitegen.data.layouts.known import read_dataset
    from sitegen.data.layouts.label_styles import Findings
    from sitegen.data.records import present
    from sitegen.data.splits import read_shares, with_findings, write_split
    from sitegen.settings.data import DataSettings

    settings = DataSettings(split=read_shares(shares), divide=divide, seed=seed)
    records = read_dataset(place, Findings(findings) if findings else None)
    records = with_findings(records) if only_with_findings else records
    records = present(records) if only_present else records
    _check(records, place, divide)
    records = divided(records, settings)
    write_split(records, place if place.is_dir() else place.parent, out)
    _show(records)
    typer.echo(f"Wrote {out}.")


def _check(records: "Sequence[Record]", place: Path, divide: str) -> None:
    """Refuse what gives an empty split, which would be written without a word."""
    from sitegen.errors import DataError

    if not records:
        raise DataError(f"{place} has no image left to divide. Leave out fewer.")
    given = sorted({record.split for record in records} - {""})
    if divide and divide not in given:
        raise DataError(f"{place} has no split {divide!r} to divide; it has {', '.join(given) or 'none'}.")


def _show(records: "Sequence[Record]") -> None:
    from sitegen.cli._progress import PlainConsole
    from sitegen.data.audit.audit import GROUPS, prevalence
    from sitegen.data.audit.tables import prevalence_table
    from sitegen.data.records import label_names

    table = prevalence_table("split", prevalence(records, GROUPS["split"]), label_names(records))
    PlainConsole().print(table)
