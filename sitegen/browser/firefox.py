"""Headless Firefox, spoken to directly by WebDriver BiDi: Debian has no geckodriver, and none is needed."""

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sitegen.browser.bidi import Connection, Message
from sitegen.browser.driver import ANALYSIS_SECONDS, START_SECONDS, leaving_the_page
from sitegen.browser.processes import end, start
from sitegen.errors import BrowserError

_BROWSERS = ("firefox-esr", "firefox")
_ADDRESS_FILE = "WebDriverBiDiServer.json"
_PREFERENCES: dict[str, bool | int | str] = {
    # Pages behave as they do for a person, on file:// above all: none of the settings that ease automation.
    "remote.prefs.recommended": False,
    "security.fileuri.strict_origin_policy": True,
    # Nothing of the browser's own goes out, and no page of its own opens.
    "app.normandy.enabled": False,
    "app.update.auto": False,
    "browser.aboutwelcome.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.newtabpage.enabled": False,
    "browser.startup.homepage": "about:blank",
    "browser.startup.page": 0,
    "datareporting.healthreport.uploadEnabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "datareporting.policy.firstRunURL": "",
    "extensions.getAddons.cache.enabled": False,
    "extensions.update.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "network.dns.disablePrefetch": True,
    "toolkit.telemetry.enabled": False,
}
# The page's values go in and out as JSON texts: BiDi's own form of values is ten times as long.
_SCRIPT = """(text) => new Promise((resolve) => {
  const done = (value) => resolve(JSON.stringify(value ?? null));
  (function () { %s }).apply(window, [...JSON.parse(text), done]);
})"""


class Firefox:
    """A running Firefox."""

    engine = "firefox"

    def __init__(self, connection: Connection) -> None:
        """Start a session in a tab of its own: the first may hold a page of the browser's."""
        self._connection = connection
        self._urls: list[str] = []
        self.capabilities: dict[str, Any] = connection.command("session.new", capabilities={})["capabilities"]
        self._tab = connection.command("browsingContext.create", type="tab")["context"]
        connection.listen("network.beforeRequestSent", self._note)

    def get(self, url: str) -> None:
        """Open an address and wait until the page has loaded. Raises BrowserError where it does not."""
        self._connection.command("browsingContext.navigate", context=self._tab, url=url, wait="complete")

    def execute_async_script(self, script: str, *arguments: Any) -> Any:
        """Run a function's body in the page with JSON values and, last, a callback; return what that is called with."""
        answer = self._connection.command(
            "script.callFunction",
            functionDeclaration=_SCRIPT % script,
            target={"context": self._tab},
            arguments=[{"type": "string", "value": json.dumps(arguments)}],
            awaitPromise=True,
        )
        if answer["type"] == "exception":
            raise BrowserError(f"A script failed in Firefox: {answer['exceptionDetails']['text']}")
        return json.loads(answer["result"]["value"])

    def perform(self, *sources: dict[str, Any]) -> None:
        """Move pointers and press keys, as a person would: the sources of WebDriver BiDi's `input.performActions`."""
        self._connection.command("input.performActions", context=self._tab, actions=list(sources))

    def set_script_timeout(self, seconds: float) -> None:
        """Say how long any answer may take."""
        self._connection.seconds = seconds

    def requests(self) -> list[str]:
        """Return the addresses asked for by http(s) and WebSocket since the last call, workers included; no files."""
        self._connection.command("session.status")  # events come in order: what was asked before is known then
        urls, self._urls = self._urls, []
        return leaving_the_page(urls)

    def _note(self, event: Message) -> None:
        if event["context"] in (self._tab, None):  # none where no one page asked, as with a service worker
            self._urls.append(event["request"]["url"])


def missing() -> str | None:
    """Return what is not on this machine, and where to get it, or None."""
    if _find_browser():
        return None
    return (
        "Firefox is needed and was not found. On Debian: apt install firefox-esr. Elsewhere install Firefox, on the "
        "path; no geckodriver is needed."
    )


def _find_browser() -> str | None:
    return next((path for name in _BROWSERS if (path := shutil.which(name))), None)


@contextlib.contextmanager
def firefox() -> Iterator[Firefox]:
    """Start Firefox with an empty profile; end it with the block.

    Raises BrowserError where it is missing or does not start.
    """
    browser = _find_browser()
    if browser is None:
        raise BrowserError(str(missing()))
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        profile = Path(folder)
        with (profile / "output.txt").open("wb") as output:
            process = start(_command(browser, profile), _environment(profile), output)
        try:
            with contextlib.closing(_connect(process, profile)) as connection:
                driver = Firefox(connection)
                driver.set_script_timeout(ANALYSIS_SECONDS)
                yield driver
        finally:
            end(process)


def _command(browser: str, profile: Path) -> list[str]:
    lines = (f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in _PREFERENCES.items())
    (profile / "user.js").write_text("".join(lines), "utf-8")
    # Port 0 is any free one; Firefox writes down which.
    return [browser, "--headless", "--no-remote", "--profile", str(profile), "--remote-debugging-port", "0"]


def _environment(profile: Path) -> dict[str, str]:
    # Without a home of its own Firefox leaves traces in the user's, and refuses one that is not the user's.
    return {**os.environ, "HOME": str(profile), "MOZ_CRASHREPORTER_DISABLE": "1"}


def _connect(process: "subprocess.Popen[bytes]", profile: Path) -> Connection:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError, ValueError, KeyError):  # not there yet, or half written
            server = json.loads((profile / _ADDRESS_FILE).read_text("utf-8"))
            return Connection(f"ws://{server['ws_host']}:{server['ws_port']}/session", "Firefox", START_SECONDS)
        time.sleep(0.1)
    said = (profile / "output.txt").read_text("utf-8", "replace").strip()[-300:]
    ended = "does not answer" if process.poll() is None else f"ended with {process.returncode}"
    raise BrowserError(f"Firefox did not start, it {ended}: {said or 'it says nothing'}")
