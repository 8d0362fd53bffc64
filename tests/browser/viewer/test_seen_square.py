"""What the model did not see: outlined exactly and dimmed, through any zoom and orientation, and said in words."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

from sitegen.browser.chromium import Chromium
from sitegen.bundle import Bundle
from sitegen.prediction import Predictor
from tests.helpers.browser.map_support import press, stage_pixels
from tests.helpers.browser.support import Standing, cards, png
from tests.helpers.browser.viewer_support import DESK, act, canvas, layer, opened_image, scene, stage, stored

pytestmark = pytest.mark.browser

YELLOW = (255, 213, 74)


@pytest.fixture
def at(standing: Standing, site: Path) -> Iterator[Chromium]:
    driver = standing(site).driver
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", DESK)
    yield driver
    standing.clear()
    driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def bare(driver: Chromium, folder: Path, data: bytes) -> WebElement:
    """The card of an image, with no layer over it."""
    card = opened_image(driver, folder, data)
    layer(card, "")
    return card


def square_of(bundle: Bundle, data: bytes) -> list[int]:
    """What Python says that the gate saw: left, top, width, height, in pixels of the upright image."""
    seen: Any = Predictor(bundle).analyse(data, "a.png").document.get("seen")
    return list(seen.get("gate", seen)["square"])


def dimmed(samples: np.ndarray) -> np.ndarray:
    return samples * 0.4


def outline(samples: np.ndarray) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of what the yellow frame encloses, in canvas pixels; asserts one frame."""
    is_frame = np.abs(samples - np.array(YELLOW)).max(axis=2) == 0
    rows, columns = np.nonzero(is_frame)
    line = 2  # canvas pixels
    left, right = columns.min() + line, columns.max() + 1 - line
    top, bottom = rows.min() + line, rows.max() + 1 - line
    assert not is_frame[top:bottom, left:right].any()
    return int(left), int(top), int(right), int(bottom)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(("width", "height"), [(300, 200), (180, 310)])
def test_at_actual_size_every_pixel_is_as_it_should_be(
    at: Chromium, bundle: Bundle, tmp_path: Path, orientation: int, width: int, height: int
) -> None:
    """Inside the square the file's own pixels, outside of it the same, darker, behind the frame."""
    upright = scene(width, height)
    data = stored(upright, orientation)
    left, top, side, _ = square_of(bundle, data)
    assert (left, top, side) == ((width - height) // 2 if width > height else 0, top, min(width, height))
    card = bare(at, tmp_path, data)
    at.execute_script("arguments[0].style.cssText = 'flex: none; width: 360px; height: 330px'", stage(card))
    act(card, "actual")
    samples, (x, y, wide, high) = stage_pixels(canvas(card))
    assert (wide, high) == (width, height)
    shown = samples[y : y + high, x : x + wide]
    inside = shown[top : top + side, left : left + side]
    assert np.array_equal(inside, np.repeat(upright[top : top + side, left : left + side, None], 3, axis=2))
    assert outline(samples) == (x + left, y + top, x + left + side, y + top + side)
    beside = np.ones((height, width), bool)
    beside[max(top - 4, 0) : top + side + 4, max(left - 4, 0) : left + side + 4] = False
    assert beside.any()
    assert np.abs(shown[..., 0] - dimmed(upright))[beside].max() <= 1


@pytest.mark.parametrize("steps", [1, 3, 5])
@pytest.mark.parametrize("orientation", [1, 6])
def test_the_outline_follows_zoom_and_moving(
    at: Chromium, bundle: Bundle, tmp_path: Path, steps: int, orientation: int
) -> None:
    data = stored(scene(300, 200), orientation)
    left, top, side, _ = square_of(bundle, data)
    card = bare(at, tmp_path, data)
    for _ in range(steps):
        act(card, "zoom-in")
    for _ in range(12):
        stage(card).send_keys(Keys.ARROW_LEFT)
    samples, (x, _, wide, high) = stage_pixels(canvas(card))
    expected = x + round(left * wide / 300)
    column = samples[samples.shape[0] // 2]
    frame = np.nonzero(np.abs(column - np.array(YELLOW)).max(axis=1) == 0)[0]
    assert expected > 0
    assert list(frame[:2]) == [expected - 2, expected - 1]  # the first pixel that was seen is the next one
    right = x + round((left + side) * wide / 300)
    if right + 2 <= samples.shape[1]:
        assert list(frame[-2:]) == [right, right + 1]
    assert (top, high) == (0, pytest.approx(wide * 200 / 300, abs=1))


def test_the_share_is_said_and_the_outline_can_be_taken_away(at: Chromium, tmp_path: Path) -> None:
    card = bare(at, tmp_path, png(scene(300, 200)))
    assert card.find_element(By.CLASS_NAME, "seen").text == "33 % of the image was not seen by the gate."
    button = card.find_element(By.CSS_SELECTOR, "[data-action=seen]")
    assert button.get_attribute("aria-pressed") == "true"
    act(card, "seen")
    assert button.get_attribute("aria-pressed") == "false"
    samples, (x, y, wide, high) = stage_pixels(canvas(card))
    assert np.ptp(samples, axis=2).max() == 0  # no frame
    assert samples[y : y + high, x : x + wide].min() >= 50  # nothing is dark
    stage(card).send_keys("s")
    assert np.ptp(stage_pixels(canvas(card))[0], axis=2).max() > 100


def test_nothing_is_said_where_all_was_seen(at: Chromium, tmp_path: Path) -> None:
    card = bare(at, tmp_path, png(scene(200, 200)))
    assert not card.find_elements(By.CLASS_NAME, "seen")
    assert not card.find_element(By.CSS_SELECTOR, "[data-action=seen]").is_displayed()
    assert np.ptp(stage_pixels(canvas(card))[0], axis=2).max() == 0


def test_a_forced_image_tells_what_the_model_saw(at: Chromium, tmp_path: Path) -> None:
    card = bare(at, tmp_path, png(scene(300, 200)))
    press(card, "Analyse anyway")
    press(card, "Yes")
    (card,) = cards(at, 1)
    assert card.find_element(By.CLASS_NAME, "seen").text == "33 % of the image was not seen by the model."
    left, _, right, _ = outline(stage_pixels(canvas(card))[0])
    _, (x, _, wide, _) = stage_pixels(canvas(card))
    assert (left, right) == (x + round(50 * wide / 300), x + round(250 * wide / 300))
