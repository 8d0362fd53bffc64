"""With little memory one session lives at a time, results stay the same, and the shipped model's page stays small."""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from sitegen.browser.chromium import Chromium, chromium
from sitegen.browser.page import SitePage
from sitegen.bundle import Bundle
from sitegen.prediction import Predictor
from tests.helpers.browser.several import WITH_TOOLS
from tests.helpers.browser.support import encoded, opened

pytestmark = pytest.mark.browser

sys.path.append(str(Path(__file__).parents[3] / "benchmarks"))

PEAK_MB = 340  # above a blank page; docs/memory.md states it
WANTED = [{"finding": "Pneumonia", "method": method} for method in ("saliency", "grad-cam", "guided-grad-cam")]


@pytest.fixture(scope="module")
def counting() -> Iterator[Chromium]:
    with chromium() as driver:
        driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": WITH_TOOLS})
        yield driver


@pytest.fixture
def page(counting: Chromium, golden_site: Path) -> Iterator[SitePage[Chromium]]:
    with opened(counting, golden_site) as started:
        yield started
        counting.execute_script("localStorage.clear()")


def most_sessions(page: SitePage[Chromium]) -> int:
    most: int = page.driver.execute_script("return Math.max(...window.live)")
    return most


def without_times(document: Mapping[str, object]) -> dict[str, object]:
    return {key: value for key, value in document.items() if key != "timings"}


def test_one_session_at_a_time_gives_the_same(page: SitePage[Chromium]) -> None:
    data = encoded(seed=7)
    usual = page.analyse(data, "a.png", explain=WANTED, values=True)
    assert most_sessions(page) == 5
    assert page.configure(memory="low")["lowMemory"] is True
    page.driver.execute_script("window.live.length = 0")
    spare = page.analyse(data, "a.png", explain=WANTED, values=True)
    assert most_sessions(page) == 1
    assert without_times(spare) == without_times(usual)


def test_after_a_worker_that_died_there_is_little_memory(page: SitePage[Chromium]) -> None:
    page.driver.execute_script("caughtWorkers[0].dispatchEvent(new ErrorEvent('error', {message: 'out of memory'}))")
    assert page.analyse(encoded(), "a.png")["findings"]
    text = page.driver.find_element("id", "engine-running").get_attribute("textContent")
    assert text == "In use: WebAssembly, one thread, with little memory."


def test_a_small_machine_begins_with_little_memory(counting: Chromium, golden_site: Path) -> None:
    source = "Object.defineProperty(Navigator.prototype, 'deviceMemory', {get: () => 2});"
    added = counting.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": source})
    with opened(counting, golden_site) as page:
        assert page.configure()["lowMemory"] is True
        assert page.configure(memory="full")["lowMemory"] is False
        counting.execute_script("localStorage.clear()")
    counting.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)


def visit(site: Path, memory: str, data: bytes) -> tuple[float, Mapping[str, object]]:
    """The most that the page's process had resident above a blank page, in megabytes, and the last result."""
    from renderer_memory import renderer_memory

    source = f"localStorage.setItem('sitegen engine', JSON.stringify({{memory: '{memory}'}}));"
    with chromium() as driver:
        blank = renderer_memory(driver)
        driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": f"try {{ {source} }} catch {{}}"})
        with opened(driver, site) as page:
            for _ in range(3):
                document = page.analyse(data, "a.png", force=True)
            assert page.configure()["lowMemory"] is (memory == "low")
            after = renderer_memory(driver)
    assert blank is not None
    assert after is not None
    return after.peak - blank.resident, document


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="the system has no /proc")
@pytest.mark.parametrize("memory", ["full", "low"])
def test_the_shipped_models_page_stays_within_its_memory(
    shipped_site: Path, shipped_bundle: Bundle, memory: str
) -> None:
    data = encoded(seed=8, size=768)
    peak, document = visit(shipped_site, memory, data)
    assert peak <= PEAK_MB
    theirs = Predictor(shipped_bundle).analyse(data, "a.png", force=True).document
    assert document["tensors"] == theirs["tensors"]
