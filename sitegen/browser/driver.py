"""What the rest of the tool needs of a browser, whichever it is."""

from typing import Any, Protocol

START_SECONDS = 120
ANALYSIS_SECONDS = 180
_INNER_SCHEMES = ("blob:", "data:", "chrome:")


class Driver(Protocol):
    """A running browser with one open page."""

    engine: str

    @property
    def capabilities(self) -> dict[str, Any]:
        """What the browser says of itself; `browserName` and `browserVersion` are always there."""

    def get(self, url: str) -> None:
        """Open an address and wait until the page has loaded."""

    def execute_async_script(self, script: str, *arguments: Any) -> Any:
        """Run a function's body in the page with JSON values and, last, a callback; return what that is called with."""

    def set_script_timeout(self, seconds: float) -> None:
        """Say how long a script may take before it counts as failed; ANALYSIS_SECONDS where nothing is said."""

    def requests(self) -> list[str]:
        """Return the addresses that were asked for since the last call, as far as the engine tells."""


def leaving_the_page(urls: list[str]) -> list[str]:
    """Return the addresses that lead out of a page: blobs, data and the browser's own parts are left out."""
    return [url for url in urls if not url.startswith(_INNER_SCHEMES)]


def no_answer(browser: str, error: object) -> str:
    """Return what to tell people of a browser that crashed or hangs."""
    return (
        f"{browser} gives no answer any more: it crashed or hangs ({error}). Run again when the machine is less busy "
        "and has memory to spare, or try another engine."
    )
