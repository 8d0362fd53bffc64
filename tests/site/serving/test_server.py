"""The loopback server: this machine only, a site only, the first free port."""

import socket
import threading
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from sitegen.errors import SiteError
from sitegen.site.serving import server as server_module
from sitegen.site.serving.server import address, check_site, make_server


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "index.html").write_text("<!doctype html><title>é</title>", encoding="utf-8")
    (tmp_path / "manifest.json").write_text("{}")
    return tmp_path


def test_files_are_served_to_this_machine(folder: Path) -> None:
    server = make_server(folder, 0)
    assert server.server_address[0] == "127.0.0.1"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        with urllib.request.urlopen(address(server), timeout=30) as answer:  # noqa: S310 - our own server
            assert answer.read() == (folder / "index.html").read_bytes()
        outside = address(server).replace("index.html", "../" * 8 + "etc/hostname")
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(outside, timeout=30)  # noqa: S310 - our own server
    finally:
        server.shutdown()
        server.server_close()


def test_pages_are_isolated_and_the_service_worker_is_held_to_this_server(folder: Path) -> None:
    (folder / "service_worker.js").write_text("")
    server = make_server(folder, 0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        answers = {}
        for name in ("index.html", "service_worker.js"):
            url = address(server).replace("index.html", name)
            with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310 - our own server
                answers[name] = answer.headers
    finally:
        server.shutdown()
        server.server_close()
    for headers in answers.values():
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert headers["Cross-Origin-Embedder-Policy"] == "require-corp"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert headers["Sitegen-Updates"] == "at-once"
    assert answers["index.html"]["Content-Security-Policy"] is None
    assert answers["service_worker.js"]["Content-Security-Policy"] == "default-src 'none'; connect-src 'self'"


def test_nothing_is_logged(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    server = make_server(folder, 0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with urllib.request.urlopen(address(server), timeout=30):  # noqa: S310 - our own server
        pass
    server.shutdown()
    server.server_close()
    assert capfd.readouterr() == ("", "")


def test_the_first_free_port(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setattr(server_module, "FIRST_PORT", port)
        server = make_server(folder)
        assert port < server.server_port < port + server_module.PORTS
        server.server_close()
        with pytest.raises(SiteError, match=f"Port {port} is in use"):
            make_server(folder, port)
        monkeypatch.setattr(server_module, "PORTS", 1)
        with pytest.raises(SiteError, match=f"All ports from {port} to {port} are in use"):
            make_server(folder)


@pytest.mark.parametrize("missing", ["index.html", "manifest.json"])
def test_only_a_site_is_served(folder: Path, missing: str) -> None:
    check_site(folder)
    (folder / missing).unlink()
    with pytest.raises(SiteError, match=r"is not a built site.*Run `sitegen build` first"):
        make_server(folder)


def test_address(folder: Path) -> None:
    server = make_server(folder, 0)
    assert address(server) == f"http://127.0.0.1:{server.server_port}/index.html"
    server.server_close()
