"""What a person does: choose, drop, paste, read, cancel, by mouse and keyboard, at a desk and on a phone."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from sitegen.browser.chromium import Chromium
from sitegen.bundle import load_bundle
from sitegen.resources import default_bundle
from sitegen_runtime.calibration import calibrated_operating_point
from tests.helpers.browser.support import Standing, cards, choose, encoded, noise, opened, waiting, written
from tests.helpers.browser.viewer_support import layer

pytestmark = pytest.mark.browser


@pytest.fixture
def at(standing: Standing, shipped_site: Path) -> Iterator[Chromium]:
    yield standing(shipped_site).driver
    standing.clear()


def test_an_accepted_image_shows_labelled_bars(at: Chromium) -> None:
    at.find_element(By.ID, "example").click()
    (card,) = cards(at, 1)
    assert card.get_attribute("data-outcome") == "findings"
    labels = load_bundle(default_bundle()).model.labels
    box = card.find_element(By.CSS_SELECTOR, ".own-order input")
    box.click()
    bars = card.find_elements(By.CSS_SELECTOR, "[role=meter]")
    assert [bar.get_attribute("aria-label") for bar in bars] == [label.name for label in labels]
    assert all(bar.is_displayed() for bar in bars)
    bar = bars[0]
    share = float(bar.get_attribute("aria-valuenow") or "")
    fill, mark = (bar.find_element(By.CLASS_NAME, name) for name in ("bar-fill", "bar-mark"))
    border = calibrated_operating_point(labels[0]) or labels[0].operating_point
    assert mark.rect["x"] - bar.rect["x"] == pytest.approx(bar.rect["width"] * border, abs=2)
    WebDriverWait(at, 30).until(lambda _: abs(fill.rect["width"] / bar.rect["width"] * 100 - share) < 2)
    assert f"{share:.0f} %" in card.text
    assert "operating point" in card.text
    box.click()
    above = [row.find_element(By.CLASS_NAME, "finding-name").text for row in card.find_elements(By.CLASS_NAME, "above")]
    shown = [bar.get_attribute("aria-label") for bar in card.find_elements(By.CSS_SELECTOR, "[role=meter]")]
    assert shown[: len(above)] == above  # and the others are folded away behind them
    others = card.find_elements(By.CSS_SELECTOR, ".others [role=meter]")
    assert len(others) == len(labels) - len(above)
    assert not any(bar.is_displayed() for bar in others)
    assert "Not for diagnostic use" in at.find_element(By.TAG_NAME, "header").text


def test_a_refused_image_shows_reason_and_error_map_and_can_be_forced(at: Chromium, tmp_path: Path) -> None:
    choose(at, written(tmp_path, "noise.png", noise()))
    (card,) = cards(at, 1)
    assert card.get_attribute("data-outcome") == "refused"
    assert "unlike" in card.text
    assert not card.find_elements(By.CSS_SELECTOR, ".finding")
    red = "const c = arguments[0], d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
    red += "let n = 0; for (let i = 0; i < d.length; i += 4) n += d[i] > d[i + 1] + 20; return n / (d.length / 4);"
    canvas = card.find_element(By.TAG_NAME, "canvas")
    WebDriverWait(at, 30).until(lambda _: at.execute_script(red, canvas) > 0.2)
    layer(card, "")
    WebDriverWait(at, 30).until(lambda _: at.execute_script(red, canvas) == 0)
    card.find_element(By.XPATH, ".//button[contains(., 'Analyse anyway')]").click()
    card.find_element(By.XPATH, ".//button[contains(., 'Yes')]").click()
    WebDriverWait(at, 20).until(lambda _: card.get_attribute("data-outcome") == "findings")
    assert "although the gate refused it" in card.text


def test_a_second_image_follows_any_failure(at: Chromium, tmp_path: Path) -> None:
    choose(at, written(tmp_path, "cut.png", encoded()[:-300]))
    assert "This file is damaged" in cards(at, 1)[0].text
    choose(at, written(tmp_path, "page.html", b"<!doctype html><p>x"), written(tmp_path, "good.jpg", encoded("JPEG")))
    texts = [card.text for card in cards(at, 3)]
    assert any("cannot be read" in text for text in texts)
    assert (
        sum("good.jpg" in text and "threshold" in text for text in texts) + sum("unlike" in text for text in texts) >= 1
    )


SEND_FILE = """
const [kind, text, name] = arguments;
const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
const transfer = new DataTransfer();
transfer.items.add(new File([bytes], name, {type: "image/png"}));
const event = kind === "drop" ? new DragEvent("drop", {dataTransfer: transfer, bubbles: true, cancelable: true})
  : new ClipboardEvent("paste", {clipboardData: transfer, bubbles: true, cancelable: true});
