"""A loopback server for looking at a site: reachable from this machine only."""

import contextlib
import functools
import http.server
import sys
from http import HTTPStatus
from pathlib import Path
from urllib.parse import SplitResult, parse_qs, urlsplit

from sitegen.errors import SiteError
from sitegen.replacing import recover
from sitegen.site.serving.offline import SERVICE_WORKER
from sitegen.site.serving.reload import SCRIPT, Reloader, read_while_swapped

FIRST_PORT = 8000
PORTS = 50
# What makes browsers isolate a page, so that it may share memory among threads (docs/hosting.md).
ISOLATION = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
}
# The page's own policy does not bind its service worker; this one does.
SERVICE_WORKER_POLICY = {"Content-Security-Policy": "default-src 'none'; connect-src 'self'"}
# For the service worker: whoever looks at a site on this machine wants to see what was just built.
PREVIEW = {"Sitegen-Updates": "at-once"}


class _Handler(http.server.SimpleHTTPRequestHandler):
    timeout = 60  # seconds that a connection may say nothing

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: what was opened when is nobody's business."""

    def parse_request(self) -> bool:
        """Read the request, and refuse what a page of another name asks for, or what leads out of the folder."""
        if not super().parse_request():
            return False
        if not _is_this_machine(self.headers.get("Host")):
            self.send_error(HTTPStatus.MISDIRECTED_REQUEST, "This server answers to localhost and 127.0.0.1 alone")
            return False
        if not self._is_inside():
            self.send_error(HTTPStatus.NOT_FOUND, "File not found")
            return False
        return True

    def _is_inside(self) -> bool:
        """Whether what is asked for lies in the folder, also where links lead somewhere else."""
        asked, folder = Path(self.translate_path(self.path)), Path(self.directory)
        try:
            given = [asked, *(asked / name for name in ("index.html", "index.htm"))]  # of a folder, its index
            return all(path.resolve().is_relative_to(folder.resolve()) for path in given)
        except (OSError, ValueError, RuntimeError):  # a name that no file can have, or links in a circle
            return False

    def end_headers(self) -> None:
        """Add the headers of every answer."""
        policy = SERVICE_WORKER_POLICY if self._asked().path == f"/{SERVICE_WORKER}" else {}
        for name, value in {**ISOLATION, **PREVIEW, **policy}.items():
            self.send_header(name, value)
        super().end_headers()

    def _asked(self) -> SplitResult:
        try:
            return urlsplit(getattr(self, "path", ""))  # of a request that could not be read there is none
        except ValueError:
            return urlsplit("")


class _Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Say in a line what failed, but not what was asked for; a page that was closed is no failure."""
        error = sys.exc_info()[1]
        if not isinstance(error, (ConnectionError, TimeoutError)):
            sys.stderr.write(f"sitegen: a request could not be answered ({type(error).__name__})\n")


def _is_this_machine(host: str | None) -> bool:
    """Whether a request's host is a name of this machine: another site's name may be led here to read what is served.

    Any port will do, for it may be forwarded. Browsers always name the host.
    """
    if host is None:
        return True
    try:
        return urlsplit(f"//{host}").hostname in ("localhost", "127.0.0.1", "::1")
    except ValueError:
        return False


class _ReloadingHandler(_Handler):
    """Serves the index page with a script more, and that script."""

    reloader: Reloader

    def do_GET(self) -> None:
        """Answer as ever, except for the index page and the script."""
        address = self._asked()
        if address.path == SCRIPT:
            self._send(self.reloader.answer(parse_qs(address.query)).encode(), "text/javascript")
        elif address.path in ("/", "/index.html"):
            self._send_index(Path(self.directory) / "index.html")
        else:
            super().do_GET()

    def _send_index(self, path: Path) -> None:
        try:
            index = read_while_swapped(path.read_bytes)
        except OSError:
            self.send_error(HTTPStatus.NOT_FOUND, "File not found")
        else:
            self._send(self.reloader.into(index), "text/html")

    def _send(self, content: bytes, kind: str) -> None:
        with contextlib.suppress(ConnectionError):  # a page that asked may be closed by now
            self.send_response(200)
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(content)


def check_site(folder: Path) -> None:
    """Raise SiteError where a folder holds no built site."""
    if not folder.exists():
        recover(folder)
    if not (folder / "index.html").is_file() or not (folder / "manifest.json").is_file():
        raise SiteError(
            f"{folder} is not a built site: index.html or manifest.json is missing. Run `sitegen build` first."
        )


def make_server(
    folder: Path, port: int | None = None, reloader: Reloader | None = None
) -> http.server.ThreadingHTTPServer:
    """Return a server of a folder on 127.0.0.1, on a given port (0 for any free one) or the first free one from 8000.

    With a `reloader` open pages reload when it says so. Raises SiteError where the folder is no site or no port is
    free.
    """
    check_site(folder)
    kind = type("Handler", (_ReloadingHandler,), {"reloader": reloader}) if reloader else _Handler
    handler = functools.partial(kind, directory=str(folder))
    for candidate in [port] if port is not None else range(FIRST_PORT, FIRST_PORT + PORTS):
        try:
            return _Server(("127.0.0.1", candidate), handler)
        except OSError:
            continue
    wanted = f"Port {port} is" if port is not None else f"All ports from {FIRST_PORT} to {FIRST_PORT + PORTS - 1} are"
    raise SiteError(f"{wanted} in use. Name another with --port.")


def address(server: http.server.ThreadingHTTPServer) -> str:
    """Return the address of a server's index page."""
    return f"http://127.0.0.1:{server.server_port}/index.html"
