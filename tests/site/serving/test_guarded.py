"""The loopback server gives what is in the folder, to pages of this machine alone, and survives any request."""

import socket
import sys
import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest

from sitegen.site.serving.reload import Reloader
from sitegen.site.serving.server import make_server

LINKS = pytest.mark.skipif(sys.platform == "win32", reason="links need a right there")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    site = tmp_path / "dist"
    (site / "inside").mkdir(parents=True)
    (site / "index.html").write_text("<title>page</title></body>")
    (site / "manifest.json").write_text("{}")
    (site / "inside" / "a.txt").write_text("inside")
    (tmp_path / "secret.txt").write_text("secret")
    return site


@pytest.fixture(params=[False, True], ids=["plain", "reloading"])
def server(folder: Path, request: pytest.FixtureRequest) -> Iterator[ThreadingHTTPServer]:
    serving = make_server(folder, 0, Reloader() if request.param else None)
    thread = threading.Thread(target=serving.serve_forever, daemon=True)
    thread.start()
    yield serving
    serving.shutdown()
    serving.server_close()


def ask(server: ThreadingHTTPServer, raw: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=30) as connection:
        connection.sendall(raw)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def get(server: ThreadingHTTPServer, path: str, host: str = "127.0.0.1", method: str = "GET") -> bytes:
    return ask(server, f"{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())


def code(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost", "LOCALHOST:1", "[::1]:8000"])
def test_names_of_this_machine(server: ThreadingHTTPServer, host: str) -> None:
    assert code(get(server, "/inside/a.txt", host)) == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", "localhost@e", "[", ""]
)
@pytest.mark.parametrize("path", ["/", "/index.html", "/inside/a.txt", "/.sitegen-reload.js?version=1"])
def test_other_names_get_nothing(server: ThreadingHTTPServer, host: str, path: str) -> None:
    if host == "localhost@e":
        host = "localhost@evil.example"
    answer = get(server, path, host)
    assert code(answer) == 421
    assert b"page</title>" not in answer


@LINKS
def test_links_lead_no_further_than_the_folder(server: ThreadingHTTPServer, folder: Path) -> None:
    (folder / "out.txt").symlink_to("../secret.txt")
    (folder / "up").symlink_to("..")
    (folder / "round").symlink_to("round")
    (folder / "in.txt").symlink_to("inside/a.txt")
    for path in ("/out.txt", "/up/secret.txt", "/up/", "/up", "/round", "/../secret.txt", "/%2e%2e/secret.txt"):
        for method in ("GET", "HEAD"):
            answer = get(server, path, method=method)
            assert code(answer) == 404, path
            assert b"secret" not in answer.partition(b"\r\n\r\n")[2]
    assert get(server, "/in.txt").endswith(b"inside")


@LINKS
def test_an_index_that_leads_out(server: ThreadingHTTPServer, folder: Path) -> None:
    (folder / "index.html").unlink()
    (folder / "index.html").symlink_to("../secret.txt")
    for path in ("/index.html", "/"):
        assert b"secret" not in get(server, path).partition(b"\r\n\r\n")[2]


@pytest.mark.parametrize(
    "raw",
    [
        b"garbage\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET /a HTTP/9.9\r\n\r\n",
        b"GET http://[ HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET //[ HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /%00 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /" + b"n" * 5000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /" + b"n" * 70000 + b" HTTP/1.1\r\n\r\n",
        b"PUT /index.html HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"a: b\r\n" * 200 + b"\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01",
        b"",
    ],
)
def test_no_request_gives_a_traceback(
    server: ThreadingHTTPServer, capfd: pytest.CaptureFixture[str], raw: bytes
) -> None:
    answer = ask(server, raw)
    assert b"200" not in answer[:16]
    assert code(get(server, "/inside/a.txt")) == 200
    assert capfd.readouterr() == ("", "")


def test_an_index_that_is_away(server: ThreadingHTTPServer, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "index.html").unlink()
    assert code(get(server, "/index.html")) == 404
    assert capfd.readouterr() == ("", "")
