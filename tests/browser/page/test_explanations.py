"""Maps in the page: opened by a finding, compared, cancelled, of several images; each on its own image."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from sitegen.browser.chromium import Chromium
from tests.helpers.browser.accessibility import Look, looked_at
from tests.helpers.browser.holding import held_messages
from tests.helpers.browser.map_support import (
    LISTEN,
    choose_option,
    coloured,
    example,
    image,
    map_canvas,
    open_map,
    pixels,
    press,
    set_range,
    settled,
    status,
    views,
    wait_for_maps,
)
from tests.helpers.browser.support import Standing, cards, choose, encoded, opened, spoil, written
from tests.helpers.browser.viewer_support import even_stages

pytestmark = pytest.mark.browser


@pytest.fixture
def at(standing_catching: Standing, shipped_site: Path) -> Iterator[Chromium]:
    driver = standing_catching(shipped_site).driver
    even_stages(driver)
    yield driver
    standing_catching.clear()


@pytest.fixture
def small(standing_catching: Standing, gradient_site: Path) -> Iterator[Chromium]:
    """A model with three labels, whose bundle has a gradient graph and nothing else for maps."""
    driver = standing_catching(gradient_site).driver
    even_stages(driver)
    yield driver
    standing_catching.clear()


def untouched(view: WebElement, plain: np.ndarray) -> float:
    """The share of a map's picture that is the image alone."""
    return float((np.abs(pixels(map_canvas(view)) - plain).max(axis=2) == 0).mean())


def title(view: WebElement) -> str:
    return view.find_element(By.CSS_SELECTOR, "figcaption strong").text


def test_a_finding_opens_its_map_over_the_image(at: Chromium) -> None:
    card = example(at)
    before = pixels(card.find_element(By.CSS_SELECTOR, ".viewer-main canvas"))
    opener = card.find_element(By.CSS_SELECTOR, '.finding-open[data-finding="Pneumonia"]')
    assert opener.get_attribute("aria-expanded") == "false"
    section = open_map(card, "Pneumonia")
    assert opener.get_attribute("aria-expanded") == "true"
    assert opener.get_attribute("aria-controls") == section.get_attribute("id")
    (view,) = views(card)
    assert title(view) == "Grad-CAM for Pneumonia"
    assert coloured(before) == 0
    picture = pixels(map_canvas(view))
    assert picture.shape == before.shape
    assert 0.02 < coloured(picture) < 0.9
    grey = np.abs(picture - before).max(axis=2) == 0
    assert grey.mean() > 0.1  # what matters little is the image, untouched
    words = map_canvas(view).get_attribute("aria-label")
    assert words.startswith("Grad-CAM for Pneumonia, over the image golden.png. Strongest ")
    assert status(at) == words
    assert "little influence" in view.text
    assert "strongest" in view.text
    assert card.find_element(By.CSS_SELECTOR, "[role=meter]").is_displayed()


def test_a_maps_picture_fills_its_stage(at: Chromium) -> None:
    with looked_at(at, Look(1280, 1100)):
        at.execute_script("document.adoptedStyleSheets = []")  # stages as large as they are
        card = example(at)
        open_map(card, "Pneumonia")
        canvas = map_canvas(views(card)[0])
        stage = canvas.find_element(By.XPATH, "..")
        assert stage.size["height"] > 400
        assert canvas.size == stage.size


def test_methods_are_chosen_and_guided_ones_warn(at: Chromium) -> None:
    card = example(at)
    open_map(card, "Pneumonia")
    (view,) = views(card)
    warning = view.find_element(By.CSS_SELECTOR, ".warning")
    last = pixels(map_canvas(view))
    for method, name in (("saliency", "Saliency"), ("cam", "CAM"), ("guided-grad-cam", "Guided Grad-CAM")):
        assert not warning.is_displayed()
        choose_option(view, "Method", method)
        wait_for_maps(card)
        assert title(view) == f"{name} for Pneumonia"
        assert not view.find_element(By.CSS_SELECTOR, ".failure").is_displayed()
        picture = pixels(map_canvas(view))
        assert not np.array_equal(picture, last)
        assert coloured(picture) > 0.002
        last = picture
    assert warning.is_displayed()
    assert "Adebayo et al. 2018" in warning.text
    assert not card.find_elements(By.CLASS_NAME, "reasons")  # this model has them all


