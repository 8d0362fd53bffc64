"""`sitegen evaluate adversarial`: what attacks do to a model, and whether anything tells attacked images."""

from pathlib import Path
from typing import Annotated

import typer

from sitegen.cli._options import FiguresOption, ResamplesOption, WorkersOption, require_training
from sitegen.cli._reports import (
    check_place,
    show,
    tell_left_out,
    tell_written,
    write_figures,
    write_report,
    write_table,
)


def adversarial(
    images: Annotated[list[Path], typer.Argument(metavar="IMAGE|DIR...", help="Image files, folders, data sets.")],
    report: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="Write the report here, as HTML.")] = Path(
        "adversarial.html"
    ),
    bundle: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The model's bundle; the one that ships by default.")
    ] = None,
    split: Annotated[str, typer.Option(help="The split of data sets to take, or all.")] = "all",
    limit: Annotated[
        int | None, typer.Option(min=2, help="Take so many images, drawn at random; all by default.")
    ] = None,
    attacks: Annotated[
        str, typer.Option(metavar="NAME,NAME", help="These attacks, separated by commas.")
    ] = "fgsm,bim,pgd,jsma,adaptive",
    strengths: Annotated[
        str, typer.Option(metavar="SHARE,SHARE", help="How far values may move, as shares of the range.")
    ] = "0.3,0.0078",
    steps: Annotated[int, typer.Option(min=1, help="Of each attack but fgsm.")] = 10,
    finding: Annotated[str | None, typer.Option(metavar="LABEL", help="Attack this one; all by default.")] = None,
    masks: Annotated[int, typer.Option(min=2, help="Masks whose effects detectors read.")] = 32,
    share: Annotated[float, typer.Option(help="Of the cells that each masks: above 0, up to 0.5.")] = 0.1,
    filling: Annotated[str, typer.Option(help="What stands in masked cells: black, mean or blur.")] = "black",
    weight: Annotated[float, typer.Option(min=0, help="What the adaptive attack pays for changed effects.")] = 2.0,
    force: Annotated[bool, typer.Option("--force", help="Attack images that the gate refuses, too.")] = False,
    resamples: ResamplesOption = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Of images, masks, random starts, folds and resamples.")] = 0,
    workers: WorkersOption = None,
    json_file: FiguresOption = None,
    csv_file: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Write a row for each image and attack here.")
    ] = None,
) -> None:
    """Attack a model's images, and measure whether effects of masking, the gate or the logits tell them."""
    require_training()
    from sitegen import resources
    from sitegen.evaluation.adversarial.page import as_html, as_tables
    from sitegen.evaluation.adversarial.study import Study, rows_of, study
    from sitegen.evaluation.adversarial.trial import Plan
    from sitegen.metrics.resampling import Resampling

    for path in (report, json_file, csv_file):
        check_place(path)
    plan = Plan(_names(attacks), _numbers(strengths), steps, finding, masks, share, filling, weight, seed, force)
    chosen = bundle or resources.default_bundle()
    answer = study(Study(chosen, images, split, limit, plan, Resampling(resamples, seed=seed), workers))
    write_figures(json_file, answer.document)
    write_report(report, as_html(answer.document))
    if csv_file:
        write_table(csv_file, rows_of(answer))
    show(as_tables(answer.document))
    tell_left_out(answer.document)
    tell_written(report, json_file, csv_file)
    typer.echo("Not for diagnostic use.")


def _names(given: str) -> list[str]:
    return [name.strip() for name in given.split(",") if name.strip()]


def _numbers(given: str) -> list[float]:
    from sitegen.errors import SettingsError

    try:
        return [float(part) for part in _names(given)]
    except ValueError:
        raise SettingsError(f"--strengths takes numbers such as 0.3,0.0078, not {given!r}.") from None
