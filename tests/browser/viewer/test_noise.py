"""Adversarial noise in the what-if tool: Python's numbers and picture, cancelled, compared, reported, kept."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import Select, WebDriverWait

import sitegen
from sitegen.browser.chromium import Chromium
from sitegen.bundle import Bundle
from sitegen_runtime.calibration import sigmoid
from tests.browser.viewer.test_what_if import SQUARE, answer, asked, at_desk, touch, tried
from tests.helpers.browser.map_support import explained, stage_pixels
from tests.helpers.browser.support import Standing, cards, choose
from tests.helpers.browser.viewer_support import act, canvas, opened_image

pytestmark = pytest.mark.browser


@pytest.fixture
def card(standing: Standing, gradient_site: Path, tmp_path: Path) -> Iterator[WebElement]:
    """The card of a square image of 256 pixels, with the tool open at noise."""
    with at_desk(standing, gradient_site, tmp_path) as driver:
        card = opened_image(driver, tmp_path, SQUARE)
        act(card, "what-if")
        act(card, "what-if-noise")
        yield card


def chosen(card: WebElement, **values: str) -> None:
    for name, value in values.items():
        Select(card.find_element(By.CSS_SELECTOR, f"[data-action=noise-{name}]")).select_by_value(value)


def answered(card: WebElement, count: int) -> None:
    """Wait until so many are in the table, which is not there for one alone."""
    shown = ".what-if [data-action^='show-try']"
    WebDriverWait(card.parent, 60).until(
        lambda _: answer(card) and max(1, len(card.find_elements(By.CSS_SELECTOR, shown))) == count
    )


def test_noise_has_pythons_numbers_and_picture(card: WebElement, gradient_bundle: Bundle, tmp_path: Path) -> None:
    at, before = card.parent, stage_pixels(canvas(card))[0]
    chosen(card, kind="bim")
    steps = card.find_element(By.CSS_SELECTOR, "[data-action=noise-steps]")
    steps.send_keys(Keys.BACKSPACE * 2, "4")
    card.find_element(By.CSS_SELECTOR, "[data-action=what-if-add]").send_keys(Keys.ENTER)
    answered(card, 1)
    chosen(card, kind="fgsm", size=str(2 / 255), finding="Effusion")
    add = card.find_element(By.CSS_SELECTOR, "[data-action=what-if-add]").rect
    place = (add["x"] + add["width"] / 2, add["y"] + add["height"] / 2)
    touch(at, "touchStart", place)
    touch(at, "touchEnd")
    answered(card, 2)
    first, second = entries = tried(card, tmp_path)
    assert first["attack"] == {"method": "bim", "strength": 0.3, "steps": 4, "finding": None, "seed": 0}
    assert (second["attack"]["strength"], second["attack"]["finding"]) == (2 / 255, "Effusion")
    predictor = sitegen.Predictor(gradient_bundle)
    for entry in entries:
        attack = entry["attack"]
        options = {key: attack[key] for key in ("steps", "finding", "seed")}
        expected = predictor.attack(SQUARE, attack["method"], attack["strength"], **options)
        assert [entry["loss"][key] for key in ("before", "after")] == pytest.approx(
            [expected.loss_before, expected.loss_after], rel=1e-4
        )
        for effect in entry["findings"]:
            logits = expected.before[effect["label"]], expected.after[effect["label"]]
            assert [effect["before"], effect["after"]] == pytest.approx(list(map(sigmoid, logits)), abs=2e-5)
            assert effect["logit_effect"] == pytest.approx(logits[1] - logits[0], abs=2e-4)
        assert entry["gate"]["accepted"] in (True, False)
    assert explained(at, SQUARE, whatIf=[{"attack": second["attack"]}])["what_if"] == [second]
    check_picture(card, before)
    check_kept(card, tmp_path, entries)


def check_picture(card: WebElement, before: np.ndarray) -> None:
    """The stage shows the picture with the noise that is chosen in the table, or as it is."""
    act(card, "show-try 1")
    assert np.abs(stage_pixels(canvas(card))[0] - before).max() > 40  # 0.3 of 255 is 76
    act(card, "what-if-shown")
    assert np.abs(stage_pixels(canvas(card))[0] - before).max() <= 1
    act(card, "what-if-shown")


def check_kept(card: WebElement, folder: Path, entries: list[dict[str, object]]) -> None:
    """Report and session have what was tried, and a reopened session shows it before its image is chosen."""
    at = card.parent
    reported = asked(at, folder, "save", "html")
    assert ">Noise 2<" in reported
    assert reported.count("The picture with the noise, as the model takes it") == 4  # two figures and their captions
    session = asked(at, folder, "session", "session.json")
    assert json.loads(session)["images"][0]["document"]["what_if"] == entries
    at.execute_script("document.querySelector('dialog[open]')?.close()")
    (file,) = folder.glob("*.session.json")
    choose(at, file)
    again = cards(at, 2)[0]
    shown = again.find_element(By.CLASS_NAME, "reopened-tries")
    assert "Noise 1" in shown.text
    assert "BIM, 30 %, 4 steps" in shown.text
    assert not shown.find_elements(By.TAG_NAME, "button")


def test_noise_can_be_stopped(card: WebElement, tmp_path: Path) -> None:
    chosen(card, kind="pgd")
    steps = card.find_element(By.CSS_SELECTOR, "[data-action=noise-steps]")
    steps.send_keys(Keys.BACKSPACE * 2, "50")
    act(card, "what-if-add")
    cancel = card.find_element(By.CSS_SELECTOR, "[data-action=what-if-cancel]")
    assert cancel.is_displayed()
    cancel.click()
    assert not cancel.is_displayed()
    assert at_focus(card.parent) == "what-if-add"
    assert tried(card, tmp_path) == []
    act(card, "what-if-part")
    assert not card.find_element(By.CLASS_NAME, "what-if-noise").is_displayed()


def at_focus(at: Chromium) -> str | None:
    return at.switch_to.active_element.get_attribute("data-action")
