"""`sitegen evaluate effects`: what random interventions change of a model's answers, on average."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sitegen.cli._options import BundleOption, FiguresOption, ResamplesOption, choice, chosen_bundle, require_training
from sitegen.cli._reports import check_place, show, tell_left_out, tell_written, write_figures
from sitegen_runtime.interventions.fillings import BLACK, FILLINGS
from sitegen_runtime.interventions.maskings import MASKINGS, SHARE

if TYPE_CHECKING:
    from rich.table import Table

    from sitegen.bundle import Bundle
    from sitegen.evaluation.effects.study import Distribution

Answer = tuple[Mapping[str, Any], "Iterable[Table | str]"]


def effects(
    images: Annotated[list[Path], typer.Argument(metavar="IMAGE|DIR...", help="Image files, or folders of them.")],
    bundle: BundleOption = None,
    masking: Annotated[str, choice("--masking", MASKINGS, "What is changed; see docs/effects.md.")] = "pixels",
    share: Annotated[float, typer.Option(help="Of the image that is changed: above 0, up to 0.5.")] = SHARE,
    filling: Annotated[str, choice("--filling", FILLINGS, "What stands there afterwards.")] = BLACK,
    boxes: Annotated[
        Path | None,
        typer.Option(metavar="CSV", help="Mask the boxes that radiologists drew instead, each for its own finding."),
    ] = None,
    split: Annotated[
        str | None, typer.Option(metavar="NAME", help='Of the boxes; "test" where they have splits, or "all".')
    ] = None,
    second: Annotated[
        str | None,
        typer.Option(metavar="LABEL", help="Set the units to zero instead that raise this finding; with --layer."),
    ] = None,
    layer: Annotated[
        str | None, typer.Option(metavar="NAME", help="With --second: the ONNX value whose channels are the units.")
    ] = None,
    units: Annotated[int, typer.Option(min=1, help="With --second: how many units at most.")] = 8,
    runs: Annotated[
        int, typer.Option(min=2, help="Interventions on each image; with --second, sets of random units beside.")
    ] = 50,
    force: Annotated[bool, typer.Option("--force", help="Change images that the gate refuses, too.")] = False,
    resamples: ResamplesOption = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Of interventions and resamples.")] = 0,
    json_file: FiguresOption = None,
) -> None:
    """Measure expected effects: what random changes of an image do to each finding, with intervals.

    With --boxes: what each finding loses where its boxes are masked, beside the same boxes elsewhere.

    With --second: what becomes of every finding where the units that raise a second one are zero.
    """
    require_training()
    from sitegen.errors import SettingsError
    from sitegen.evaluation.effects.study import Distribution

    if split and not boxes:
        raise SettingsError("--split belongs to boxes. Name a table of them with --boxes.")
    if bool(second) != bool(layer) or (second and boxes):
        raise SettingsError("--second LABEL and --layer NAME go together, and not with --boxes.")
    check_place(json_file)
    over = Distribution(masking, share, filling, runs, seed, resamples)
    if second and layer:
        document, tables = _of_second(chosen_bundle(bundle), images, (second, layer, units), over, force)
    elif boxes:
        document, tables = _of_boxes(chosen_bundle(bundle), images, boxes, over, split, force)
    else:
        document, tables = _at_random(chosen_bundle(bundle), images, over, force)
    write_figures(json_file, document)
    show(tables)
    tell_left_out(document)
    tell_written(json_file)
    typer.echo("Not for diagnostic use.")


def _at_random(bundle: "Bundle", images: list[Path], over: "Distribution", force: bool) -> Answer:
    from sitegen.cli._progress import progress
    from sitegen.data.layouts.class_folders import images_below
    from sitegen.evaluation.effects.study import study
    from sitegen.evaluation.effects.tables import as_tables

    paths = [each for path in images for each in (images_below(path) if path.is_dir() else [path])]
    with progress(len(paths)) as bar:
        task = bar.add_task("Intervening", total=len(paths))
        document = study(bundle, paths, over, force=force, advance=lambda: bar.advance(task))
    return document, as_tables(document)


def _of_boxes(
    bundle: "Bundle", images: list[Path], boxes: Path, over: "Distribution", split: str | None, force: bool
) -> Answer:
    from sitegen.cli._progress import progress
    from sitegen.evaluation.effects.boxed import boxed_study
    from sitegen.evaluation.effects.tables import as_box_tables

    with progress(2) as bar:
        task = bar.add_task("Masking boxes", total=None)

        def advance(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        document = boxed_study(bundle, images, boxes, over, split=split, force=force, advance=advance)
    return document, as_box_tables(document)


def _of_second(
    bundle: "Bundle", images: list[Path], what: tuple[str, str, int], over: "Distribution", force: bool
) -> Answer:
    from sitegen.cli._progress import progress
    from sitegen.evaluation.concepts.document import as_second_label_tables
    from sitegen.evaluation.concepts.second_label import SecondLabel, second_label_study

    asked = SecondLabel(*what, over.runs, over.seed, over.resamples)
    with progress(2) as bar:
        task = bar.add_task("Setting units to zero", total=None)

        def advance(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        document = second_label_study(bundle, images, asked, force=force, advance=advance)
    return document, as_second_label_tables(document)
