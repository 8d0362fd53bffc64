"""`sitegen train generator`: fit a generator of images, or go on with it."""

from functools import partial
from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from sitegen.cli._options import WorkersOption, WorkOption, require_training, work_folder
from sitegen.cli._reports import tell_problems


def generator(
    config: Annotated[
        Path, typer.Option("--config", metavar="FILE", help="The settings file (TOML); see docs/generator.md.")
    ],
    work: WorkOption = None,
    steps_now: Annotated[
        int | None, typer.Option(min=1, help="Stop after so many steps; the same command goes on from the checkpoint.")
    ] = None,
    workers: WorkersOption = None,
) -> None:
    """Train StyleGAN2 on images. Stopped or killed, the same command goes on after the last checkpoint."""
    require_training()
    from sitegen.evaluation.frechet.snapshots import snapshot_judge
    from sitegen.training.generator.run import GENERATOR, SNAPSHOTS, train_generator
    from sitegen.training.generator.settings import read_generator_file

    file = read_generator_file(config)
    folder = work_folder(work, file.name)
    judge = partial(snapshot_judge, workers=workers)
    done = train_generator(file, folder, judge=judge, steps_now=steps_now, workers=workers)
    tell_problems([(Path(name), problem) for name, problem in done.images.problems])
    if not done.complete:
        typer.echo(f"Stopped after {done.progress.steps} steps. The same command goes on from the last checkpoint.")
        return
    best = done.progress.best
    measured = f", Fréchet distance {best['frechet']:.3f}" if "frechet" in best else ""
    typer.echo(f"The snapshot after {best['images']:.0f} images is kept{measured}. Look at {folder / SNAPSHOTS}.")
    typer.echo(f"Wrote {quote(str(folder / GENERATOR))}. Not for diagnostic use.")
