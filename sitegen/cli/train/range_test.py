"""`sitegen train range-test`: find the learning rate to begin with."""

from pathlib import Path
from typing import Annotated

import typer

from sitegen.cli._options import DataOption, RecipeOption, WorkOption, require_training, work_folder


def range_test(
    config: RecipeOption,
    picture: Annotated[Path, typer.Option("-o", "--out", metavar="FILE", help="The picture to write (SVG).")] = Path(
        "range-test.svg"
    ),
    curves_file: Annotated[
        Path | None, typer.Option("--curves", metavar="FILE", help="Also write the curves (CSV or JSON).")
    ] = None,
    data: DataOption = None,
    work: WorkOption = None,
    steps: Annotated[int, typer.Option(min=4, help="Rates to try, one batch each.")] = 100,
) -> None:
    """Draw the loss against rising learning rates for weight decays 0, 0.1, 1e-3 and 1e-5, and suggest a rate."""
    require_training()
    from sitegen.settings.recipe import read_recipe_file
    from sitegen.training.range_test.recipe import recipe_curves, write_curves

    file = read_recipe_file(config)
    curves = recipe_curves(file, work_folder(work, file.name), data, steps)
    write_curves(curves, picture, curves_file)
    for curve in curves:
        found = f"{curve.suggestion:.2e}" if curve.suggestion else "none, the loss never falls"
        typer.echo(f"weight decay {curve.weight_decay:g}: suggested rate {found}")
    typer.echo(f"Wrote {picture}.")
