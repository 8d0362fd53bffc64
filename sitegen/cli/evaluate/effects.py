"""`sitegen evaluate effects`: what random interventions change of a model's answers, on average."""

from pathlib import Path
from typing import Annotated

import typer

from sitegen.cli._options import BundleOption, FiguresOption, ResamplesOption, choice, chosen_bundle, require_training
from sitegen.cli._reports import check_place, show, tell_left_out, tell_written, write_figures
from sitegen_runtime.interventions.fillings import BLACK, FILLINGS
from sitegen_runtime.interventions.maskings import MASKINGS, SHARE


def effects(
    images: Annotated[list[Path], typer.Argument(metavar="IMAGE|DIR...", help="Image files, or folders of them.")],
    bundle: BundleOption = None,
    masking: Annotated[str, choice("--masking", MASKINGS, "What is changed; see docs/effects.md.")] = "pixels",
    share: Annotated[float, typer.Option(help="Of the image that is changed: above 0, up to 0.5.")] = SHARE,
    filling: Annotated[str, choice("--filling", FILLINGS, "What stands there afterwards.")] = BLACK,
    runs: Annotated[int, typer.Option(min=2, help="Interventions on each image.")] = 50,
    force: Annotated[bool, typer.Option("--force", help="Change images that the gate refuses, too.")] = False,
    resamples: ResamplesOption = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Of interventions and resamples.")] = 0,
    json_file: FiguresOption = None,
) -> None:
    """Measure expected effects: what random changes of an image do to each finding, with intervals."""
    require_training()
    from sitegen.cli._progress import progress
    from sitegen.data.layouts.class_folders import images_below
    from sitegen.evaluation.effects.study import Distribution, study
    from sitegen.evaluation.effects.tables import as_tables

    check_place(json_file)
    paths = [each for path in images for each in (images_below(path) if path.is_dir() else [path])]
    with progress(len(paths)) as bar:
        task = bar.add_task("Intervening", total=len(paths))
        over = Distribution(masking, share, filling, runs, seed, resamples)
        document = study(chosen_bundle(bundle), paths, over, force=force, advance=lambda: bar.advance(task))
    write_figures(json_file, document)
    show(as_tables(document))
    tell_left_out(document)
    tell_written(json_file)
    typer.echo("Not for diagnostic use.")
