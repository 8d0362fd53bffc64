"""`sitegen data unpack`: CIFAR-100 and MNIST as image files."""

from pathlib import Path
from typing import Annotated

import typer


def unpack(
    source: Annotated[
        Path, typer.Argument(metavar="FILE|DIR", help="cifar-100-python.tar.gz, or the folder with MNIST's four files.")
    ],
    out: Annotated[Path, typer.Option("-o", "--out", metavar="DIR", help="An empty folder for the images.")],
) -> None:
    """Write CIFAR-100 or MNIST, as published, as PNG files in a folder for each class."""
    from sitegen.data.unpacking.unpack import unpack as unpacked

    name, count = unpacked(source, out)
    typer.echo(f"Wrote {count} images of {name} to {out}.")
