"""`sitegen build`: from a bundle to a site."""

from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from sitegen.cli.options import (
    BundleOption,
    DataOption,
    ImagesOption,
    WorkOption,
    chosen_bundle,
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
    bundle: BundleOption = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="The folder to write.")] = Path("dist"),
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

    With --recipe the whole chain runs, from data to site. What is done is skipped, and what was stopped goes on.
    """
    if recipe:
        _from_recipe(recipe, out, bundle, data, work, tuple(images or ()), final)
        return
    if data or work or images or final:
        raise SettingsError("--data, --work, --images and --final belong to --recipe FILE; add it, or leave them out.")
    _from_bundle(bundle, out)


def _from_recipe(
    recipe: Path,
    out: Path,
    bundle: Path | None,
    data: Path | None,
    work: Path | None,
    images: tuple[Path, ...],
    final: bool,
) -> None:
    require_training()
    from rich.console import Console

    from sitegen.recipe.chain import Chain
    from sitegen.recipe.document import read_recipe_file

    if bundle:
        raise SettingsError("--recipe makes a bundle, and --bundle names one: give one of them.")
    console = Console(stderr=True, log_path=False, markup=False, emoji=False, highlight=False)
    file = read_recipe_file(recipe)
    chain = Chain(recipe, file, work_folder(work, file.name), out, data, final, images)
    ran = chain.run(console.log)
    typer.echo(f"Ran: {', '.join(ran) or 'nothing, all was done'}.")
    typer.echo(f"Bundle: {chain.bundle}; read its card.md. Figures: {chain.work / 'evaluation.html'}")
    _say_how_to_open(out)
    typer.echo(f"Next: sitegen verify --site {quote(str(out))} --bundle {quote(str(chain.bundle))}")


def _from_bundle(bundle: Path | None, out: Path) -> None:
    from rich.console import Console

    from sitegen.site import build_site

    console = Console(stderr=True, log_path=False)
    loaded = chosen_bundle(bundle)
    with console.status("Starting") as status:

        def report(stage: str) -> None:
            status.update(_STAGES[stage])
            console.log(_STAGES[stage])

        site = build_site(loaded, out, report)
    typer.echo(f"Built {out} ({site.bytes_loaded / 1e6:.1f} MB to load). Not for diagnostic use.")
    _say_how_to_open(out)


def _say_how_to_open(out: Path) -> None:
    typer.echo(f"Open it: double-click {(out / 'index.html').resolve()}")
    typer.echo(f"     or: sitegen serve {out}")
    typer.echo("Copy the whole folder to any web host or USB stick; it needs no network, server or install.")
    _say_numbers(out)


def _say_numbers(out: Path) -> None:
    from sitegen.cli.integrity import say_digests
    from sitegen.site.checksums import digests

    say_digests(digests(out))
    typer.echo("Tell one of the two by another way than the copy, and anyone can check all files: see security.html")
