"""`sitegen train concepts`: an autoencoder at a layer of a bundle's classifier, and what its codes do."""

from pathlib import Path
from typing import Annotated

import typer

from sitegen.cli._options import BundleOption, ResamplesOption, require_training
from sitegen.cli._reports import show, tell_left_out, tell_written, write_figures, write_report, write_table


def concepts(
    layer: Annotated[str, typer.Option(metavar="NAME", help="The ONNX value of the classifier to look into.")],
    config: Annotated[Path, typer.Option(metavar="FILE", help="A TOML file with a table [concepts].")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="DIR", help="The folder to write to.")],
    bundle: BundleOption = None,
    force: Annotated[bool, typer.Option("--force", help="Take images that the gate refuses, too.")] = False,
    resamples: ResamplesOption = 1000,
) -> None:
    """Find concepts in a layer, set each to zero, and measure what that does to each finding."""
    require_training()
    from sitegen import resources
    from sitegen.errors import DataError
    from sitegen.evaluation.concepts.document import as_tables, rows_of
    from sitegen.evaluation.concepts.page import as_html
    from sitegen.evaluation.concepts.settings import read_concept_settings
    from sitegen.evaluation.concepts.study import FIGURES, PAGE, TABLE, WEIGHTS, Study, save_concepts, study

    settings = read_concept_settings(config)
    asked = Study(bundle or resources.default_bundle(), layer, settings, config.parent, force, resamples)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"{out} cannot be made: {error.strerror}. Name another folder.") from error
    answer = study(asked)
    document = answer.document
    save_concepts(answer.fitted, asked, out / WEIGHTS)
    write_figures(out / FIGURES, document)
    write_table(out / TABLE, rows_of(document))
    write_report(out / PAGE, as_html(document, answer.strongest, answer.entry))
    show(as_tables(document))
    tell_left_out(document)
    tell_written(*(out / name for name in (WEIGHTS, FIGURES, TABLE, PAGE)))
    typer.echo("Not for diagnostic use.")
