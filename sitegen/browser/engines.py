"""The browser engines that a site can be proved in."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from sitegen.browser import chromium, firefox, webkit
from sitegen.browser.driver import Driver


@dataclass(frozen=True)
class Engine:
    """How to start one; `missing` says what is not installed, and where to get it, or gives None."""

    start: Callable[[], AbstractContextManager[Driver]]
    missing: Callable[[], str | None]


ENGINES = {
    "chromium": Engine(chromium.chromium, chromium.missing),
    "firefox": Engine(firefox.firefox, firefox.missing),
    "webkit": Engine(webkit.webkit, webkit.missing),
}
