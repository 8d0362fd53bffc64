"""`sitegen serve`: look at a site over http, from this machine only."""

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sitegen.cli._options import BundlesOption, ProjectOption
from sitegen.errors import SettingsError

if TYPE_CHECKING:
    from sitegen.project.plan import SitePlan
    from sitegen.site.serving.reload import Reloader


def serve(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="The site's folder.")] = Path("dist"),
    port: Annotated[int | None, typer.Option(help="The port; the first free one from 8000 by default.")] = None,
    watch: Annotated[
        bool,
        typer.Option("--watch", help="Build the site first, and again whenever a file changes; open pages reload."),
    ] = False,
    project: ProjectOption = None,
    bundle: BundlesOption = None,
) -> None:
    """Serve a built site on this machine (127.0.0.1), and print its address."""
    if watch:
        _serve_and_watch(folder, port, project, bundle or [])
        return
    if project or bundle:
        raise SettingsError("--project and --bundle belong to --watch: add it, or leave them out.")
    from sitegen.site.serving.server import address, make_server

    server = make_server(folder, port)
    typer.echo(f"Serving {folder} at {address(server)} (this machine only; Ctrl+C stops)")
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        typer.echo("Stopped.")
    finally:
        server.server_close()


def _serve_and_watch(folder: Path, port: int | None, project: Path | None, bundles: list[Path]) -> None:
    from sitegen.project.plan import read_plan
    from sitegen.project.watch import Watcher
    from sitegen.site.serving.reload import Reloader
    from sitegen.site.serving.server import address, make_server

    reloader = Reloader()
    watcher = Watcher(lambda: read_plan(project, bundles))
    _build(watcher.plan, folder)
    server = make_server(folder, port, reloader)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    typer.echo(f"Serving {folder} at {address(server)} (this machine only; Ctrl+C stops)")
    typer.echo("Watching. The served page has one script more, which reloads it; the folder itself has none.")
    try:
        watcher.run(lambda plan: _build(plan, folder, reloader), typer.echo, threading.Event())
    except KeyboardInterrupt:
        typer.echo("Stopped.")
    finally:
        server.shutdown()
        server.server_close()


def _build(plan: "SitePlan", folder: Path, reloader: "Reloader | None" = None) -> None:
    for warning in plan.warnings:
        typer.echo(f"Warning: {warning}", err=True)
    plan.build(folder)
    typer.echo(f"Built {folder}. Not for diagnostic use.")
    if reloader:
        reloader.reload()
