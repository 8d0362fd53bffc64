"""Each engine: the page computes what Python computes, requests are seen, and nothing of the browser stays."""

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from selenium.common.exceptions import WebDriverException

from sitegen import resources
from sitegen.browser.driver import ANALYSIS_SECONDS, Driver
from sitegen.browser.engines import ENGINES
from sitegen.browser.page import SitePage, site_address
from sitegen.browser.verify import verify_site
from sitegen.bundle import Bundle
from sitegen.errors import BrowserError
from sitegen.phantom import phantom
from sitegen.site import build_site
from tests.helpers.browser.support import encoded, written
from tests.helpers.runtime.mutated_images import broken_off

EVERY_ENGINE = [pytest.param(name, marks=pytest.mark.browser(name)) for name in ENGINES]
OUTSIDE = """<!DOCTYPE html><script>
fetch("http://example.invalid/page").catch(() => 0);
const source = 'fetch("http://example.invalid/worker").catch(() => 0)';
new Worker(URL.createObjectURL(new Blob([source])));
new WebSocket("ws://example.invalid/socket");
</script>"""
# Chromium's log of a page knows nothing of its workers; Firefox tells a WebSocket's first request as what it is.
TOLD = {
    "chromium": {"http://example.invalid/page", "ws://example.invalid/socket"},
    "firefox": {f"http://example.invalid/{name}" for name in ("page", "worker", "socket")},
    "webkit": {"http://example.invalid/page", "http://example.invalid/worker", "ws://example.invalid/socket"},
}