def test_a_model_without_gradients_has_causal_effect_maps(driver: Chromium, site: Path, tmp_path: Path) -> None:
    with opened(driver, site):
        card = image(driver, tmp_path)
        open_map(card)
        (view,) = views(card)
        assert title(view).startswith("Causal effect map for ")
        assert "From 500 masked copies of the image." in view.find_element(By.TAG_NAME, "figcaption").text


def test_a_causal_effect_map_sharpens_and_keeps_what_it_has_when_cancelled(at: Chromium) -> None:
    card = example(at)
    open_map(card, "Pneumonia")
    (view,) = views(card)
    caption, save = (
        view.find_element(By.TAG_NAME, "figcaption"),
        view.find_element(By.XPATH, ".//button[.='Save as PNG']"),
    )
    with held_messages(at, "sketch") as held:  # each map on the way stays until the next may come
        choose_option(view, "Method", "cem")
        held.let_on(1)
        WebDriverWait(at, 60).until(lambda _: "Not finished: from the first 32 of 500" in caption.text)
        first = pixels(map_canvas(view))
        assert coloured(first) > 0.002
        assert view.get_attribute("aria-busy") == "true"
        assert not save.is_enabled()
        held.let_on(1)
        WebDriverWait(at, 60).until(lambda _: "from the first 84 of 500" in caption.text)
        assert not np.array_equal(pixels(map_canvas(view)), first)
        press(view, "Cancel")
    wait_for_maps(card)
    assert "Not finished: from the first" in caption.text
    assert not view.find_element(By.CSS_SELECTOR, ".failure").is_displayed()
    assert save.is_enabled()
    kept = pixels(map_canvas(view))
    assert coloured(kept) > 0.002
    set_range(card, "opacity", 30)  # what was kept has looks, as every map
    WebDriverWait(at, 20).until(lambda _: not np.array_equal(pixels(map_canvas(view)), kept))
    choose_option(view, "Method", "saliency")
    wait_for_maps(card)
    assert title(view) == "Saliency for Pneumonia"
    assert "Not finished" not in caption.text


def test_what_a_model_cannot_give_is_disabled_with_the_reason(small: Chromium, tmp_path: Path) -> None:
    card = image(small, tmp_path)
    section = open_map(card)
    (view,) = views(card)
    options = view.find_elements(By.CSS_SELECTOR, "option")
    disabled = {option.get_attribute("value"): option.text for option in options if not option.is_enabled()}
    assert disabled == {
        "cam": "CAM (not for this model)",
        "guided-grad-cam": "Guided Grad-CAM (fails sanity checks, not for this model)",
    }
    section.find_element(By.CSS_SELECTOR, ".reasons summary").click()
    reasons = [item.text for item in section.find_elements(By.CSS_SELECTOR, ".reasons li")]
    assert "does not end with an average over the image and one linear layer" in reasons[0]
    assert "no network of the role 'guided'" in reasons[1]


def test_all_findings_and_each_of_them(small: Chromium, tmp_path: Path) -> None:
    card = image(small, tmp_path)
    assert len(card.find_elements(By.CLASS_NAME, "finding-open")) == 4
    seen = []
    for finding, name in (("Atelectasis", "Atelectasis"), ("Effusion", "Effusion"), ("all", "all findings together")):
        open_map(card, finding)
        (view,) = views(card)  # another finding takes the place of the one before
        assert title(view) == f"Grad-CAM for {name}"
        expanded = card.find_elements(By.CSS_SELECTOR, ".finding-open[aria-expanded=true]")
        assert [opener.get_attribute("data-finding") for opener in expanded] == [finding]
        seen.append(map_canvas(view).get_attribute("aria-label"))
    assert len(set(seen)) == 3


