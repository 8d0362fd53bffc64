"""`sitegen new`: a folder for a site of one's own."""

from pathlib import Path
from shlex import quote
from typing import Annotated

import typer


def new(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The project's folder; it may hold bundles already.")],
) -> None:
    """Begin a project: a folder with a sitegen.toml in which every option stands, commented."""
    from sitegen.project.start import new_project

    for path in new_project(folder):
        typer.echo(f"Wrote {path}")
    typer.echo("Next: name your models in sitegen.toml, as bundles. Without any it is the model that ships.")
    typer.echo(f"Then: cd {quote(str(folder))} && sitegen serve --watch")
