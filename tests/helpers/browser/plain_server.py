"""A static host as people have them: no special headers, and a folder that may change or vanish."""

import contextlib
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path


class PlainServer:
    """Serves the folder that it is told to, and lists what it was asked for, until it dies."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked: list[str] = []
        outer = self

        class Handler(http.server.SimpleHTTPRequestHandler):
            def __init__(self, *arguments: object) -> None:
                super().__init__(*arguments, directory=str(outer.folder))  # type: ignore[arg-type]

            def do_GET(self) -> None:
                outer.asked.append(self.path.lstrip("/"))
                super().do_GET()

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}/index.html"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def die(self) -> None:
        """Answer nobody any more."""
        self._server.shutdown()
        self._server.server_close()


@contextlib.contextmanager
def plain_server(folder: Path) -> Iterator[PlainServer]:
    """Serve a folder on a port, and so an origin, of its own."""
    server = PlainServer(folder)
    try:
        yield server
    finally:
        with contextlib.suppress(OSError):
            server.die()
