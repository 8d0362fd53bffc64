"""The viewer: zoom, moving, window and inversion by buttons, keys, mouse and fingers; none of it reaches the model."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import Select, WebDriverWait

from sitegen.browser.chromium import Chromium
from tests.helpers.browser.map_support import allow_downloads, pixels, press, saved_file, stage_pixels
from tests.helpers.browser.support import Standing, encoded, png, spoil
from tests.helpers.browser.viewer_support import DESK, act, canvas, layer, opened_image, scene, stage, zoom
from tests.helpers.dicom_files import as_bytes, radiograph

pytestmark = pytest.mark.browser


@pytest.fixture
def at(standing: Standing, site: Path) -> Iterator[Chromium]:
    driver = standing(site).driver
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", DESK)
    yield driver
    standing.clear()
    driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@pytest.fixture
def card(at: Chromium, tmp_path: Path) -> WebElement:
    """The card of a square image of 256 pixels, without a layer over it, and with all buttons in sight."""
    card = opened_image(at, tmp_path, png(scene(256, 256)))
    layer(card, "")
    at.execute_script("arguments[0].open = true", card.find_element(By.CLASS_NAME, "viewer-more"))
    return card


def grey(card: WebElement) -> np.ndarray:
    return pixels(canvas(card))[..., 0]


def place(card: WebElement) -> tuple[int, int, int, int]:
    return stage_pixels(canvas(card))[1]


def test_the_picture_fills_its_pane(at: Chromium, tmp_path: Path) -> None:
    card = opened_image(at, tmp_path, png(scene(256, 256)))
    samples, (left, top, width, height) = stage_pixels(canvas(card))
    assert height == width == min(samples.shape[:2])
    assert left == pytest.approx((samples.shape[1] - width) / 2, abs=1)
    assert top == pytest.approx((samples.shape[0] - height) / 2, abs=1)
    pane = card.find_element(By.CLASS_NAME, "viewer-pane").rect
    assert width > 0.9 * pane["width"]
    assert at.execute_script(
        "return arguments[0].scrollHeight <= arguments[0].clientHeight + 1",
        card.find_element(By.CLASS_NAME, "viewer-pane"),
    )


def test_actual_pixels_are_those_of_the_file(card: WebElement) -> None:
    act(card, "actual")
    assert zoom(card) == 100
    assert np.array_equal(grey(card), scene(256, 256))
    act(card, "fit")
    assert min(place(card)[:2]) == 0


def test_buttons_zoom_and_move(card: WebElement) -> None:
    fit = place(card)
    act(card, "zoom-in")
    closer = place(card)
    assert closer[2] == pytest.approx(1.25 * fit[2], abs=1)
    assert closer[0] + closer[2] / 2 == pytest.approx(fit[0] + fit[2] / 2, abs=1)  # the middle stays
    act(card, "down")
    assert place(card)[1] < closer[1]
    assert place(card)[0] == closer[0]
    act(card, "up")
    act(card, "zoom-out")
    assert place(card) == fit
    act(card, "zoom-out")
    assert place(card) == fit  # all is in sight


def test_keys_do_the_same(card: WebElement) -> None:
    fit, node = place(card), stage(card)
    node.send_keys("+++")
    closer = place(card)
    assert closer[2] == pytest.approx(1.25**3 * fit[2], abs=1)
    node.send_keys(Keys.ARROW_RIGHT)
    assert place(card)[0] < closer[0]
    node.send_keys("0")
    assert place(card) == fit
    before = grey(card)
    node.send_keys("i")
    assert np.array_equal(grey(card), 255 - before)
    node.send_keys("r")
    assert np.array_equal(grey(card), before)
    assert card.parent.switch_to.active_element == node


def test_the_wheel_zooms_where_the_pointer_is(at: Chromium, card: WebElement) -> None:
    node = stage(card)
    left, top, width, height = place(card)
    x, y = int(left + 0.75 * width), int(top + 0.25 * height)
    box = node.rect
    for _ in range(3):
        wheel = {"type": "mouseWheel", "x": box["x"] + x, "y": box["y"] + y, "deltaX": 0, "deltaY": -100}
        at.execute_cdp_cmd("Input.dispatchMouseEvent", wheel)
    WebDriverWait(at, 30).until(lambda _: place(card)[2] > 1.9 * width)
    left, top, wide, high = place(card)
    assert (x - left) / wide == pytest.approx(0.75, abs=0.01)
    assert (y - top) / high == pytest.approx(0.25, abs=0.04)  # the picture's edge follows the stage's


def test_the_mouse_moves_the_picture_and_its_window(at: Chromium, card: WebElement) -> None:
    node = stage(card)
    act(card, "zoom-in")
    act(card, "zoom-in")
    left, top, *size = place(card)
    ActionChains(at).move_to_element(node).click_and_hold().move_by_offset(-30, 20).release().perform()
    assert place(card) == (left - 30, top + 20, *size)
    act(card, "drag-window")
    before = grey(card)
    ActionChains(at).move_to_element(node).click_and_hold().move_by_offset(-100, 0).release().perform()
    assert place(card) == (left - 30, top + 20, *size)
    after = grey(card)
    expected = np.clip((before - (127.5 - 155 / 2)) * 255 / 155, 0, 255)
    assert np.abs(after - expected).max() <= 4
    assert Select(card.find_element(By.NAME, "window")).first_selected_option.text == "Window by hand"
    assert "Window 155, level 128" in card.find_element(By.CLASS_NAME, "viewer-more").text


@pytest.mark.parametrize(
    ("name", "low", "high"), [("Dark parts", 0, 110), ("Middle greys", 70, 185), ("Bright parts", 145, 255)]
)
@pytest.mark.parametrize("inverted", [False, True])
def test_presets_are_windows(card: WebElement, name: str, low: int, high: int, inverted: bool) -> None:
    before = grey(card)
    Select(card.find_element(By.NAME, "window")).select_by_visible_text(name)
    if inverted:
        act(card, "invert-view")
    expected = np.clip((before - low) * 255.0 / (high - low), 0, 255)
    expected = 255 - expected if inverted else expected
    assert np.abs(grey(card) - expected).max() <= 3
    assert stage_pixels(canvas(card))[0][2, 2].max() == 0  # beside the picture nothing is inverted
    act(card, "reset-view")
    assert np.array_equal(grey(card), before)


def test_the_pictures_own_range_leaves_no_grey_unused(card: WebElement) -> None:
    Select(card.find_element(By.NAME, "window")).select_by_visible_text("This picture's range")
    shown = grey(card)
    assert (shown.min(), shown.max()) == (0, 255)


def test_a_dicom_file_is_shown_in_its_own_window(at: Chromium, tmp_path: Path) -> None:
    values = (scene(256, 256).astype(np.uint16) - 60) * 4  # 0 to 596
    data = as_bytes(radiograph(values, WindowCenter="300.5", WindowWidth="201"))
    card = opened_image(at, tmp_path, data, "a.dcm")
    layer(card, "")
    first = Select(card.find_element(By.NAME, "window")).first_selected_option.text
    assert first == "All greys: window around 300.5, 201 wide"
    act(card, "actual")
    expected = np.floor(np.clip((values - 300.0) / 200 + 0.5, 0, 1) * 255 + 0.5)
    assert np.abs(grey(card) - expected).max() <= 1


def touch(at: Chromium, kind: str, *points: tuple[float, float]) -> None:
    named = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
    at.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": named})


def test_two_fingers_zoom_and_one_moves(at: Chromium, card: WebElement) -> None:
    left, top, width, _ = place(card)
    box = stage(card).rect
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    touch(at, "touchStart", (x - 40, y), (x + 40, y))
    for step in range(1, 9):
        touch(at, "touchMove", (x - 40 - 5 * step, y), (x + 40 + 5 * step, y))
    touch(at, "touchEnd")
    WebDriverWait(at, 30).until(lambda _: place(card)[2] > 1.8 * width)
    left, top, wide, _ = place(card)
    assert wide == pytest.approx(2 * width, rel=0.05)
    touch(at, "touchStart", (x, y))
    for step in range(1, 5):
        touch(at, "touchMove", (x + 10 * step, y + 5 * step))
    touch(at, "touchEnd")
    WebDriverWait(at, 30).until(lambda _: place(card)[0] != left)
    assert place(card)[:2] == (pytest.approx(left + 40, abs=12), pytest.approx(top + 20, abs=8))


def test_looking_changes_nothing_of_the_result(at: Chromium, card: WebElement, tmp_path: Path) -> None:
    allow_downloads(at, tmp_path)
    press(card, "Save result")
    first = json.loads(saved_file(at, tmp_path, "a.png.sitegen.json").read_text("utf-8"))
    (tmp_path / "a.png.sitegen.json").unlink()
    assert "never change what the model gets" in card.text
    act(card, "zoom-in")
    act(card, "invert-view")
    Select(card.find_element(By.NAME, "window")).select_by_visible_text("Dark parts")
    press(card, "Save result")
    again = json.loads(saved_file(at, tmp_path, "a.png.sitegen.json").read_text("utf-8"))
    assert again == first


def test_it_fills_the_screen_and_escape_leaves(at: Chromium, card: WebElement) -> None:
    at.execute_script("Element.prototype.requestFullscreen = () => Promise.reject(new Error('not here'))")
    try:
        act(card, "fill")
        viewer = card.find_element(By.CLASS_NAME, "viewer")
        WebDriverWait(at, 30).until(lambda _: viewer.rect["width"] >= 1200)
        assert at.execute_script("return document.elementFromPoint(5, 5).closest('.viewer') !== null")
        stage(card).send_keys(Keys.ESCAPE)
        WebDriverWait(at, 30).until(lambda _: viewer.rect["width"] < 800)
    finally:
        spoil(at)  # the next page has a screen to fill again


def test_all_pixels_are_decoded_when_it_is_looked_into(at: Chromium, tmp_path: Path) -> None:
    card = opened_image(at, tmp_path, encoded(seed=5, size=1400))
    shown = canvas(card)
    pixels(shown)
    assert shown.get_attribute("data-source") == "1024 1024"
    act(card, "actual")
    WebDriverWait(at, 20).until(lambda _: shown.get_attribute("data-source") == "1400 1400")
    assert zoom(card) == 100
    act(card, "fit")
    WebDriverWait(at, 30).until(lambda _: shown.get_attribute("data-source") == "1024 1024")


@pytest.mark.parametrize("ratio", [1, 2, 3])
def test_canvases_are_as_fine_as_the_screen(at: Chromium, tmp_path: Path, ratio: int) -> None:
    at.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", DESK | {"deviceScaleFactor": ratio})
    card = opened_image(at, tmp_path, png(scene(256, 256)))
    node = canvas(card)
    pixels(node)
    assert node.get_property("width") == pytest.approx(ratio * node.rect["width"], abs=ratio)


def test_everything_has_a_button_with_a_name(at: Chromium, card: WebElement) -> None:
    wanted = "zoom-in zoom-out fit actual drag-move drag-window preset invert-view reset-view fill left right up down"
    wanted += " darker brighter narrower wider"
    for action in wanted.split():
        button = card.find_element(By.CSS_SELECTOR, f'.viewer [data-action="{action}"]')
        assert button.accessible_name
    node = stage(card)
    assert node.get_attribute("tabindex") == "0"
    described = card.find_element(By.ID, node.get_attribute("aria-describedby") or "")
    assert "plus and minus zoom" in (described.get_attribute("textContent") or "")
