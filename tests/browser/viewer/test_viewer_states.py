"""axe-core finds nothing in the viewer's states, also with large letters, in forced colours and on small windows."""

from collections.abc import Iterator

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from sitegen.browser.chromium import Chromium, chromium
from sitegen.bundle import Bundle
from sitegen.site import build_site
from tests.helpers.browser.accessibility import LOOKS, Look, looked_at, violations
from tests.helpers.browser.several import OTHER, make_other
from tests.helpers.browser.support import cards, choose, opened, png, written
from tests.helpers.browser.viewer_support import act, layer, scene

pytestmark = pytest.mark.browser

MORE = [*LOOKS, Look(640, 900, letters=2), Look(1280, 720, forced=True)]


@pytest.fixture(scope="module")
def page(bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    """A page of two models, with a wide image."""
    folder = tmp_path_factory.mktemp("states")
    site = build_site([bundle, make_other(folder / "other")], folder / "dist").folder
    with chromium() as driver, opened(driver, site):
        choose(driver, written(folder, "a.png", png(scene(300, 200))))
        yield driver


def check(driver: Chromium, state: str) -> None:
    found = {}
    for look in MORE:
        with looked_at(driver, look):
            if wrong := violations(driver):
                found[f"{state}, {look}"] = wrong
            wide = "const pane = document.querySelector('.viewer-pane'); return pane.scrollWidth - pane.clientWidth"
            if driver.execute_script(wide) > 1:
                found[f"{state}, {look}, width"] = ["the viewer scrolls sideways"]
    assert found == {}


def card_of(driver: Chromium) -> WebElement:
    return driver.find_element(By.CLASS_NAME, "card")


def test_all_buttons_and_a_layer(page: Chromium) -> None:
    cards(page, 1)
    layer(card_of(page), "reconstruction")
    page.execute_script("document.querySelector('.viewer-more').open = true")
    check(page, "layer")


def test_looked_into_and_inverted(page: Chromium) -> None:
    act(card_of(page), "zoom-in")
    act(card_of(page), "invert-view")
    act(card_of(page), "drag-window")
    check(page, "inverted")


def test_the_whole_window(page: Chromium) -> None:
    page.execute_script("Element.prototype.requestFullscreen = () => Promise.reject(new Error('not here'))")
    act(card_of(page), "fill")
    check(page, "whole window")
    act(card_of(page), "fill")


def test_two_models_beside_each_other(page: Chromium) -> None:
    act(card_of(page), f"ask {OTHER}")
    cards(page, 2)
    check(page, "two models")
