"""Browsers and sites for the tests that need them; skipped, with the reason, where Chromium is not installed."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium import webdriver

from browser.gate_bundle import make_gate_bundle
from browser.support import opened
from browser.webgpu_support import make_golden_bundle
from sitegen import resources
from sitegen.browser.chromium import chromium, installed
from sitegen.browser.page import SitePage
from sitegen.bundle import Bundle, load_bundle
from sitegen.site import build_site

# Lets a test reach the workers that a page makes: the page itself gives no handle on them.
CATCH_WORKERS = """
window.caughtWorkers = [];
const Original = window.Worker;
window.Worker = class extends Original {
  constructor(...values) { super(...values); window.caughtWorkers.push(this); }
  postMessage(message, ...rest) {
    const boot = message.boot && {...message.boot, ...window.bootOtherwise};
    super.postMessage({...message, boot}, ...rest);
  }
};
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    needs = pytest.mark.skipif(not installed(), reason="Chromium and chromedriver are not installed")
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(needs)


@pytest.fixture(scope="session")
def shipped_bundle() -> Bundle:
    return load_bundle(resources.default_bundle())


@pytest.fixture(scope="session")
def shipped_site(shipped_bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    # Spaces, accents and "%" are what folders on people's sticks are called.
    return build_site(shipped_bundle, tmp_path_factory.mktemp("Röntgen 100 %41") / "ma page").folder


@pytest.fixture(scope="session")
def gate_bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return make_gate_bundle(tmp_path_factory.mktemp("gate-bundle") / "gate-model")


@pytest.fixture(scope="session")
def gate_site(gate_bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_site(gate_bundle, tmp_path_factory.mktemp("gate-site") / "dist").folder


@pytest.fixture(scope="session")
def golden_bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """Small networks with all gradient graphs, and a golden image."""
    return make_golden_bundle(tmp_path_factory.mktemp("golden-bundle") / "test-model")


@pytest.fixture(scope="session")
def golden_site(golden_bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_site(golden_bundle, tmp_path_factory.mktemp("golden-site") / "dist").folder


@pytest.fixture(scope="session")
def driver() -> Iterator[webdriver.Chrome]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def catching() -> Iterator[webdriver.Chrome]:
    with chromium() as driver:
        driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": CATCH_WORKERS})
        yield driver


@pytest.fixture
def page(driver: webdriver.Chrome, site: Path) -> Iterator[SitePage]:
    """The small test model's site, ready, over file://."""
    with opened(driver, site) as started:
        yield started
