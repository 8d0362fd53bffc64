"""Headless Chromium through its own driver. Nothing is downloaded: both must be installed."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator

from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.chrome.service import Service

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
ANALYSIS_SECONDS = 180


def installed() -> bool:
    """Whether Chromium and its driver are on this machine."""
    return bool(_find_browser() and shutil.which("chromedriver"))


def _find_browser() -> str | None:
    return next((path for name in _BROWSERS if (path := shutil.which(name))), None)


@contextlib.contextmanager
def chromium(
    *flags: str, width: int = 1280, height: int = 900, profile: str | None = None
) -> Iterator[webdriver.Chrome]:
    """Start Chromium, empty-handed unless a profile folder is named, with its network log; quit it at the end.

    Raises BrowserError where it is missing or does not start.
    """
    browser, driver_path = _find_browser(), shutil.which("chromedriver")
    if not browser or not driver_path:
        raise BrowserError(
            "Chromium and its driver are needed and were not found. On Debian or Ubuntu: apt install chromium "
            "chromium-driver. Elsewhere install Chrome and the chromedriver of the same version, both on the path."
        )
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as empty:
        options = webdriver.ChromeOptions()
        options.binary_location = browser
        for flag in (*_FLAGS, *flags, f"--window-size={width},{height}", f"--user-data-dir={profile or empty}"):
            options.add_argument(flag)
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            options.add_argument("--no-sandbox")  # Chromium refuses to run as root with its sandbox
        options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
        try:
            driver = webdriver.Chrome(service=Service(driver_path), options=options)
        except WebDriverException as error:
            raise BrowserError(f"Chromium did not start: {error.msg}") from error
        try:
            driver.set_script_timeout(ANALYSIS_SECONDS)
            yield driver
        finally:
            driver.quit()
