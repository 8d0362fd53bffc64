"""`sitegen project`: images as a generator comes nearest to them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sitegen.cli._options import choice, require_training
from sitegen_runtime.projection.schedule import MOST_STEPS, ONE, SEED, SPACES, STEPS

if TYPE_CHECKING:
    from sitegen.generation.projection.engines import Loss

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
    features: Annotated[
        Path | None,
        typer.Option(
            "--features",
            metavar="BUNDLE|ONNX",
            help="Compare features: a bundle's feature map, or an ONNX file's output.",
        ),
    ] = None,
    features_output: Annotated[
        str | None,
        typer.Option("--features-output", metavar="NAME", help="The output of an ONNX file; its first by default."),
    ] = None,
    features_side: Annotated[
        int | None, typer.Option("--features-side", min=1, help="Of images, for an ONNX file that takes any.")
    ] = None,
    pixels: Annotated[float, typer.Option(min=0, help="Weight of the pixels beside features.")] = 0.0,
    video: Annotated[bool, typer.Option("--video", help="Write the way there as an animated PNG, too.")] = False,
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
    loss = _loss(features, features_output, features_side, pixels)
    failed = 0
    with open_engine(generator, wish, engine, device=device, label=label, loss=loss, frames=video) as opened:
        work = Work(named, out, opened.image, wish, opened.made_by, crop, batch, video)
        for done in project_all(work, opened.fit):
            failed += done.problem is not None
            _tell(done.name, done.distance, done.problem, loss is not None)
    if failed < len(named):
        _measure(out, patch)
    typer.echo(f"{len(named)} images, {failed} of them not projected. Not for diagnostic use.")
    if failed:
        raise typer.Exit(1)


def _loss(place: Path | None, output: str | None, side: int | None, pixels: float) -> "Loss | None":
    """What features are compared by, or None for pixels."""
    from sitegen.bundle import DESCRIPTION
    from sitegen.errors import SettingsError
    from sitegen.evaluation.frechet.networks import of_bundle, of_onnx
    from sitegen.evaluation.frechet.preparation import Preparation
    from sitegen.generation.projection.engines import Loss
    from sitegen.generation.projection.feature_graph import FeaturesOf
    from sitegen.generation.projection.feature_loss import FeatureDistance
    from sitegen.generation.projection.work import digest

    if place is None:
        if output or side or pixels:
            raise SettingsError("--features-output, --features-side and --pixels belong to --features. Name a network.")
        return None
    found = of_bundle(place) if (place / DESCRIPTION).is_file() else of_onnx(place, Preparation(side=side), output)
    how = found.preparation
    network = FeaturesOf(
        found.graph, found.image, found.channels, found.side, found.output, how.mean, how.std, found.others
    )
    made_by = {"features": digest(found.graph), "output": found.output, "side": found.side, "pixels": pixels}
    return Loss(FeatureDistance(network, pixels), made_by)


def _tell(name: str, distance: float | None, problem: str | None, features: bool) -> None:
    from sitegen.cli._terminal import one_line

    if problem:
        typer.echo(one_line(problem), err=True)
    elif distance is None:
        typer.echo(one_line(f"{name}: there already"))
    elif features:
        typer.echo(one_line(f"{name}: distance {distance:.5f} of the features"))
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
