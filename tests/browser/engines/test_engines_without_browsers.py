"""What the engines do where their browsers are not installed, and the parts that need none."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sitegen.browser.display import display
from sitegen.browser.driver import leaving_the_page
from sitegen.browser.engines import ENGINES
from sitegen.browser.firefox import firefox
from sitegen.browser.processes import end, orderly_end, start
from sitegen.browser.recording_proxy import recording_proxy
from sitegen.errors import BrowserError

PACKAGES = {"chromium": "chromium chromium-driver", "firefox": "firefox-esr", "webkit": "webkit2gtk-driver xvfb"}
posix = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="signals are those of POSIX here")


@pytest.fixture
def empty_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder that is the only one in which programs are looked for."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def program(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    path.chmod(0o755)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_missing_engine_says_what_to_install(engine: str, empty_path: Path) -> None:
    expected = f"apt install {PACKAGES[engine]}".replace("webkit2gtk-driver xvfb", "webkit2gtk-driver")
    assert expected in str(ENGINES[engine].missing())
    with pytest.raises(BrowserError, match=expected), ENGINES[engine].start():
        pass


@pytest.mark.parametrize("engine", ENGINES)
def test_the_matrix_names_every_engine_and_what_installs_it(engine: str) -> None:
    text = (Path(__file__).parents[3] / "docs" / "browsers.md").read_text("utf-8")
    assert f"| `{engine}` | `{PACKAGES[engine]}` |" in text
    assert f"    sitegen verify --browser {engine} " in text
    assert "**Safari**" in text.split("## Not tested")[1]


def test_webkit_without_a_screen(empty_path: Path) -> None:
    program(empty_path, "WebKitWebDriver", "exit 0")
    assert ENGINES["webkit"].missing() == ("Xvfb is needed and was not found. On Debian or Ubuntu: apt install xvfb.")


def test_a_firefox_that_does_not_start_is_quoted(empty_path: Path) -> None:
    program(empty_path, "firefox", "echo 'Your profile is too new.'; exit 7")
    with pytest.raises(BrowserError, match=r"ended with 7: Your profile is too new\."), firefox():
        pass


def test_an_xvfb_that_does_not_start(empty_path: Path) -> None:
    program(empty_path, "Xvfb", "exit 1")
    with pytest.raises(BrowserError, match="Xvfb did not start"), display():
        pass


def test_the_verb_names_the_package_and_fails(tmp_path: Path, site: Path, bundle: object) -> None:
    command = [sys.executable, "-m", "sitegen.cli", "verify", "--site", site, "--bundle", bundle.folder]  # type: ignore[attr-defined]
    done = subprocess.run(
        [*map(str, command), "--browser", "firefox", "--transport", "file"],
        env={"PATH": str(tmp_path), "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "apt install firefox-esr" in " ".join(done.stderr.split())


def test_an_engine_that_nobody_knows_is_wrong_use() -> None:
    command = [sys.executable, "-m", "sitegen.cli", "verify", "--browser", "opera"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "chromium" in done.stderr


def test_the_proxy_writes_down_and_answers_nothing() -> None:
    with recording_proxy() as proxy:
        host, port = proxy.address.split(":")
        for said in (b"GET http://example.invalid/a?b HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\n"):
            with socket.create_connection((host, int(port)), timeout=10) as connection:
                connection.sendall(said)
                connection.shutdown(socket.SHUT_WR)
                assert connection.recv(100) == b""
        assert proxy.taken() == ["http://example.invalid/a?b", "https://address-not-told.invalid/"]
        assert proxy.taken() == []


def test_blobs_and_data_do_not_leave_the_page() -> None:
    urls = ["blob:null/1", "data:,a", "chrome://x", "file:///a", "http://a.invalid/", "ws://a.invalid/"]
    assert leaving_the_page(urls) == ["file:///a", "http://a.invalid/", "ws://a.invalid/"]


@posix
def test_a_signal_to_end_unwinds_what_runs() -> None:
    before = signal.getsignal(signal.SIGTERM)
    ended: list[str] = []
    with pytest.raises(SystemExit) as caught, orderly_end(), contextlib.ExitStack() as stack:
        stack.callback(ended.append, "the browser")
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(10)
    assert caught.value.code == 143
    assert ended == ["the browser"]
    assert signal.getsignal(signal.SIGTERM) == before


@posix
def test_a_program_that_will_not_end_is_ended_with_its_children(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sitegen.browser.processes._END_SECONDS", 0.5)
    script = "trap '' TERM; sleep 300 & echo $!; wait; wait"
    process = start(["sh", "-c", script], output=subprocess.PIPE)
    assert process.stdout
    child = int(process.stdout.readline())
    process.stdout.close()
    end(process)
    assert process.returncode == -signal.SIGKILL
    deadline = time.monotonic() + 10
    while is_running(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_running(child)


def is_running(number: int) -> bool:
    """Whether a process runs; one that waits for its parent to take notice of its end does not."""
    try:
        os.kill(number, 0)
        state = Path(f"/proc/{number}/stat")
        return not state.exists() or state.read_text("latin-1").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