def test_a_second_map_beside_the_first(small: Chromium, tmp_path: Path) -> None:
    card = image(small, tmp_path)
    open_map(card, "Pneumonia")
    press(card, "Compare")
    wait_for_maps(card)
    first, second = views(card)
    assert (title(first), title(second)) == ("Grad-CAM for Pneumonia", "Grad-CAM for Atelectasis")
    assert abs(first.rect["y"] - second.rect["y"]) < 2
    assert first.rect["x"] + first.rect["width"] <= second.rect["x"]
    assert [view.get_attribute("aria-label") for view in (first, second)] == ["Map 1 of a.png", "Map 2 of a.png"]
    before = pixels(map_canvas(first)), pixels(map_canvas(second))
    choose_option(second, "Method", "saliency")
    wait_for_maps(card)
    assert title(second) == "Saliency for Atelectasis"
    assert np.array_equal(pixels(map_canvas(first)), before[0])
    saliency = pixels(map_canvas(second))
    set_range(card, "opacity", 20)  # one look for both, or they could not be compared
    settled(first, before[0])
    settled(second, saliency)
    press(card, "Close this map")
    assert len(views(card)) == 1
    press(card, "Close the maps")
    assert not views(card)
    assert small.switch_to.active_element.get_attribute("data-finding") == "Pneumonia"
    open_map(card, "Pneumonia")  # again, as at first
    assert np.array_equal(pixels(map_canvas(views(card)[0])), before[0])


def test_maps_of_two_images_side_by_side(small: Chromium, tmp_path: Path) -> None:
    assert not small.find_element(By.ID, "side-by-side").is_displayed()
    image(small, tmp_path, "a.png", seed=0)
    image(small, tmp_path, "b.png", seed=1)
    newer, older = cards(small, 2)
    open_map(newer)
    open_map(older)
    assert len(small.find_elements(By.CLASS_NAME, "card")) == 1
    small.find_element(By.ID, "side-by-side").click()
    assert len(small.find_elements(By.CLASS_NAME, "card")) == 2
    assert all(view.is_displayed() for card in (newer, older) for view in views(card))
    assert abs(newer.rect["y"] - older.rect["y"]) < 2
    assert older.rect["x"] + older.rect["width"] <= newer.rect["x"] + 1  # chosen first, so it stands first
    assert small.execute_script("return document.documentElement.scrollWidth <= innerWidth")
    small.find_element(By.ID, "side-by-side").click()
    assert len(small.find_elements(By.CLASS_NAME, "card")) == 1


def test_a_map_belongs_to_its_own_image(small: Chromium, tmp_path: Path) -> None:
    """Clicks that do not wait for each other, the same file twice, others opened meanwhile, closed and opened again."""
    image(small, tmp_path, "a.png", seed=0)
    image(small, tmp_path, "b.png", seed=1)
    choose(small, tmp_path / "a.png")
    again, other, first = cards(small, 3)
    plain = {}
    for name, card in {"first": first, "other": other, "again": again}.items():
        plain[name] = pixels(card.find_element(By.CSS_SELECTOR, ".viewer-main canvas"))
        card.find_element(By.CLASS_NAME, "finding-open").click()
    choose(small, written(tmp_path, "c.png", encoded(seed=2)))
    fourth = cards(small, 4)[0]
    shown = {}
    for name, card in {"first": first, "other": other, "again": again}.items():
        wait_for_maps(card)
        (view,) = views(card)
        assert title(view) == "Grad-CAM for Atelectasis"
        before = pixels(map_canvas(view))
        assert coloured(before) > 0
        set_range(card, "threshold", 95)  # nearly all is the image below, and that is its own
        shown[name] = settled(view, before)
        assert untouched(view, plain[name]) > 0.5
        assert card.find_element(By.CLASS_NAME, "card-name").text in (
            map_canvas(view).get_attribute("aria-label") or ""
        )
    assert np.array_equal(shown["first"], shown["again"])
    assert not np.array_equal(shown["first"], shown["other"])
    assert not views(fourth)
    press(first, "Close the maps")
    open_map(first, "Atelectasis")
    open_map(other, "Pneumonia")
    set_range(first, "threshold", 95)
    WebDriverWait(small, 20).until(lambda _: np.array_equal(pixels(map_canvas(views(first)[0])), shown["first"]))
    assert title(views(first)[0]) == "Grad-CAM for Atelectasis"
    assert title(views(other)[0]) == "Grad-CAM for Pneumonia"