@pytest.fixture(scope="module")
def odd_site(bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    # Spaces, accents and "%" are what folders on people's sticks are called.
    return build_site(bundle, tmp_path_factory.mktemp("odd") / "Röntgen 100 %41 ~'x'").folder


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four images of as many kinds, one cut short, and two damaged: WebKit gives a part of those, as if it were all."""
    folder = tmp_path_factory.mktemp("images")
    turned = Image.Exif()
    turned[0x0112] = 6
    written(folder, "grey.png", encoded("PNG"))
    written(folder, "turned.jpg", encoded("JPEG", seed=1, exif=turned.tobytes(), quality=90))
    written(folder, "lossy.webp", encoded("WEBP", seed=2))
    written(folder, "cut-short.jpg", encoded("JPEG", seed=3)[:-900])
    picture = Image.fromarray(phantom(4, 200))
    picture.putalpha(picture.rotate(90))
    picture.save(folder / "alpha.png")
    for name, options in {"lossy": {}, "lossless": {"lossless": True}}.items():
        written(folder, f"broken-{name}.webp", broken_off(encoded("WEBP", seed=5, size=160, **options)))
    return folder


@pytest.fixture(scope="module", params=EVERY_ENGINE)
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def report(engine: str, odd_site: Path, bundle: Bundle, images: Path) -> dict[str, Any]:
    return verify_site(odd_site, bundle, ["file", "http"], engine, images)


@pytest.fixture(scope="module")
def running(engine: str) -> Iterator[Driver]:
    with ENGINES[engine].start() as driver:
        yield driver


@pytest.mark.parametrize("transport", ["file", "http"])
def test_the_page_computes_what_python_computes(report: dict[str, Any], transport: str) -> None:
    part = report["transports"][transport]
    assert part["failures"] == []
    assert part["images"] == 7
    assert part["tensors"] == {
        "image/png": {"identical": 2, "total": 2},
        "image/jpeg": {"identical": 1, "total": 1},
        "image/webp": {"identical": 1, "total": 1},
    }
    assert part["errors"] == {"damaged-image": 3}
    assert part["requests_outside"] == []
    assert [engine["runtime"] for engine in part["engines"]] == ["pyodide"]
    for differences in part["findings"].values():
        assert differences["count"] == 4
        assert differences["max"] <= 1e-5


def test_the_report_names_engine_and_version(report: dict[str, Any], engine: str) -> None:
    assert report["browser"]["engine"] == engine
    assert report["browser"]["name"] == {"chromium": "chrome", "firefox": "firefox", "webkit": "MiniBrowser"}[engine]
    assert report["browser"]["version"].split(".")[0].isdigit()


def test_requests_to_other_machines_are_seen(running: Driver, engine: str, tmp_path: Path) -> None:
    running.get(written(tmp_path, "index.html", OUTSIDE.encode()).as_uri())
    told: set[str] = set()
    deadline = time.monotonic() + 30
    while not told >= TOLD[engine] and time.monotonic() < deadline:
        running.execute_async_script("setTimeout(arguments[0], 100)")
        told |= set(running.requests())
    assert {url for url in told if "example.invalid" in url} >= TOLD[engine]
    assert not told & set(running.requests())


def test_the_policy_stops_connections_of_page_and_worker(running: Driver, site: Path) -> None:
    attempt = """
    const done = arguments[0];
    const address = "http://example.invalid/stopped";
    const source = `fetch("${address}").then(() => postMessage("sent"), () => postMessage("refused"))`;
    const worker = new Worker(URL.createObjectURL(new Blob([source])));
    const directives = [];
    addEventListener("securitypolicyviolation", (event) => directives.push(event.effectiveDirective));
    const answer = new Promise((resolve) => (worker.onmessage = (event) => resolve(event.data)));
    const page = fetch(address).then(() => "sent", () => "refused");
    Promise.all([page, answer]).then((answers) => setTimeout(() => done([...answers, directives]), 500));
    """
    with site_address(site, "file") as url:
        running.get(url)
        answer = running.execute_async_script(attempt)
        running.get("about:blank")
    assert answer[:2] == ["refused", "refused"]
    assert "connect-src" in answer[2]
    assert not [url for url in running.requests() if "example.invalid" in url]


def test_freed_memory_is_gone_also_when_the_page_is_old(running: Driver) -> None:
    script = (resources.templates() / "shared" / "memory.js").read_text("utf-8")
    free = """
    const done = arguments[0];
    const lengths = () => {
      const [own, part] = [new ArrayBuffer(8), new Uint8Array(new ArrayBuffer(8), 2, 3)];
      for (const bytes of [own, part]) freed(bytes);
      return [own.byteLength, part.byteLength];
    };
    const early = lengths();
    setTimeout(() => done([early, lengths()]), 1500);
    """
    running.get("about:blank")
    assert running.execute_async_script(script + free) == [[0, 0], [0, 0]]


def test_values_go_in_and_come_out(running: Driver) -> None:
    running.get("about:blank")
    value = {"text": 'ä"\\\n', "numbers": [0.1, -3, None, True], "empty": {}}
    assert running.execute_async_script("const [value, add, done] = arguments; done([value, add + 1]);", value, 2) == [
        value,
        3,
    ]
    assert running.execute_async_script("arguments[0]()") is None


def test_a_page_that_never_answers_is_left(running: Driver, engine: str) -> None:
    running.get("about:blank")
    running.set_script_timeout(1)
    with pytest.raises((BrowserError, WebDriverException), match=r"(?i)tim(ed|e)"):
        running.execute_async_script("return 0;")
    running.set_script_timeout(ANALYSIS_SECONDS)
    running.get("about:blank")
    assert running.execute_async_script("arguments[0](5)") == 5


def test_a_page_that_fails_says_what_failed(running: Driver) -> None:
    running.get("about:blank")
    with pytest.raises((BrowserError, WebDriverException), match="nothing_of_this_name"):
        running.execute_async_script("nothing_of_this_name()")


def test_an_address_that_leads_nowhere(running: Driver, site: Path) -> None:
    with site_address(site, "http") as url:
        pass
    with pytest.raises(BrowserError):
        SitePage(running, url).wait_until_ready()


def processes() -> dict[int, int]:
    """The parent of each process that runs on this machine."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, parent = path.read_text("latin-1").rpartition(")")[2].split()[:2]
            if state != "Z":
                parents[int(path.parent.name)] = int(parent)
    return parents


def children() -> set[int]:
    """The numbers of the processes that this one started."""
    return {number for number, parent in processes().items() if parent == os.getpid()}


def families(heads: set[int]) -> set[int]:
    """The numbers of processes, and of all that come from them."""
    parents, found = processes(), set(heads)
    while more := {number for number, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def gone(numbers: set[int]) -> bool:
    """Whether processes end, if not at once: some notice only then that the browser has ended."""
    deadline = time.monotonic() + 20
    while numbers & processes().keys() and time.monotonic() < deadline:
        time.sleep(0.1)
    return not numbers & processes().keys()


needs_processes = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are told from /proc here")


@needs_processes
def test_nothing_stays_when_the_work_is_interrupted(engine: str) -> None:
    before = children()
    with pytest.raises(KeyboardInterrupt), ENGINES[engine].start():
        started = families(children() - before)
        raise KeyboardInterrupt
    assert len(started) >= 3
    assert gone(started)


@needs_processes
def test_a_browser_that_dies_is_an_error_and_leaves_nothing(engine: str, site: Path) -> None:
    before = children()
    with site_address(site, "http") as url, ENGINES[engine].start() as driver:
        page = SitePage(driver, url)
        started = families(children() - before)
        for number in started:
            with contextlib.suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
        with pytest.raises(BrowserError, match=r"gives no answer any more|failed"):
            page.wait_until_ready()
    assert gone(started)
