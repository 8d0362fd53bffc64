"""A way to open a site: which version, from where, in which browser, with how many threads. A visit in that way."""

import contextlib
import functools
import http.server
import json
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from renderer_memory import renderer_memory, watched

from sitegen.browser.chromium import Chromium, chromium
from sitegen.browser.driver import Driver
from sitegen.browser.engines import ENGINES
from sitegen.browser.page import SitePage, site_address
from sitegen_runtime.document_types import ResultDocument

Visit = dict[str, float]
SOFTWARE_CARD = "--enable-unsafe-webgpu"  # lets headless Chromium offer the adapter that draws in software


@dataclass(frozen=True)
class Way:
    """How a site is opened; `host` is "file", "http" (what `sitegen serve` sends) or "plain http" (no headers).

    For `pause` seconds after it is usable nothing is done, as by people who look for a file.
    """

    version: str
    folder: Path
    host: str
    engine: str = "chromium"
    threads: int = 1
    provider: str = "wasm"
    following: int = 10
    pause: float = 0.0

    @property
    def name(self) -> str:
        """Return it in words."""
        threads = f", {self.threads} threads" if self.threads > 1 else ""
        card = ", WebGPU in software" if self.provider == "webgpu" else ""
        return f"{self.version}, {self.engine}, {self.host}{threads}{card}"


def visits(way: Way, image: bytes) -> dict[str, Visit]:
    """Open the site with nothing stored ("cold") and, in Chromium, again with what that visit left ("warm").

    Both visits have one address: what browsers store belongs to it.
    """
    with _address(way) as url, tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        states = ("cold", "warm") if way.engine == "chromium" and way.provider == "wasm" else ("cold",)
        return {state: _visit(way, url, profile, image) for state in states}


def _visit(way: Way, url: str, profile: str, image: bytes) -> Visit:
    with _browser(way, profile) as driver:
        blank = renderer_memory(driver)
        with watched(driver) as peak:
            found, document = _use(way, driver, url, image)
        peak.see(renderer_memory(driver))
    ran = document["engine"]
    if (ran["provider"], ran.get("threads", 1)) != (way.provider, way.threads):
        raise SystemExit(f"{way.name}: the page ran with {ran}, so its times would stand for something else.")
    if blank:
        found |= {"blank page": blank.resident, "peak above blank": peak.megabytes - blank.resident}
    return found


def _use(way: Way, driver: Driver, url: str, image: bytes) -> tuple[Visit, ResultDocument]:
    page = SitePage(driver, url)
    found = {"usable": page.wait_until_ready()}
    time.sleep(way.pause)
    found["first result"], document = timed(page, image)
    found["following image"] = statistics.median(timed(page, image)[0] for _ in range(way.following))
    return found | {f"stage {stage}": milliseconds for stage, milliseconds in document["timings"].items()}, document


def timed(page: SitePage[Driver], image: bytes) -> tuple[float, ResultDocument]:
    """Return the milliseconds from handing an image over to its result, as the caller sees them, and the result."""
    start = time.perf_counter()
    document = page.analyse(image, "golden.png", force=True)
    return 1000 * (time.perf_counter() - start), document


@contextlib.contextmanager
def _browser(way: Way, profile: str) -> Iterator[Driver]:
    if way.engine != "chromium":
        with ENGINES[way.engine].start() as driver:
            yield driver
        return
    flags = (SOFTWARE_CARD,) if way.provider == "webgpu" else ()
    with chromium(*flags, profile=profile) as driver:
        _prepare(driver, way)
        yield driver


def _prepare(driver: Chromium, way: Way) -> None:
    # A page takes half of the processors that its browser tells of.
    driver.execute_cdp_cmd("Emulation.setHardwareConcurrencyOverride", {"hardwareConcurrency": 2 * way.threads})
    if way.provider == "webgpu":
        choose(driver, provider="webgpu")


def choose(driver: Chromium, **choice: str) -> None:
    """Have pages find this choice of how networks run, as if a person had made it at the visit before."""
    keep = f"localStorage.setItem('sitegen engine', JSON.stringify({json.dumps(choice)}))"
    driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": f"try {{ {keep}; }} catch {{}}"})


@contextlib.contextmanager
def _address(way: Way) -> Iterator[str]:
    if way.host != "plain http":
        with site_address(way.folder, way.host) as url:
            yield url
        return
    handler = functools.partial(_Plain, directory=str(way.folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/index.html"
        server.shutdown()


class _Plain(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the terminal shows progress."""
