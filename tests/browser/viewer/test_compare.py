"""Two images beside each other, through one lens; and one image asked of two models."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from sitegen.browser.chromium import Chromium
from sitegen.bundle import Bundle
from sitegen.site import build_site
from tests.helpers.browser.map_support import stage_pixels
from tests.helpers.browser.several import OTHER, TITLE, make_other
from tests.helpers.browser.support import Standing, cards, choose, opened, png, written
from tests.helpers.browser.viewer_support import DESK, act, canvas, drawn, scene, stage

pytestmark = pytest.mark.browser


@pytest.fixture
def at(standing: Standing, site: Path) -> Iterator[Chromium]:
    driver = standing(site).driver
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", DESK)
    yield driver
    standing.clear()
    driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@pytest.fixture
def pair(at: Chromium, tmp_path: Path) -> tuple[WebElement, WebElement]:
    """The cards of two images of other sizes, beside each other."""
    first, second = written(tmp_path, "a.png", png(scene(256, 256))), written(tmp_path, "b.png", png(scene(300, 200)))
    choose(at, first, second)
    cards(at, 2)
    at.find_element(By.ID, "side-by-side").click()
    WebDriverWait(at, 20).until(lambda _: len(at.find_elements(By.CSS_SELECTOR, ".card[aria-busy=false]")) == 2)
    one, other = at.find_elements(By.CLASS_NAME, "card")
    return drawn(one), drawn(other)


def middle(card: WebElement) -> tuple[float, float, float]:
    """What lies in the stage's middle, as shares of the picture, and how many times as large as the whole."""
    samples, (left, top, wide, high) = stage_pixels(canvas(card))
    height, width, _ = samples.shape
    fit = min(width / wide, height / high)
    return (width / 2 - left) / wide, (height / 2 - top) / high, 1 / fit


def test_zoom_and_moving_are_linked(pair: tuple[WebElement, WebElement]) -> None:
    one, other = pair
    for _ in range(6):
        act(one, "zoom-in")
    for _ in range(2):
        stage(one).send_keys(Keys.ARROW_RIGHT, Keys.ARROW_DOWN)
    x, y, times = middle(one)
    assert times > 3
    assert x > 0.55
    assert middle(other) == (pytest.approx(x, abs=0.01), pytest.approx(y, abs=0.01), pytest.approx(times, rel=0.01))
    act(other, "fit")
    assert middle(one) == (pytest.approx(0.5, abs=0.01), pytest.approx(0.5, abs=0.01), pytest.approx(1, abs=0.01))


def test_each_has_a_window_of_its_own(pair: tuple[WebElement, WebElement]) -> None:
    one, other = pair
    before = stage_pixels(canvas(other))[0]
    act(one, "invert-view")
    assert np.array_equal(stage_pixels(canvas(other))[0], before)


def test_they_can_be_let_go(pair: tuple[WebElement, WebElement]) -> None:
    one, other = pair
    act(one, "link")
    try:
        act(one, "zoom-in")
        assert middle(other)[2] == pytest.approx(1, abs=0.01)
        assert other.find_element(By.CSS_SELECTOR, "[data-action=link]").get_attribute("aria-pressed") == "false"
    finally:
        act(one, "link")
    assert middle(other)[2] == pytest.approx(1.25, abs=0.01)


def test_one_image_has_nothing_to_be_linked_with(at: Chromium, tmp_path: Path) -> None:
    choose(at, written(tmp_path, "a.png", png(scene(256, 256))))
    (card,) = cards(at, 1)
    assert not card.find_element(By.CSS_SELECTOR, "[data-action=link]").is_displayed()
    assert not card.find_elements(By.CLASS_NAME, "ask-models")


def test_an_image_is_asked_of_another_model(driver: Chromium, bundle: Bundle, tmp_path: Path) -> None:
    other = make_other(tmp_path / "other")
    site = build_site([bundle, other], tmp_path / "dist").folder
    with opened(driver, site):
        choose(driver, written(tmp_path, "a.png", png(scene(256, 256))))
        (card,) = cards(driver, 1)
        act(card, f"ask {OTHER}")
        second, first = cards(driver, 2)
        assert second.find_element(By.CLASS_NAME, "card-model").text == f"Model: {TITLE}"
        assert first.find_element(By.CLASS_NAME, "card-model").text == "Model: Test model"
        assert len(driver.find_elements(By.CLASS_NAME, "card")) == 2  # beside each other
        act(second, "ask test-model")  # was asked before: the list grows no more
        assert len(cards(driver, 2)) == 2
        assert driver.find_elements(By.CLASS_NAME, "card")[0].find_element(By.CLASS_NAME, "card-model").text == (
            "Model: Test model"
        )
