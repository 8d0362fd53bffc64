"""A site, opened in a browser: its API from Python, and what it asked of the network."""

import base64
import contextlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Generic, TypeVar

from selenium.common.exceptions import WebDriverException

from sitegen.browser.driver import Driver
from sitegen.errors import BrowserError
from sitegen.site.serving.server import address, make_server
from sitegen_runtime.document_types import ResultDocument

_READY = """
const done = arguments[0];
const isNew = window.sitegen && !window.sitegenStart;
if (isNew) window.sitegenStart = {pending: true};
const ended = (state) => { window.sitegenStart = state; };
if (isNew) window.sitegen.ready.then(() => ended({}), (error) => ended({error: error.message, code: error.code}));
const text = document.readyState === "complete" ? document.body.innerText : "";
if (window.sitegenStart) done(window.sitegenStart);
else done(text ? {error: text.slice(0, 500)} : {pending: true});
"""
_POLL_SECONDS = 0.02
START_SECONDS = 180
_ANALYSE = """
const [text, name, options, done] = arguments;
const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
window.sitegen.analyse(new Blob([bytes]), {name, ...options}).then(
  (document) => done({document}), (error) => done({document: error.result, error: String(error)}));
"""
_CONFIGURE = """
const [choice, done] = arguments;
window.sitegen.configure(choice).then(done, (error) => done({error: String(error)}));
"""


D_co = TypeVar("D_co", bound=Driver, covariant=True)


class SitePage(Generic[D_co]):
    """One open page of a site, in a driver of the browser's kind."""

    def __init__(self, driver: D_co, url: str) -> None:
        """Open the page; it loads while this returns. Raises BrowserError where the browser does not open it."""
        self.driver, self.url = driver, url
        self._opened = time.perf_counter()
        with _failures():
            driver.get(url)

    def wait_until_ready(self) -> float:
        """Wait for `sitegen.ready`; return milliseconds since the page was opened. Raises BrowserError if it fails.

        A first visit over http may reload itself once, and drivers forget the script that waits then: so this asks
        again and again.
        """
        answer = self._call(_READY)
        while "pending" in answer and time.perf_counter() - self._opened < START_SECONDS:
            time.sleep(_POLL_SECONDS)
            answer = self._call(_READY)
        if "pending" in answer:
            raise BrowserError(f"The page {self.url} was not ready within {START_SECONDS} s.")
        if "error" in answer:
            raise BrowserError(f"The page {self.url} did not start: {answer['error']}")
        return 1000 * (time.perf_counter() - self._opened)

    def analyse(self, data: bytes, name: str, **options: Any) -> ResultDocument:
        """Return the result document, or the error document, of a file's bytes; `options` as in docs/page-api.md."""
        answer = self._call(_ANALYSE, base64.b64encode(data).decode(), name, options)
        if not answer.get("document"):
            raise BrowserError(f"The page gave no document for {name}: {answer.get('error')}")
        document: ResultDocument = answer["document"]
        return document

    def configure(self, **choice: str) -> dict[str, Any]:
        """Choose how networks run, as `sitegen.configure` in docs/page-api.md does; return what runs then."""
        answer = self._call(_CONFIGURE, choice)
        if "error" in answer:
            raise BrowserError(f"The page cannot run with {choice}: {answer['error']}")
        return answer

    def requests(self) -> list[str]:
        """Return the addresses asked for since the last call, blobs and data apart, as far as the engine tells them."""
        with _failures():
            return self.driver.requests()

    def browser(self) -> dict[str, str]:
        """Return engine ("chromium", "firefox" or "webkit"), name and version of the browser."""
        said = self.driver.capabilities
        return {
            "engine": self.driver.engine,
            "name": str(said["browserName"]),
            "version": str(said["browserVersion"]),
        }

    def _call(self, script: str, *arguments: object) -> dict[str, Any]:
        with _failures():
            answer: dict[str, Any] = self.driver.execute_async_script(script, *arguments)
        return answer


@contextlib.contextmanager
def _failures() -> Iterator[None]:
    try:
        yield
    except WebDriverException as error:
        raise BrowserError(f"The browser failed: {error.msg}") from error


@contextlib.contextmanager
def site_address(folder: Path, transport: str) -> Iterator[str]:
    """Yield the address of a site's index page, over "file" or "http" (a loopback server that ends with the block)."""
    if transport == "file":
        yield (folder / "index.html").resolve().as_uri()
        return
    server = make_server(folder, port=0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield address(server)
    finally:
        server.shutdown()
        server.server_close()
