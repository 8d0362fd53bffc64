"""`sitegen build`: from a bundle to a site."""

from pathlib import Path
from typing import Annotated

import typer

from sitegen.cli.options import BundleOption, chosen_bundle

_STAGES = {
    "engines": "Fetching Pyodide and ONNX Runtime Web",
    "snapshot": "Making Pyodide's memory snapshot",
    "packing": "Packing assets",
    "pages": "Writing pages",
}


def build(
    bundle: BundleOption = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="The folder to write.")] = Path("dist"),
) -> None:
    """Build a site: a folder that works from a web server and by a double click on its index.html."""
    from rich.console import Console

    from sitegen.site import build_site

    console = Console(stderr=True, log_path=False)
    loaded = chosen_bundle(bundle)
    with console.status("Starting") as status:

        def report(stage: str) -> None:
            status.update(_STAGES[stage])
            console.log(_STAGES[stage])

        site = build_site(loaded, out, report)
    index = (out / "index.html").resolve()
    megabytes = site.bytes_loaded / 1e6
    typer.echo(f"Built {out} ({megabytes:.1f} MB to load). Not for diagnostic use.")
    typer.echo(f"Open it: double-click {index}")
    typer.echo(f"     or: sitegen serve {out}")
    typer.echo("Copy the whole folder to any web host or USB stick; it needs no network, server or install.")
