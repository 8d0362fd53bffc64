"""Hosts as people have them: with headers of their own, wrong types, refusals, and pages that frame the site."""

import contextlib
import http.server
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path


@dataclass
class Host:
    """How a folder is served.

    `headers` go with every file, `types` are media types by ending, `status` is that of scripts. `frame` is the HTML of
    a page at /frame.html in which {} stands for the address of the site.
    """

    headers: Mapping[str, str] = field(default_factory=dict)
    types: Mapping[str, str] = field(default_factory=dict)
    status: HTTPStatus = HTTPStatus.OK
    frame: str = '<iframe src="{}"></iframe>'


def _handler(host: Host, folder: Path) -> type[http.server.SimpleHTTPRequestHandler]:
    class Handler(http.server.SimpleHTTPRequestHandler):
        extensions_map = {**http.server.SimpleHTTPRequestHandler.extensions_map, **host.types}  # noqa: RUF012

        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments, directory=str(folder))  # type: ignore[arg-type]

        def do_GET(self) -> None:
            if self.path == "/frame.html":
                content = f"<!doctype html>{host.frame.format('index.html')}".encode()
                super().send_response(HTTPStatus.OK)
                super().send_header("Content-Type", "text/html")
                super().send_header("Content-Length", str(len(content)))
                http.server.BaseHTTPRequestHandler.end_headers(self)
                self.wfile.write(content)
            elif host.status != HTTPStatus.OK and self.path.endswith(".js"):
                self.send_error(host.status)
            else:
                super().do_GET()

        def end_headers(self) -> None:
            for name, value in host.headers.items():
                self.send_header(name, value)
            super().end_headers()

        def log_message(self, *_: object) -> None:
            pass

    return Handler


class _Server(http.server.ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """Browsers hang up on what they refuse."""


@contextlib.contextmanager
def serving(host: Host, folder: Path) -> Iterator[str]:
    """Serve a folder as this host does, on a port of its own; yield the address of its root."""
    server = _Server(("127.0.0.1", 0), _handler(host, folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
