"""What the browsers that selenium drives have in common.

They cannot keep us waiting for ever, and nothing of them stays.
"""

import contextlib
from collections.abc import Generator, Iterator
from typing import Any

from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.service import Service
from selenium.webdriver.remote.webdriver import WebDriver
from urllib3.exceptions import HTTPError

from sitegen.browser.driver import ANALYSIS_SECONDS, no_answer
from sitegen.browser.processes import end
from sitegen.errors import BrowserError

# A frozen page keeps the driver from answering: how much longer than a script may take it is waited for.
_GRACE_SECONDS = 30


class SeleniumDriver(WebDriver):
    """A browser behind a driver program. A driver that is gone, or says nothing, raises BrowserError."""

    def set_script_timeout(self, time_to_wait: float) -> None:
        """Say how many seconds a script may take; the driver's own answer is waited for a little longer."""
        self._wait_at_most(time_to_wait + _GRACE_SECONDS)
        super().set_script_timeout(time_to_wait)

    def execute(
        self, driver_command: str | Generator[dict[str, Any], Any, Any], params: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Send one command. Raises BrowserError where no answer comes, WebDriverException where it is an error."""
        try:
            answer: dict[str, Any] = super().execute(driver_command, params)
        except (HTTPError, ConnectionError) as error:
            raise BrowserError(no_answer(str(self.caps.get("browserName", "The browser")), error)) from error
        return answer

    def quit(self) -> None:
        """End the session, also one that hangs."""
        self._wait_at_most(_GRACE_SECONDS)
        super().quit()

    def _wait_at_most(self, seconds: float) -> None:
        self.command_executor.client_config.timeout = seconds  # type: ignore[union-attr]


@contextlib.contextmanager
def ended(service: Service) -> Iterator[None]:
    """End a driver program, and what it started, with the block."""
    try:
        yield
    finally:
        if hasattr(service, "process"):
            end(service.process)


@contextlib.contextmanager
def session(driver: SeleniumDriver) -> Iterator[None]:
    """Set the longest wait for an answer; end the browser with the block."""
    try:
        driver.set_script_timeout(ANALYSIS_SECONDS)
        yield
    finally:
        with contextlib.suppress(WebDriverException, BrowserError):
            driver.quit()
