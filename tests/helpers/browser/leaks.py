"""Tries every way out of a page with a site's policy, and says which of them reached somebody.

`python -m tests.helpers.browser.leaks --browser firefox` prints them; `sitegen/site/inspection/ways_out.py` lists them.
"""

import argparse
import contextlib
import http.server
import socket
import threading
import time
from collections.abc import Iterator
from urllib.parse import quote

from sitegen.browser.driver import Driver
from sitegen.browser.engines import ENGINES
from sitegen.site.page import index_policy
from tests.helpers.browser.leak_ways import IN_PLACE, LEAVING, program

_STYLE = "#box { color: black; }"
OWN, OTHER = "own", "other"


class Listener:
    """A port of this machine that notes who came: requests by their last part, and bare contacts (TCP and UDP)."""

    def __init__(self) -> None:
        self.asked: set[str] = set()
        self.touched: set[str] = set()
        self.page = b""
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.add(self.path)
                if "leak=" in self.headers.get("Cookie", ""):
                    outer.asked.add("/cookie")
                self.send_response(200)
                self.send_header("Content-Type", "text/html" if self.path == "/" else "text/plain")
                self.send_header("Cache-Control", "no-store")
                content = outer.page if self.path == "/" else b""
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_POST = do_HEAD = do_GET  # noqa: N815 - the names that http.server asks for

            def log_message(self, *_: object) -> None:
                pass

        class Server(http.server.ThreadingHTTPServer):
            def process_request(self, request, client_address) -> None:  # type: ignore[no-untyped-def]
                outer.touched.add("TCP")
                super().process_request(request, client_address)

            def handle_error(self, *_: object) -> None:
                pass

        self._server = Server(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        self._datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._datagrams.bind(("127.0.0.1", self._server.server_port))
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        threading.Thread(target=self._receive, daemon=True).start()

    def _receive(self) -> None:
        with contextlib.suppress(OSError):
            while self._datagrams.recvfrom(2_000):
                self.touched.add("UDP")

    def close(self) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._server.server_close()
        self._datagrams.close()


@contextlib.contextmanager
def listening() -> Iterator[Listener]:
    """A listener for as long as the block lasts."""
    listener = Listener()
    try:
        yield listener
    finally:
        listener.close()


def page() -> bytes:
    """A page with the policy of a site's index, and a program that tries to get out."""
    script = program()
    policy = index_policy(script, _STYLE).replace("'", "&#39;")
    head = f'<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{policy}">'
    body = f'<div id="box">box</div><script>{script}</script>'
    return f"<!doctype html><html><head>{head}<style>{_STYLE}</style></head><body>{body}</body></html>".encode()


_TRY = "const [name, to, done] = arguments; globalThis.tryOut(name, to); setTimeout(done, 60);"


def _slug(name: str) -> str:
    return quote(name, safe="")


def ways_out(driver: Driver, seconds: float = 4.0) -> dict[str, set[str]]:
    """Return the ways that reached the own host (`own`) and another (`other`), at most `seconds` after the last."""
    found: dict[str, set[str]] = {OWN: set(), OTHER: set()}
    with listening() as own, listening() as other, listening() as bare:
        own.page = page()
        hosts = {OWN: own, OTHER: other}
        for kind, host in hosts.items():
            driver.get(own.address)
            for name in IN_PLACE.keys() - {"preconnect", "WebRTC"}:
                driver.execute_async_script(_TRY, name, f"{host.address}/{kind}/{_slug(name)}")
            time.sleep(seconds)
        for name in ("preconnect", "WebRTC"):
            bare.touched.clear()
            driver.get(own.address)
            driver.execute_async_script(_TRY, name, f"{bare.address}/x")
            time.sleep(seconds)
            if bare.touched:
                found[OTHER].add(name)
        for name in LEAVING:
            for kind, host in hosts.items():
                _leave(driver, own.address, name, f"{host.address}/{kind}/{_slug(name)}")
        time.sleep(seconds)
        for kind, host in hosts.items():
            asked = own.asked | other.asked if kind == OWN else host.asked
            found[kind] |= {name for name in IN_PLACE | LEAVING if f"/{kind}/{_slug(name)}" in asked}
        if "/cookie" in own.asked:
            found[OWN].add("cookie, and a reload")
    return found


def _leave(driver: Driver, start: str, name: str, to: str) -> None:
    with contextlib.suppress(Exception):  # a page that was left answers nobody
        driver.get(start)
        driver.execute_async_script(_TRY, name, to)
        time.sleep(0.3)


def main() -> None:
    """Try in the browser that was named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--browser", choices=list(ENGINES), default="chromium")
    asked = parser.parse_args()
    print(f"{len(IN_PLACE) + len(LEAVING)} ways, each to the own host and to another, in {asked.browser}")
    with ENGINES[asked.browser].start() as driver:
        driver.set_script_timeout(20)
        for kind, names in ways_out(driver).items():
            print(f"{kind}: {len(names)}", *sorted(names), sep="\n  ")


if __name__ == "__main__":
    main()
