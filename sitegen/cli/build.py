"""`sitegen build`: from bundles to a site."""

from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from sitegen.cli._options import (
    BundlesOption,
    DataOption,
    ImagesOption,
    ProjectOption,
    WorkOption,
    require_training,
    work_folder,
)
from sitegen.errors import SettingsError

_STAGES = {
    "engines": "Fetching Pyodide and ONNX Runtime Web",
    "snapshot": "Making Pyodide's memory snapshot",
    "packing": "Packing assets",
    "pages": "Writing pages",
}


def build(
    bundle: BundlesOption = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="The folder to write.")] = Path("dist"),
    project: ProjectOption = None,
    strict: Annotated[bool, typer.Option("--strict", help="Unknown keys of the project's file are errors.")] = False,
    no_service_worker: Annotated[
        bool,
        typer.Option("--no-service-worker", help="Leave out what lets a served site go on without its server."),
    ] = False,
    recipe: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Make the bundle too, from this recipe: audit, train, export, evaluate, build."
        ),
    ] = None,
    data: DataOption = None,
    work: WorkOption = None,
    images: ImagesOption = None,
    final: Annotated[
        bool, typer.Option("--final", help="With --recipe: also open the test images, for card and report.")
    ] = False,
) -> None:
    """Build a site: a folder that works from a web server and by a double click on its index.html.

    In a folder with a sitegen.toml that file says what the site is made of; `sitegen new` makes one. With several
    bundles the page lets people choose; it begins with the first.

    With --recipe the whole chain runs, from data to site. What is done is skipped, and what was stopped goes on.
    """
    if recipe:
        if bundle or project or strict or no_service_worker:
            raise SettingsError(
                "--recipe makes a bundle itself: leave out --bundle, --project, --strict and --no-service-worker."
            )
        _from_recipe(recipe, out, data, work, tuple(images or ()), final)
        return
    if data or work or images or final:
        raise SettingsError("--data, --work, --images and --final belong to --recipe FILE; add it, or leave them out.")
    _from_bundles(project, bundle or [], out, strict, no_service_worker)


def _from_recipe(
    recipe: Path,
    out: Path,
    data: Path | None,
    work: Path | None,
    images: tuple[Path, ...],
    final: bool,
) -> None:
    require_training()
    from rich.console import Console

    from sitegen.recipe.chain import Chain
    from sitegen.settings.recipe import read_recipe_file

    console = Console(stderr=True, log_path=False, markup=False, emoji=False, highlight=False)
    file = read_recipe_file(recipe)
    chain = Chain(recipe, file, work_folder(work, file.name), out, data, final, images)
    ran = chain.run(console.log)
    typer.echo(f"Ran: {', '.join(ran) or 'nothing, all was done'}.")
    typer.echo(f"Bundle: {chain.bundle}; read its card.md. Figures: {chain.work / 'evaluation.html'}")
    _say_how_to_open(out)
    typer.echo(f"Next: sitegen verify --site {quote(str(out))} --bundle {quote(str(chain.bundle))}")


def _from_bundles(
    project: Path | None, bundles: list[Path], out: Path, strict: bool, without_service_worker: bool
) -> None:
    from rich.console import Console

    from sitegen.bundle.unseen import unseen_words
    from sitegen.project.plan import read_plan

    console = Console(stderr=True, log_path=False)
    plan = read_plan(project, bundles, strict=strict)
    for warning in plan.warnings:
        typer.echo(f"Warning: {warning}", err=True)
    with console.status("Starting") as status:

        def report(stage: str) -> None:
            status.update(_STAGES[stage])
            console.log(_STAGES[stage])

        site = plan.build(out, report, without_service_worker=without_service_worker)
    for said in filter(None, map(unseen_words, plan.load_bundles())):
        typer.echo(f"Note: {said}", err=True)
    typer.echo(f"Built {out} ({site.bytes_loaded / 1e6:.1f} MB to load). Not for diagnostic use.")
    _say_how_to_open(out)


def _say_how_to_open(out: Path) -> None:
    typer.echo(f"Open it: double-click {(out / 'index.html').resolve()}")
    typer.echo(f"     or: sitegen serve {out}")
    typer.echo("Copy the whole folder to any web host or USB stick; it needs no network, server or install.")
    _say_numbers(out)


def _say_numbers(out: Path) -> None:
    from sitegen.cli._integrity import say_digests
    from sitegen.site.integrity.checksums import digests

    say_digests(digests(out))
    typer.echo("Tell one of the two by another way than the copy, and anyone can check all files: see security.html")
