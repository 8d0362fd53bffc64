"""`sitegen attach`: a copy of a bundle with a generator, for projections in the page."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from sitegen.cli._options import require_training


def attach(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="The bundle's folder; it stays as it is.")],
    generator: Annotated[
        Path, typer.Option("--generator", metavar="FILE", help="What sitegen train generator wrote (.safetensors).")
    ],
    out: Annotated[Path, typer.Option("-o", "--out", metavar="BUNDLE", help="The new bundle's folder.")],
    weights: Annotated[
        str | None, typer.Option("--licence", metavar="TEXT", help="The terms of the generator's weights.")
    ] = None,
    data: Annotated[
        str | None, typer.Option("--data-licence", metavar="TEXT", help="The terms of the images it learned from.")
    ] = None,
) -> None:
    """Give a bundle a generator: its page then offers to reconstruct images more closely."""
    require_training()
    from sitegen.bundle import load_bundle
    from sitegen.generation.attach import attach as attached

    made = attached(load_bundle(bundle), generator, out, weights=weights, data=data)
    terms = made.description.generator
    assert terms is not None  # noqa: S101 - for the type checker: it was just given one
    typer.echo(f"Wrote {out}. Weights of the generator: {terms.weights}. Not for diagnostic use.")
    typer.echo(f"Next: sitegen build --bundle {shlex.quote(str(out))} --out dist")
