"""`sitegen curate apply DIR --keep RULE --to DIR2`: copies or links of what passes a rule."""

from pathlib import Path
from typing import Annotated

import typer

from sitegen.cli.curate._needs import require_curation

KeepOption = Annotated[
    str, typer.Option("--keep", metavar="RULE", help='Which rows, such as "accepted and copy_of is missing".')
]
CuratedArgument = Annotated[Path, typer.Argument(metavar="DIR", help="The folder that `sitegen curate` wrote.")]


def apply(
    curated: CuratedArgument,
    keep: KeepOption,
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="Where what passes goes: a new folder.")],
    link: Annotated[bool, typer.Option("--link", help="Links instead of copies; local files alone.")] = False,
) -> None:
    """Copy what passes a rule into a folder, with a manifest and a list. The same command goes on where it stopped.

    Exit code 1 where files changed since they were scored, or are gone: those are not taken.
    """
    require_curation()
    from sitegen.cli._progress import progress
    from sitegen.curation.apply import Wish, apply

    with progress(2) as bar:
        task = bar.add_task("Copying", total=None)
        document = apply(
            Wish(curated, keep, to, link), lambda done, total: bar.update(task, completed=done, total=total)
        )
    typer.echo(f"{document['kept']} of {document['images']} files are in {to}.")
    if document["changed"]:
        typer.echo(f"{document['changed']} were left out: they changed since they were scored, or are gone.", err=True)
        raise typer.Exit(1)
