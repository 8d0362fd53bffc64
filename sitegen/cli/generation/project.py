"""`sitegen project`: images as a generator comes nearest to them."""

from pathlib import Path
from typing import Annotated

import typer

from sitegen.cli._options import choice, require_training
from sitegen_runtime.projection.schedule import MOST_STEPS, ONE, SEED, SPACES, STEPS

ENGINES = ("torch", "onnx")
PATCH = 16


def project(
    images: Annotated[list[Path], typer.Argument(metavar="IMAGE|DIR...", help="Image files, and folders of them.")],
    generator: Annotated[
        Path,
        typer.Option(
            "--generator", metavar="FILE|BUNDLE", help="A generator (.safetensors), or a bundle that has one."
        ),
    ],
    out: Annotated[Path, typer.Option("-o", "--out", metavar="DIR", help="The folder for all that is made.")],
    steps: Annotated[int, typer.Option(help=f"Steps of each projection, 1 to {MOST_STEPS}.")] = STEPS,
    seed: Annotated[int, typer.Option(min=0, help="Of all random numbers; the same ones for each image.")] = SEED,
    space: Annotated[str, choice("--space", SPACES, "One latent for all layers, or one for each.")] = ONE,
    engine: Annotated[
        str | None, choice("--engine", ENGINES, "torch for a generator's file, onnx for a bundle by default.")
    ] = None,
    label: Annotated[
        int | None, typer.Option("--class", min=0, help="Start from this class, of a generator that has some.")
    ] = None,
    crop: Annotated[bool, typer.Option("--crop", help="Project the centred square of other shapes.")] = False,
    batch: Annotated[int, typer.Option(min=1, help="Images that PyTorch projects at once.")] = 8,
    device: Annotated[str, typer.Option(help="Where PyTorch computes: cpu, cuda.")] = "cpu",
    patch: Annotated[int, typer.Option(min=1, help="Pixels along the side of patches in the distances.")] = PATCH,
) -> None:
    """Reconstruct images with a generator, by fitting its latents. Stopped or killed, the same command goes on.

    Exit code 1 where an image could not be used; the others are done.
    """
    require_training()
    from sitegen.errors import SettingsError
    from sitegen.generation.projection.engines import open_engine
    from sitegen.generation.projection.work import Work, named_images, project_all
    from sitegen_runtime.errors import BadProjection
    from sitegen_runtime.projection.schedule import Wish, check_wish

    wish = Wish(steps, seed, space)
    try:
        check_wish(wish)
    except BadProjection as error:
        raise SettingsError(str(error)) from error
    named = named_images(images)
    failed = 0
    with open_engine(generator, wish, engine, device=device, label=label) as opened:
        work = Work(named, out, opened.image, wish, opened.made_by, crop, batch)
        for done in project_all(work, opened.fit):
            failed += done.problem is not None
            _tell(done.name, done.distance, done.problem)
    if failed < len(named):
        _measure(out, patch)
    typer.echo(f"{len(named)} images, {failed} of them not projected. Not for diagnostic use.")
    if failed:
        raise typer.Exit(1)


def _tell(name: str, distance: float | None, problem: str | None) -> None:
    from sitegen.cli._terminal import one_line

    if problem:
        typer.echo(one_line(problem), err=True)
    elif distance is None:
        typer.echo(one_line(f"{name}: there already"))
    else:
        typer.echo(one_line(f"{name}: mean squared error {distance / 4:.5f} of the range's square"))


def _measure(out: Path, patch: int) -> None:
    """Write how far all images are from their reconstructions, as sitegen evaluate reconstructions does."""
    from sitegen.evaluation.reconstructions.measured import How
    from sitegen.evaluation.reconstructions.patches import Patches
    from sitegen.evaluation.reconstructions.study import Study, study
    from sitegen.evaluation.reconstructions.table import write_rows

    how = How(patches=Patches(patch))
    rows = study(Study(out / "images", out / "reconstructions", how=how))
    write_rows(out / "distances.csv", (answer.row for answer in rows))
    typer.echo(f"Wrote {out / 'distances.csv'}")
