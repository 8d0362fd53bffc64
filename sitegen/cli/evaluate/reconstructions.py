"""`sitegen evaluate reconstructions`: how far images are from their reconstructions, as a table."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sitegen.cli._options import WorkersOption, require_training
from sitegen.cli._reports import check_place, tell_written

if TYPE_CHECKING:
    from sitegen.evaluation.reconstructions.measured import Row
    from sitegen.evaluation.reconstructions.study import Answer


def reconstructions(
    images: Annotated[Path, typer.Option(metavar="DIR", help="The images: PNG, JPEG or WebP, grey, 8 or 16 bits.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="CSV", help="Write a row for each image here.")],
    rebuilt: Annotated[
        Path | None,
        typer.Option("--reconstructions", metavar="DIR", help="Their reconstructions, of the same names and sizes."),
    ] = None,
    bundle: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Instead, a bundle, whose gate rebuilds the images.")
    ] = None,
    region: Annotated[
        list[str] | None,
        typer.Option(metavar="<whole|body|patch>", help="Measure these regions alone. Repeatable; all by default."),
    ] = None,
    patch: Annotated[int, typer.Option(min=1, help="Pixels along the side of a patch.")] = 32,
    stride: Annotated[int, typer.Option(min=1, help="Pixels from one patch to the next.")] = 1,
    body_threshold: Annotated[int, typer.Option(min=0, help="The body's grey values are above this one.")] = 0,
    masks: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Masks of the body, above 0 inside, instead of the threshold.")
    ] = None,
    pairs: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Save each worst patch here, at its right that of the reconstruction."),
    ] = None,
    workers: WorkersOption = None,
) -> None:
    """Measure how far images are from their reconstructions: squared error, Wasserstein distance, SSIM.

    Of the whole image, the body, and the patch where it is worst. Exit code 1 where an image could not be measured.
    """
    require_training()
    from sitegen.evaluation.reconstructions.measured import REGIONS, How
    from sitegen.evaluation.reconstructions.patches import Patches
    from sitegen.evaluation.reconstructions.study import Study, study
    from sitegen.evaluation.reconstructions.table import write_rows

    check_place(out)
    if unknown := [name for name in region or () if name not in REGIONS]:
        raise typer.BadParameter(f"{unknown[0]!r} is not one of {', '.join(REGIONS)}.", param_hint="--region")
    how = How(tuple(region or REGIONS), Patches(patch, stride), body_threshold)
    told = _Told()
    write_rows(out, told.rows(study(Study(images, rebuilt, bundle, masks, pairs, how, workers))))
    tell_written(out)
    typer.echo(f"{told.images} images, {told.failed} of them could not be measured in full. Not for diagnostic use.")
    if told.failed:
        raise typer.Exit(1)


class _Told:
    """Counts rows as they go by, and says what could not be measured."""

    images = failed = 0

    def rows(self, answers: "Iterator[Answer]") -> "Iterator[Row]":
        from sitegen.cli._terminal import one_line

        for answer in answers:
            self.images += 1
            self.failed += answer.failed
            if answer.row.get("note"):
                typer.echo(one_line(str(answer.row["note"])), err=True)
            yield answer.row
