"""A site, opened in a browser: its API from Python, and what it asked of the network."""

import base64
import contextlib
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.common.exceptions import WebDriverException

from sitegen.errors import BrowserError
from sitegen.site.server import address, make_server

_READY = """
const done = arguments[0];
if (!window.sitegen) done({error: document.body.innerText.slice(0, 500)});
else window.sitegen.ready.then(() => done({}), (error) => done({error: error.message, code: error.code}));
"""
_ANALYSE = """
const [text, name, options, done] = arguments;
const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
window.sitegen.analyse(new Blob([bytes]), {name, ...options}).then(
  (document) => done({document}), (error) => done({document: error.result, error: String(error)}));
"""


class SitePage:
    """One open page of a site."""

    def __init__(self, driver: webdriver.Chrome, url: str) -> None:
        """Open the page; it loads while this returns."""
        self.driver, self.url = driver, url
        self._opened = time.perf_counter()
        driver.get(url)

    def wait_until_ready(self) -> float:
        """Wait for `sitegen.ready`; return milliseconds since the page was opened. Raises BrowserError if it fails."""
        answer = self._call(_READY)
        if "error" in answer:
            raise BrowserError(f"The page {self.url} did not start: {answer['error']}")
        return 1000 * (time.perf_counter() - self._opened)

    def analyse(self, data: bytes, name: str, **options: Any) -> dict[str, Any]:
        """Return the result document, or the error document, of a file's bytes; `options` as in docs/page-api.md."""
        answer = self._call(_ANALYSE, base64.b64encode(data).decode(), name, options)
        if not answer.get("document"):
            raise BrowserError(f"The page gave no document for {name}: {answer.get('error')}")
        document: dict[str, Any] = answer["document"]
        return document

    def requests(self) -> list[str]:
        """Return the addresses that the browser's network log has since the last call, blobs and data apart."""
        events = (json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance"))  # type: ignore[no-untyped-call]
        urls = (event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent")
        return [url for url in urls if not url.startswith(("blob:", "data:", "chrome:"))]

    def browser(self) -> dict[str, str]:
        """Return name and version of the browser."""
        capabilities = self.driver.capabilities
        return {"name": str(capabilities["browserName"]), "version": str(capabilities["browserVersion"])}

    def _call(self, script: str, *arguments: object) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = self.driver.execute_async_script(script, *arguments)
        except WebDriverException as error:
            raise BrowserError(f"The browser failed: {error.msg}") from error
        return answer


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