document.getElementById("drop").dispatchEvent(event);
return event.defaultPrevented;
"""


@pytest.mark.parametrize("kind", ["drop", "paste"])
def test_images_are_dropped_and_pasted(at: Chromium, kind: str) -> None:
    prevented = at.execute_script(SEND_FILE, kind, base64.b64encode(encoded(seed=5)).decode(), f"by {kind}.png")
    (card,) = cards(at, 1)
    assert f"by {kind}.png" in card.text
    assert prevented == (kind == "drop")  # otherwise the browser would leave the page for the file


def test_the_keyboard_alone_is_enough(driver: Chromium, shipped_site: Path) -> None:
    reached = []
    with opened(driver, shipped_site):
        for _ in range(5):
            ActionChains(driver).send_keys(Keys.TAB).perform()
            reached.append(driver.switch_to.active_element.get_attribute("id") or driver.switch_to.active_element.text)
        assert [name.split("\n")[0] for name in reached] == [
            "Skip to results",
            "How to read a result",
            "files",
            "folder",
            "example",
        ]
        driver.find_element(By.ID, "example").send_keys(Keys.ENTER)
        assert len(cards(driver, 1)) == 1
        verdict = driver.find_element(By.CLASS_NAME, "card-status").text
        assert "threshold" in verdict
        said = driver.find_element(By.CSS_SELECTOR, "[role=status][aria-live=polite]").text
        assert said == f"golden.png: {verdict}."


def test_every_control_and_picture_has_a_name(at: Chromium, tmp_path: Path) -> None:
    choose(at, written(tmp_path, "noise.png", noise()))
    cards(at, 1)
    nodes = at.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    roles = {"button", "link", "image", "img", "meter", "checkbox", "progressbar", "textbox"}
    unnamed = [
        node["role"]["value"]
        for node in nodes
        if not node["ignored"] and node["role"]["value"] in roles and not node.get("name", {}).get("value")
    ]
    assert unnamed == []


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_overflows_sideways(at: Chromium, tmp_path: Path, width: int) -> None:
    at.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 600},
    )
    try:
        choose(at, written(tmp_path, "a-very-long-name-without-any-space-in-it" * 4 + ".png", noise()))
        cards(at, 1)
        assert at.execute_script("return document.documentElement.scrollWidth") <= width
    finally:
        at.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_a_card_can_be_removed_and_the_other_pages_open(at: Chromium) -> None:
    at.find_element(By.ID, "example").click()
    (card,) = cards(at, 1)
    card.find_element(By.XPATH, ".//button[.='Remove']").click()
    assert not at.find_elements(By.CLASS_NAME, "card")
    assert at.switch_to.active_element.text == "Undo the removal"
    at.find_element(By.LINK_TEXT, "Model card").click()
    WebDriverWait(at, 30).until(lambda _: at.find_elements(By.LINK_TEXT, "Back"))
    assert "diagnostic" in at.find_element(By.TAG_NAME, "main").text.lower()
    at.find_element(By.LINK_TEXT, "Back").click()
    WebDriverWait(at, 30).until(lambda _: at.find_elements(By.PARTIAL_LINK_TEXT, "Licences of everything"))[0].click()
    WebDriverWait(at, 30).until(lambda _: not at.find_elements(By.ID, "files"))
    text = at.find_element(By.TAG_NAME, "main").text
    assert all(name in text for name in ("Pyodide", "ONNX Runtime Web", "js-sha256", "MPL-2.0"))


def test_images_can_be_chosen_before_the_page_is_ready(driver: Chromium, shipped_site: Path, tmp_path: Path) -> None:
    driver.get((shipped_site / "index.html").as_uri())
    choose(driver, written(tmp_path, "early.png", encoded(seed=5)))
    assert "early.png" in waiting(driver).text
    (card,) = cards(driver, 1)
    assert card.get_attribute("data-outcome") in ("findings", "refused")
