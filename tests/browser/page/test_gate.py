"""Refusals on the page: their reasons, pictures and scales, corrections that are offered, and what is forced."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from sitegen.browser.chromium import Chromium
from sitegen.bundle import Bundle
from sitegen.phantom import phantom
from sitegen.prediction import Predictor
from tests.helpers.browser import map_support
from tests.helpers.browser.gate_bundle import CHEST, DARK_TOP, LABELS, SIDE, THRESHOLD, known_image
from tests.helpers.browser.support import Standing, cards, choose, png, show_pane, written
from tests.helpers.browser.viewer_support import canvas, layer

pytestmark = pytest.mark.browser

KNOWN = "of the validation images that the gate was set on."


@pytest.fixture
def at(standing: Standing, gate_site: Path) -> Iterator[Chromium]:
    yield standing(gate_site).driver
    standing.clear()


def shown(at: Chromium, folder: Path, data: bytes, name: str = "a.png") -> WebElement:
    """The card of an image, done."""
    choose(at, written(folder, name, data))
    (card,) = cards(at, 1)
    return card


def press(at: Chromium, card: WebElement, text: str) -> None:
    """Press a button of the card, and wait until the card is done again."""
    card.find_element(By.XPATH, f".//button[contains(., '{text}')]").click()
    WebDriverWait(at, 30).until(lambda _: card.get_attribute("aria-busy") == "false")


def force(at: Chromium, card: WebElement) -> None:
    press(at, card, "Analyse anyway")
    press(at, card, "Yes, and mark it as forced")


def pixels(canvas: WebElement, side: int = SIDE) -> np.ndarray:
    """What a canvas shows, averaged to side x side cells: RGB as shares of white."""
    return map_support.resized(map_support.pixels(canvas), side, side) / 255


def cells(image: np.ndarray) -> np.ndarray:
    return image.reshape(SIDE, 256 // SIDE, SIDE, 256 // SIDE).mean((1, 3)) / 255


def shows(card: WebElement, kind: str) -> np.ndarray:
    """What the viewer shows with a layer: "", "errors" or "reconstruction"."""
    layer(card, kind)
    return pixels(canvas(card))


def figures(card: WebElement) -> str:
    """The gate's figures, which are folded away."""
    card.parent.execute_script("arguments[0].open = true", details := card.find_element(By.CLASS_NAME, "gate-details"))
    WebDriverWait(card.parent, 30).until(lambda _: details.find_elements(By.CLASS_NAME, "measure"))
    return details.text


# Keeps the next file that the page saves; the page is itself again after it.
CATCH_DOWNLOADS = """
window.downloads = [];
const {click} = HTMLAnchorElement.prototype, make = URL.createObjectURL;
const blobs = new Map();
HTMLAnchorElement.prototype.click = function () {
  HTMLAnchorElement.prototype.click = click;
  URL.createObjectURL = make;
  blobs.get(this.href).text().then((text) => window.downloads.push([this.download, text]));
};
URL.createObjectURL = (blob) => { const address = make.call(URL, blob); blobs.set(address, blob); return address; };
"""


def saved(at: Chromium, card: WebElement) -> tuple[str, dict[str, Any]]:
    """Name and content of the file that the card's button saves."""
    at.execute_script(CATCH_DOWNLOADS)
    press(at, card, "Save result")
    ((name, text),) = WebDriverWait(at, 30).until(lambda _: at.execute_script("return window.downloads"))
    return name, json.loads(text)


def test_an_image_upside_down_is_refused_with_every_reason_in_words(at: Chromium, tmp_path: Path) -> None:
    card = shown(at, tmp_path, png(CHEST[::-1, ::-1]))
    assert card.get_attribute("data-outcome") == "refused"
    assert "Not analysed" in card.text
    assert "The gate's network could not draw this image well enough." in card.text
    assert "0.62" not in card.text  # figures are folded away
    told = figures(card)
    assert "similarity to the gate's own reconstruction is 0.37" in told
    assert "(turned or inverted, its similarity is 0.62" in told
    assert "At least as unlike as all " + KNOWN in told
    assert not card.find_elements(By.CLASS_NAME, "finding")
    assert not any(label in card.text for label in LABELS)


def test_difference_and_reconstruction_are_layers_over_the_image(at: Chromium, tmp_path: Path) -> None:
    card = shown(at, tmp_path, png(CHEST[::-1, ::-1]))
    drawn = shows(card, "reconstruction")
    assert "nearest to it that the gate's network draws" in card.find_element(By.CLASS_NAME, "layers").text
    assert canvas(card).accessible_name == "The reconstruction of a.png"
    assert np.ptp(drawn, axis=2).max() == 0
    assert np.abs(drawn[..., 0] - known_image()).max() < 0.1
    assert np.abs(drawn[..., 0] - known_image()).mean() < 0.02
    errors = np.abs(cells(CHEST[::-1, ::-1]) - known_image())
    with_errors = shows(card, "errors")
    redness = with_errors[..., 0] - with_errors[..., 1]
    assert np.corrcoef(redness[2:-2, 2:-2].ravel(), errors[2:-2, 2:-2].ravel())[0, 1] > 0.8
    assert np.abs(shows(card, "")[..., 0] - cells(CHEST[::-1, ::-1])).max() < 0.02


