"""`sitegen train classifier`: fit a recipe's classifier, or go on with it."""

from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from sitegen.cli._options import DataOption, RecipeOption, WorkOption, require_training, work_folder
from sitegen.cli._reports import tell_problems


def classifier(
    config: RecipeOption,
    data: DataOption = None,
    work: WorkOption = None,
    weights: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Begin with the body's weights in this file; the head is new.")
    ] = None,
    tensorboard: Annotated[bool, typer.Option("--tensorboard", help="Also write logs for TensorBoard.")] = False,
    epochs_now: Annotated[
        int | None, typer.Option(min=1, help="Stop after so many epochs; the same command goes on later.")
    ] = None,
) -> None:
    """Train a classifier. Stopped or killed, the same command goes on after the last finished epoch.

    One process by default; under torchrun the same command uses several cards or machines:
    torchrun --nproc-per-node 2 -m sitegen.cli train classifier --config FILE
    """
    require_training()
    from sitegen.settings.recipe import read_recipe_file
    from sitegen.training.run import CLASSIFIER
    from sitegen.training.run import train as fit

    file = read_recipe_file(config)
    folder = work_folder(work, file.name)
    done = fit(file, folder, data, initial=weights, epochs_now=epochs_now, tensorboard=tensorboard)
    tell_problems(done.prepared.problems)
    for line in done.summary:
        typer.echo(line)
    if done.trained is None:
        typer.echo(f"Stopped after {done.epochs} epoch(s). The same command goes on from there.")
        return
    typer.echo(f"Wrote {folder / CLASSIFIER}. Not for diagnostic use.")
    typer.echo(f"Next: sitegen export {quote(str(folder / CLASSIFIER))} -o BUNDLE")
