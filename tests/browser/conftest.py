"""Browsers and sites for the tests that need them; skipped, with the reason, where the browser is not installed.

The marker `browser` alone means Chromium; other engines are named: `browser("firefox")`.

Opening a site takes some seconds of work, and what tests do in it hardly any. So a test takes, where it can, the page
that an earlier test has left:

    def test_something(standing: Standing, site: Path) -> None:
        document = standing(site).analyse(encoded(), "a.png")

A test that clicks removes its cards at the end (`standing.clear()`). One that counts requests or sessions, changes the
page's functions or kills its worker has a page of its own: `with opened(driver, site) as page`. In the browser
`catching`, with `standing_catching`, tests can reach the workers that a page makes.

Page and test run side by side, and either may be the slower one. So a test waits for the very thing that it asserts,
never for a time; what lasts only a moment it holds still (`tests.helpers.browser.holding`), and what the page says
and takes back it has heard (`tests.helpers.browser.hearing`).
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sitegen import resources
from sitegen.browser.chromium import Chromium, chromium
from sitegen.browser.engines import ENGINES
from sitegen.bundle import Bundle, load_bundle
from sitegen.site import build_site
from tests.helpers.browser.gate_bundle import make_gate_bundle
from tests.helpers.browser.patience import be_patient
from tests.helpers.browser.support import Standing
from tests.helpers.browser.webgpu_support import make_golden_bundle

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
    reasons = {name: engine.missing() for name, engine in ENGINES.items()}
    for item in items:
        marker = item.get_closest_marker("browser")
        reason = reasons[marker.args[0] if marker.args else "chromium"] if marker else None
        if reason:
            item.add_marker(pytest.mark.skip(reason=reason))


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


# Not of the whole session: a browser costs a twentieth of a core even where nothing is asked of it.
@pytest.fixture(scope="package")
def driver() -> Iterator[Chromium]:
    with chromium() as started:
        be_patient(started)
        yield started


@pytest.fixture(scope="package")
def standing(driver: Chromium) -> Iterator[Standing]:
    """Opens a site, or gives the page that an earlier test has left there."""
    page = Standing(driver)
    yield page
    page.close()


@pytest.fixture(scope="module")
def catching() -> Iterator[Chromium]:
    with chromium() as driver:
        driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": CATCH_WORKERS})
        yield driver


@pytest.fixture(scope="module")
def standing_catching(catching: Chromium) -> Iterator[Standing]:
    """As `standing`, in the browser whose workers tests can reach."""
    page = Standing(catching)
    yield page
    page.close()
