"""Options that several verbs share."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from sitegen.bundle import Bundle

BundleOption = Annotated[
    Path | None,
    typer.Option("--bundle", metavar="DIR", help="The model's bundle; the one that ships with sitegen by default."),
]


def chosen_bundle(folder: Path | None) -> "Bundle":
    """Load the named bundle, or the one that ships."""
    from sitegen import resources
    from sitegen.bundle import load_bundle

    return load_bundle(folder or resources.default_bundle())
