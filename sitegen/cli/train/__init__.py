"""`sitegen train`: fit a recipe's classifier and its gate, and find the learning rate to begin with."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sitegen.cli._options import DataOption, ImagesOption, RecipeOption, WorkOption, require_training, work_folder

if TYPE_CHECKING:
    from sitegen.training.run import Training

train = typer.Typer(
    help="Train models from a recipe file. Not for diagnostic use.", no_args_is_help=True, rich_markup_mode=None
)


@train.command()
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
    _report(done)
    if done.trained is None:
        typer.echo(f"Stopped after {len(done.history)} epoch(s). The same command goes on from there.")
        return
    typer.echo(f"Wrote {folder / CLASSIFIER}. Not for diagnostic use.")
    typer.echo(f"Next: sitegen export {_quoted(folder / CLASSIFIER)} -o BUNDLE")


@train.command()
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
    _left_out(done.prepared.problems)
    last = done.history[-1]
    typer.echo(f"Step {last['step']:.0f}: validation SSIM {last['valid_ssim']:.4f}. Look at {folder / GATE_SAMPLES}.")
    if done.trained is None:
        typer.echo("Stopped before the end. The same command goes on from there.")
        return
    typer.echo(f"Wrote {folder / GATE}. Not for diagnostic use.")
    typer.echo(f"Next: sitegen evaluate gate {_quoted(folder / GATE)} --data DIR --outside DIR -o gate.html")


@train.command("range-test")
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
    from sitegen.training.range_test_recipe import recipe_curves, write_curves

    file = read_recipe_file(config)
    curves = recipe_curves(file, work_folder(work, file.name), data, steps)
    write_curves(curves, picture, curves_file)
    for curve in curves:
        found = f"{curve.suggestion:.2e}" if curve.suggestion else "none, the loss never falls"
        typer.echo(f"weight decay {curve.weight_decay:g}: suggested rate {found}")
    typer.echo(f"Wrote {picture}.")


def _report(done: "Training") -> None:
    _left_out(done.prepared.problems)
    for line in done.summary:
        typer.echo(line)


def _left_out(problems: list[tuple[Path, str]]) -> None:
    if problems:
        typer.echo(f"{len(problems)} image(s) left out, the first: {problems[0][0]}: {problems[0][1]}", err=True)


def _quoted(path: Path) -> str:
    from shlex import quote

    return quote(str(path))
