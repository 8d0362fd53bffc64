"""A loopback server for looking at a site: reachable from this machine only."""

import functools
import http.server
from pathlib import Path

from sitegen.errors import SiteError

FIRST_PORT = 8000
PORTS = 50


class _Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: what was opened when is nobody's business."""


def check_site(folder: Path) -> None:
    """Raise SiteError where a folder holds no built site."""
    if not (folder / "index.html").is_file() or not (folder / "manifest.json").is_file():
        raise SiteError(
            f"{folder} is not a built site: index.html or manifest.json is missing. Run `sitegen build` first."
        )


def make_server(folder: Path, port: int | None = None) -> http.server.ThreadingHTTPServer:
    """Return a server of a folder on 127.0.0.1, on a given port (0 for any free one) or the first free one from 8000.

    Raises SiteError where the folder is no site or no port is free.
    """
    check_site(folder)
    handler = functools.partial(_Handler, directory=str(folder))
    for candidate in [port] if port is not None else range(FIRST_PORT, FIRST_PORT + PORTS):
        try:
            return http.server.ThreadingHTTPServer(("127.0.0.1", candidate), handler)
        except OSError:
            continue
    wanted = f"Port {port} is" if port is not None else f"All ports from {FIRST_PORT} to {FIRST_PORT + PORTS - 1} are"
    raise SiteError(f"{wanted} in use. Name another with --port.")


def address(server: http.server.ThreadingHTTPServer) -> str:
    """Return the address of a server's index page."""
    return f"http://127.0.0.1:{server.server_port}/index.html"
