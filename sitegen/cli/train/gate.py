"""`sitegen train gate`: fit the network of a recipe's gate, or go on with it."""

from shlex import quote
from typing import Annotated

import typer

from sitegen.cli._options import DataOption, ImagesOption, RecipeOption, WorkOption, require_training, work_folder
from sitegen.cli._reports import tell_problems


def gate(
    config: RecipeOption,
    data: DataOption = None,
    work: WorkOption = None,
    images: ImagesOption = None,
    rounds_now: Annotated[
        int | None, typer.Option(min=1, help="Stop after so many rounds; the same command goes on later.")
    ] = None,
) -> None:
    """Train the gate's network. Stopped or killed, the same command goes on after the last finished round."""
    require_training()
    from sitegen.gate.run import GATE, GATE_SAMPLES, train_gate
    from sitegen.settings.recipe import read_recipe_file

    file = read_recipe_file(config)
    folder = work_folder(work, file.name)
    done = train_gate(file, folder, data, more=images or (), rounds_now=rounds_now)
    tell_problems(done.prepared.problems)
    last = done.history[-1]
    typer.echo(f"Step {last['step']:.0f}: validation SSIM {last['valid_ssim']:.4f}. Look at {folder / GATE_SAMPLES}.")
    if done.trained is None:
        typer.echo("Stopped before the end. The same command goes on from there.")
        return
    typer.echo(f"Wrote {folder / GATE}. Not for diagnostic use.")
    typer.echo(f"Next: sitegen evaluate gate {quote(str(folder / GATE))} --data DIR --outside DIR -o gate.html")
