"""`sitegen data preview`: what augmentation does to some images of a data set."""

from pathlib import Path
from typing import Annotated

import typer

from sitegen.cli._options import FindingsOption, require_training


def preview(
    place: Annotated[
        Path | None, typer.Argument(metavar="DIR|CSV", help="The data set; the recipe's by default.")
    ] = None,
    out: Annotated[Path, typer.Option("-o", "--out", metavar="FILE", help="The picture to write (PNG).")] = Path(
        "preview.png"
    ),
    config: Annotated[
        Path | None, typer.Option("--config", metavar="FILE", help="A recipe file: its image and its augmentation.")
    ] = None,
    level: Annotated[
        str, typer.Option(metavar="LEVEL", help="Another augmentation: none, 15/5/5, 30/10/10 or 45/15/15.")
    ] = "",
    images: Annotated[int, typer.Option(min=1, max=100, help="Images, a row each.")] = 6,
    variants: Annotated[int, typer.Option(min=1, max=30, help="Variants of each.")] = 8,
    seed: Annotated[int, typer.Option(min=0, help="Chooses the images, and draws the variants.")] = 1,
    findings: FindingsOption = "",
) -> None:
    """Draw some images as the network sees them, and variants of them as training would make them."""
    require_training()
    from sitegen.errors import DataError
    from sitegen.settings.recipe import read_recipe_file
    from sitegen.training.preview.recipe import augmentation_preview

    file = read_recipe_file(config) if config else None
    sheet = augmentation_preview(place, file, level, images=images, variants=variants, seed=seed, findings=findings)
    try:
        sheet.save(out, "PNG")
    except OSError as error:
        raise DataError(f"{out} cannot be written: {error.strerror}. Name a file in a folder that exists.") from error
    typer.echo(f"Wrote {out}.")
