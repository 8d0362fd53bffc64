"""Headless Chromium through its own driver. Nothing is downloaded: both must be installed."""

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from typing import Any

from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.chrome.service import Service

from sitegen.browser.driver import leaving_the_page
from sitegen.browser.processes import OWN_SESSION
from sitegen.browser.selenium_driver import SeleniumDriver, ended, session
from sitegen.errors import BrowserError

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
_FLAGS = (
    "--headless=new",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)


class Chromium(SeleniumDriver, webdriver.Chrome):
    """A running Chromium, with all that selenium offers for it."""

    engine = "chromium"

    def requests(self) -> list[str]:
        """Return the addresses in the page's network log since the last call: files and WebSockets too, no workers."""
        events = (json.loads(entry["message"])["message"] for entry in self.get_log("performance"))  # type: ignore[no-untyped-call]
        urls = (_address(event["method"], event["params"]) for event in events)
        return leaving_the_page([url for url in urls if url])


def _address(event: str, parameters: dict[str, Any]) -> str | None:
    if event == "Network.requestWillBeSent":
        return str(parameters["request"]["url"])
    return str(parameters["url"]) if event == "Network.webSocketCreated" else None


def missing() -> str | None:
    """Return what is not on this machine, and where to get it, or None."""
    if _find_browser() and shutil.which("chromedriver"):
        return None
    return (
        "Chromium and its driver are needed and were not found. On Debian or Ubuntu: apt install chromium "
        "chromium-driver. Elsewhere install Chrome and the chromedriver of the same version, both on the path."
    )


def _find_browser() -> str | None:
    return next((path for name in _BROWSERS if (path := shutil.which(name))), None)


@contextlib.contextmanager
def chromium(*flags: str, width: int = 1280, height: int = 900, profile: str | None = None) -> Iterator[Chromium]:
    """Start Chromium, empty-handed unless a profile folder is named, with its network log; quit it at the end.

    Raises BrowserError where it is missing or does not start.
    """
    if problem := missing():
        raise BrowserError(problem)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as empty:
        window = (f"--window-size={width},{height}", f"--user-data-dir={profile or empty}")
        options = _options(*_FLAGS, *flags, *window)
        service = Service(shutil.which("chromedriver"), popen_kw=dict(OWN_SESSION))
        with ended(service):
            try:
                driver = Chromium(service=service, options=options)
            except WebDriverException as error:
                raise BrowserError(f"Chromium did not start: {error.msg}") from error
            with session(driver):
                yield driver


def _options(*flags: str) -> webdriver.ChromeOptions:
    options = webdriver.ChromeOptions()
    options.binary_location = _find_browser() or ""
    for flag in flags:
        options.add_argument(flag)
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        options.add_argument("--no-sandbox")  # Chromium refuses to run as root with its sandbox
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    return options
