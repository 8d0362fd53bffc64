"""`sitegen serve`: look at a site over http, from this machine only."""

from pathlib import Path
from typing import Annotated

import typer


def serve(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="The site's folder.")] = Path("dist"),
    port: Annotated[int | None, typer.Option(help="The port; the first free one from 8000 by default.")] = None,
) -> None:
    """Serve a built site on this machine (127.0.0.1), and print its address."""
    from sitegen.site.server import address, make_server

    server = make_server(folder, port)
    typer.echo(f"Serving {folder} at {address(server)} (this machine only; Ctrl+C stops)")
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        typer.echo("Stopped.")
    finally:
        server.server_close()