def test_a_layer_can_be_seen_through(at: Chromium, tmp_path: Path) -> None:
    card = shown(at, tmp_path, png(CHEST[::-1, ::-1]))
    drawn, image = shows(card, "reconstruction"), shows(card, "")
    layer(card, "reconstruction")
    map_support.set_range(card, "layer-opacity", 40)
    assert np.abs(pixels(canvas(card)) - (0.4 * drawn + 0.6 * image)).max() < 0.02


def test_on_a_phone_a_refusal_does_not_overflow(at: Chromium, tmp_path: Path) -> None:
    metrics = {"width": 390, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    at.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        card = shown(at, tmp_path, png(CHEST[::-1, ::-1]), "no-space-in-this-name" * 8 + ".png")
        assert canvas(card).rect["width"] > 340
        assert at.execute_script("return document.documentElement.scrollWidth") <= 390
        show_pane(at, "findings")
        force(at, card)
        assert at.execute_script("return document.documentElement.scrollWidth") <= 390
    finally:
        at.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_the_scale_shows_where_image_and_threshold_lie(at: Chromium, tmp_path: Path, gate_bundle: Bundle) -> None:
    pale = png((CHEST * 0.55).astype(np.uint8))
    gate = Predictor(gate_bundle).analyse(pale, "a.png").document["gate"]
    assert 0.7 < gate["score"] < THRESHOLD
    # Between the quantiles of the levels 0 and 0.05, which are 0.7 and 0.8.
    assert gate["position"] == pytest.approx(1 - (gate["score"] - 0.7) / 0.1 * 0.05, abs=1e-12)
    card = shown(at, tmp_path, pale)
    percent = np.floor(1000 * gate["position"]) / 10
    assert f"More unlike than {percent:.1f} % {KNOWN}" in figures(card)
    (scale,) = (scale for scale in card.find_elements(By.CLASS_NAME, "scale") if "SSIM" in scale.accessible_name)
    assert scale.get_attribute("role") == "meter"
    assert float(scale.get_attribute("aria-valuenow") or "") == percent
    assert f"{percent:.1f} %" in (scale.get_attribute("aria-valuetext") or "")

    def place(name: str) -> float:
        rect = scale.find_element(By.CLASS_NAME, name).rect
        return (rect["x"] + rect["width"] / 2 - scale.rect["x"]) / scale.rect["width"]

    assert place("scale-here") == pytest.approx(gate["position"], abs=0.01)
    assert place("bar-mark") == pytest.approx(0.95, abs=0.01)
    assert place("scale-refused") == pytest.approx((0.95 + 1) / 2, abs=0.01)


CORRECTIONS = {
    "turn-90": (np.rot90(CHEST, 1), "Turn by 90° clockwise and analyse", "turned by 90° clockwise"),
    "turn-180": (np.rot90(CHEST, 2), "Turn by 180° and analyse", "turned by 180°"),
    "turn-270": (np.rot90(CHEST, 3), "Turn by 90° anticlockwise and analyse", "turned by 90° anticlockwise"),
    "invert": (255 - CHEST, "Invert and analyse", "inverted"),
}


@pytest.mark.parametrize("correction", CORRECTIONS)
def test_a_correction_is_offered_and_leads_to_an_accepted_image(at: Chromium, tmp_path: Path, correction: str) -> None:
    wrong, button, done = CORRECTIONS[correction]
    card = shown(at, tmp_path, png(wrong), "wrong.png")
    assert len(card.find_elements(By.CLASS_NAME, "offer")) == 1
    assert card.get_attribute("data-outcome") == "refused"
    press(at, card, button)
    assert card.get_attribute("data-outcome") == "findings"
    assert f"Analysed ({done})" in card.text
    assert at.switch_to.active_element == card
    assert np.abs(shows(card, "")[..., 0] - cells(CHEST)).max() < 0.03
    name, document = saved(at, card)
    assert name == f"wrong.png.{correction}.sitegen.json"
    assert document["correction"] == correction
    assert "forced" not in document
    press(at, card, "Analyse it as it is in the file")
    assert card.get_attribute("data-outcome") == "refused"
    assert np.abs(shows(card, "reconstruction")[..., 0] - known_image()).mean() < 0.02


def test_a_turn_comes_after_the_orientation_of_the_file(at: Chromium, tmp_path: Path) -> None:
    # Stored so that the file's own orientation (turn clockwise by 90 degrees) leaves it upside down; not square.
    wide = np.pad(CHEST, ((0, 0), (40, 40)))
    stored = np.rot90(np.rot90(wide, 2), 1)
    buffer = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.ascontiguousarray(stored)).save(buffer, "JPEG", quality=95, exif=exif.tobytes())
    card = shown(at, tmp_path, buffer.getvalue(), "wrong.jpg")
    press(at, card, "Turn by 180° and analyse")
    assert card.get_attribute("data-outcome") == "findings"
    _, (_, _, width, height) = map_support.stage_pixels(canvas(card))
    assert width / height == pytest.approx(336 / 256, abs=0.01)
    card.find_element(By.TAG_NAME, "summary").send_keys(Keys.ENTER)


