"""A proxy that lets nothing through and writes down what was asked: for engines that keep no log of requests."""

import contextlib
import socketserver
import threading
from collections.abc import Iterator

_LONGEST_LINE = 8192
UNREADABLE = "https://address-not-told.invalid/"


class RecordingProxy(socketserver.ThreadingTCPServer):
    """Listens on a free port of this machine."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Recorder)
        self._urls: list[str] = []

    @property
    def address(self) -> str:
        """Host and port, as in a browser's settings."""
        host, port = self.server_address[:2]
        return f"{host!s}:{port}"

    def note(self, url: str) -> None:
        """Remember an address."""
        self._urls.append(url)

    def taken(self) -> list[str]:
        """Return the addresses since the last call."""
        urls, self._urls = self._urls, []
        return urls


class _Recorder(socketserver.StreamRequestHandler):
    server: RecordingProxy

    def handle(self) -> None:
        words = self.rfile.readline(_LONGEST_LINE).split(b" ")
        # Some browsers encrypt what they say to a proxy for https, so that nothing but the attempt is seen.
        is_plain = len(words) == 3 and words[2].startswith(b"HTTP/")
        self.server.note(words[1].decode("latin-1") if is_plain else UNREADABLE)


@contextlib.contextmanager
def recording_proxy() -> Iterator[RecordingProxy]:
    """Yield a running proxy; it ends with the block."""
    with RecordingProxy() as proxy:
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        try:
            yield proxy
        finally:
            proxy.shutdown()