def test_open_maps_come_back_with_their_image(small: Chromium, tmp_path: Path) -> None:
    """Of more images than are held; with the look that was chosen, in the first place that had them, until closed."""
    image(small, tmp_path, "a.png", seed=0)
    (first,) = cards(small, 1)
    open_map(first, "Pneumonia")
    press(first, "Compare")
    choose_option(views(first)[1], "Method", "saliency")
    set_range(first, "opacity", 20)
    wait_for_maps(first)
    titles = [title(view) for view in views(first)]
    for seed in (1, 2, 3):
        image(small, tmp_path, f"{seed}.png", seed=seed)
    first = cards(small, 4)[-1]
    wait_for_maps(first)
    assert [title(view) for view in views(first)] == titles
    slider = first.find_element(By.CSS_SELECTOR, "input[name=opacity]")
    assert slider.get_attribute("value") == "20"
    assert slider.get_attribute("aria-valuetext") == "20 %"
    (opener,) = first.find_elements(By.CSS_SELECTOR, ".finding-open[aria-expanded=true]")
    assert opener.get_attribute("data-finding") == "Pneumonia"
    press(first, "Close this map")
    assert len(views(first)) == 1
    press(first, "Close the maps")
    assert pixels(first.find_element(By.CSS_SELECTOR, ".viewer-main canvas")).std() > 0
    for seed in (4, 5, 6):
        image(small, tmp_path, f"{seed}.png", seed=seed)
    first = cards(small, 7)[-1]
    first.find_element(By.CSS_SELECTOR, ".viewer-main canvas")  # the picture is there again
    assert not views(first)


def test_quick_choices_end_with_the_last_one(small: Chromium, tmp_path: Path) -> None:
    card = image(small, tmp_path)
    open_map(card, "Pneumonia")
    expected = pixels(map_canvas(views(card)[0]))
    small.execute_script(LISTEN)
    script = """
    const [card, findings] = arguments;
    for (const finding of findings) card.querySelector(`.finding-open[data-finding="${finding}"]`).click();
    """
    small.execute_script(script, card, ["Atelectasis", "Effusion", "all", "Effusion", "Atelectasis", "Pneumonia"])
    wait_for_maps(card)
    assert title(views(card)[0]) == "Grad-CAM for Pneumonia"
    assert np.array_equal(pixels(map_canvas(views(card)[0])), expected)
    runs = small.execute_script("return heard.filter(({stage}) => stage === 'explanation').length")
    assert runs <= 2  # the one that had begun, at most, and the last


def test_cancel_and_then_another(at: Chromium) -> None:
    card = example(at)
    open_map(card, "Pneumonia")
    (view,) = views(card)
    with held_messages(at, "progress"):  # the worker is at it, and the page does not hear how far it is
        choose_option(view, "Method", "integrated-gradients")
        stop = view.find_element(By.XPATH, ".//button[.='Cancel']")
        assert stop.is_displayed()
        assert view.find_element(By.CSS_SELECTOR, "progress").is_displayed()
        assert card.find_element(By.CSS_SELECTOR, "[role=meter]").is_displayed()  # the result stays in sight
        stop.click()
    wait_for_maps(card)
    assert "Cancelled" in view.find_element(By.CSS_SELECTOR, ".failure").text
    assert not stop.is_displayed()
    assert coloured(pixels(map_canvas(view))) == 0
    assert not view.find_element(By.XPATH, ".//button[.='Save as PNG']").is_enabled()
    choose_option(view, "Method", "saliency")
    wait_for_maps(card)
    assert title(view) == "Saliency for Pneumonia"
    assert at.execute_script("return caughtWorkers.length") == 1


def test_a_card_is_removed_while_its_map_is_made(at: Chromium, tmp_path: Path) -> None:
    card = example(at)
    open_map(card, "Pneumonia")
    with held_messages(at, "progress"):
        choose_option(views(card)[0], "Method", "integrated-gradients")
        press(card, "Remove")
    after = image(at, tmp_path, "after.png", seed=5, size=400)
    assert "after.png" in after.text
    assert not at.find_elements(By.CLASS_NAME, "map-view")
    errors = [entry for entry in at.get_log("browser") if entry["level"] == "SEVERE"]
    assert errors == []


def test_a_killed_worker_makes_the_map_at_its_second_start(at: Chromium) -> None:
    card = example(at)
    open_map(card)
    expected = pixels(map_canvas(views(card)[0]))
    press(card, "Close the maps")
    at.execute_script("caughtWorkers[0].terminate()")
    card.find_element(By.CLASS_NAME, "finding-open").click()
    wait_for_maps(card)
    assert at.execute_script("return caughtWorkers.length") == 2
    spoil(at)
    assert np.array_equal(pixels(map_canvas(views(card)[0])), expected)
