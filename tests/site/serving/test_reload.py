"""Reloading pages: what is served is what was built and one script more; the answer waits for the next version."""

import json
import re
import socket
import struct
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from sitegen.site.serving.reload import SCRIPT, Reloader, read_while_swapped
from sitegen.site.serving.server import address, make_server

INDEX = "<!doctype html><meta http-equiv='Content-Security-Policy' content=\"script-src 'self'\"><body><p>é</body>"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[str, Reloader, Path]]:
    (tmp_path / "index.html").write_text(INDEX, encoding="utf-8")
    (tmp_path / "manifest.json").write_text("{}")
    reloader = Reloader()
    server = make_server(tmp_path, 0, reloader)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield address(server).removesuffix("/index.html"), reloader, tmp_path
    server.shutdown()
    server.server_close()


def got(url: str) -> str:
    with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310 - our own server
        return str(answer.read().decode())


def test_the_index_has_one_script_more_as_it_is_served(served: tuple[str, Reloader, Path]) -> None:
    url, reloader, folder = served
    tag = f'<script src="{SCRIPT}?version={reloader.version}"></script>'
    assert got(f"{url}/") == got(f"{url}/index.html") == INDEX.replace("</body>", f"{tag}</body>")
    assert (folder / "index.html").read_text("utf-8") == INDEX
    assert json.loads(got(f"{url}/manifest.json")) == {}


def test_an_open_page_is_told_when_there_is_a_new_version(
    served: tuple[str, Reloader, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, reloader, _ = served
    asked = f"{url}{SCRIPT}?version={reloader.version}&asked=1"
    answers: list[str] = []
    answer, has_come = reloader.answer, threading.Event()

    def noted(query: dict[str, list[str]]) -> str:
        has_come.set()
        return answer(query)

    monkeypatch.setattr(reloader, "answer", noted)
    waiting = threading.Thread(target=lambda: answers.append(got(asked)))
    waiting.start()
    assert has_come.wait(30)
    assert answers == []
    reloader.reload()
    waiting.join(30)
    assert answers == ["location.reload();"]
    assert got(asked) == "location.reload();"  # asked late, and by a page of an older version


def test_a_page_that_is_closed_while_it_waits_is_nothing_to_speak_of(
    served: tuple[str, Reloader, Path], capfd: pytest.CaptureFixture[str]
) -> None:
    url, reloader, _ = served
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as page:
        page.sendall(f"GET {SCRIPT}?version={reloader.version}&asked=1 HTTP/1.0\r\n\r\n".encode())
        page.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # closed without a farewell
        time.sleep(0.2)
    time.sleep(0.2)
    reloader.reload()
    assert "location.reload" in got(f"{url}{SCRIPT}?version=old&asked=1")
    assert capfd.readouterr() == ("", "")


def test_without_a_new_version_the_page_is_told_to_ask_again() -> None:
    reloader = Reloader()
    assert reloader.answer({"version": [reloader.version], "asked": ["1"]}, seconds=0.01) == ""
    assert reloader.answer({"version": ["of an earlier server"], "asked": ["1"]}, seconds=30) == "location.reload();"
    assert re.search(r"script\.onload = .* ask\(\);", reloader.answer({"version": [reloader.version]}))


def test_versions_differ_from_server_to_server() -> None:
    assert Reloader().version != Reloader().version


def test_a_file_that_is_being_replaced_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "index.html"
    missed = 0

    def read() -> bytes:
        """Read the file, which the other program puts in place, whole, after it was missed twice."""
        nonlocal missed
        try:
            return path.read_bytes()
        except FileNotFoundError:
            missed += 1
            if missed == 2:
                path.write_bytes(b"new")
            raise

    assert read_while_swapped(read, attempts=3) == b"new"
    assert missed == 2
    with pytest.raises(FileNotFoundError):
        read_while_swapped((tmp_path / "none").read_bytes, attempts=2)