def test_what_was_forced_is_marked_everywhere(at: Chromium, tmp_path: Path) -> None:
    card = shown(at, tmp_path, png(CHEST[::-1, ::-1]), "wrong.png")
    assert np.ptp(shows(card, "reconstruction")[0, 0]) == 0  # grey: no badge yet
    force(at, card)
    assert at.switch_to.active_element == card
    assert "although the gate refused it: do not rely on this" in card.text
    assert "similarity to the gate's own reconstruction is 0.37" in card.text
    findings = card.find_elements(By.CLASS_NAME, "finding")
    assert sorted(finding.find_element(By.TAG_NAME, "strong").text for finding in findings) == sorted(
        f"{label}Forced" for label in LABELS
    )
    for finding in findings:
        assert finding.find_element(By.CLASS_NAME, "badge").text == "Forced"
        meter = finding.find_element(By.CSS_SELECTOR, "[role=meter]")
        assert "Forced: the gate refused this image" in (meter.get_attribute("aria-valuetext") or "")
    for kind in ("errors", "reconstruction", ""):
        corner = shows(card, kind)[0, 0]
        assert "Forced" in canvas(card).accessible_name
        assert corner == pytest.approx(np.array([163, 34, 15]) / 255, abs=0.02)
    name, document = saved(at, card)
    assert name == "wrong.png.forced.sitegen.json"
    assert document["forced"] is True
    assert document["gate"]["accepted"] is False


def test_a_forced_image_stays_corrected(at: Chromium, tmp_path: Path, gate_bundle: Bundle) -> None:
    # Upright it passes all but the second stage: it has to be forced after it was turned.
    data = png(np.rot90(DARK_TOP, 2))
    card = shown(at, tmp_path, data, "wrong.png")
    press(at, card, "Turn by 180° and analyse")
    assert card.get_attribute("data-outcome") == "refused"
    force(at, card)
    name, document = saved(at, card)
    assert name == "wrong.png.turn-180.forced.sitegen.json"
    assert (document["correction"], document["forced"]) == ("turn-180", True)
    theirs = Predictor(gate_bundle).analyse(data, "wrong.png", force=True, correction="turn-180").document
    assert document["tensors"] == theirs["tensors"]


def test_a_refusal_of_the_second_stage_shows_no_finding_anywhere(at: Chromium, tmp_path: Path) -> None:
    card = shown(at, tmp_path, png(DARK_TOP))
    assert card.get_attribute("data-outcome") == "refused"
    assert "similarity to the gate's own reconstruction" not in figures(card)
    assert "(mahalanobis is" in figures(card)
    assert not card.find_elements(By.CLASS_NAME, "finding")
    everything = at.execute_script("return arguments[0].outerHTML", card)
    assert not any(label in everything for label in LABELS)
    name, document = saved(at, card)
    assert name == "a.png.sitegen.json"
    assert document["findings"] == []
    assert not any(label in json.dumps(document) for label in LABELS)
    force(at, card)
    assert len(card.find_elements(By.CSS_SELECTOR, ".finding .badge")) == len(LABELS)


def test_an_accepted_image_folds_the_same_away(at: Chromium, tmp_path: Path) -> None:
    card = shown(at, tmp_path, png(phantom(seed=4, size=256)))
    assert card.get_attribute("data-outcome") == "findings"
    assert not card.find_elements(By.CLASS_NAME, "badge")
    assert not [scale for scale in card.find_elements(By.CLASS_NAME, "scale") if scale.is_displayed()]
    assert np.abs(shows(card, "reconstruction")[..., 0] - known_image()).mean() < 0.02
    card.find_element(By.CSS_SELECTOR, ".gate-details > summary").send_keys(Keys.ENTER)
    WebDriverWait(at, 30).until(lambda _: card.find_elements(By.CLASS_NAME, "scale"))
    names = [scale.accessible_name for scale in card.find_elements(By.CLASS_NAME, "scale") if scale.is_displayed()]
    assert len(names) == 2
    assert all(name.startswith("How unlike: ") for name in names)
    assert "More unlike than" in card.text


def test_controls_and_pictures_of_a_refusal_have_names(at: Chromium, tmp_path: Path) -> None:
    figures(shown(at, tmp_path, png(CHEST[::-1, ::-1])))
    nodes = at.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    roles = ("button", "link", "image", "img", "meter", "checkbox", "article", "DisclosureTriangle")
    found = [(node["role"]["value"], node.get("name", {}).get("value")) for node in nodes if not node["ignored"]]
    named = {role: [name for kind, name in found if kind == role] for role in roles}
    assert all(all(names) for names in named.values())
    assert "The image a.png, with the places that its reconstruction misses in red" in named["image"] + named["img"]
    assert named["meter"]
    assert any(name.startswith("a.png Not analysed") for name in named["article"])
