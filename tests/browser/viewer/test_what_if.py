"""The what-if tool: regions marked by mouse, fingers and keys give Python's numbers, and stay in what is saved."""

import contextlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import Select, WebDriverWait

from sitegen.browser.chromium import Chromium
from sitegen.bundle import Bundle
from sitegen.prediction import Predictor
from tests.helpers.browser.accessibility import Look, looked_at, violations
from tests.helpers.browser.gate_bundle import CHEST
from tests.helpers.browser.map_support import allow_downloads, explained, open_map, press, saved_file, stage_pixels
from tests.helpers.browser.support import Standing, cards, choose, encoded, png
from tests.helpers.browser.viewer_support import DESK, act, canvas, opened_image, stage

pytestmark = pytest.mark.browser

SQUARE = encoded(seed=1, size=256)
IN_FOCUS = "const {activeElement: node} = document; return node.closest('.viewer') !== null"


@pytest.fixture
def at(standing: Standing, gradient_site: Path, tmp_path: Path) -> Iterator[Chromium]:
    with at_desk(standing, gradient_site, tmp_path) as driver:
        yield driver


@pytest.fixture
def strict(standing: Standing, gate_site: Path, tmp_path: Path) -> Iterator[Chromium]:
    """A page whose gate refuses all but one image, upright."""
    with at_desk(standing, gate_site, tmp_path) as driver:
        yield driver


@contextlib.contextmanager
def at_desk(standing: Standing, site: Path, folder: Path) -> Iterator[Chromium]:
    driver = standing(site).driver
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", DESK)
    allow_downloads(driver, folder)
    yield driver
    driver.execute_script("document.querySelector('dialog[open]')?.close()")
    standing.clear()
    driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@pytest.fixture
def card(at: Chromium, tmp_path: Path) -> WebElement:
    """The card of a square image of 256 pixels, with the tool open."""
    card = opened_image(at, tmp_path, SQUARE)
    act(card, "what-if")
    return card


def answer(card: WebElement) -> WebElement:
    """The tool, once it has answered what is marked."""
    shown = ".what-if[aria-busy=false] .changes-table"
    WebDriverWait(card.parent, 20).until(lambda _: card.find_elements(By.CSS_SELECTOR, shown))
    return card.find_element(By.CLASS_NAME, "what-if")


def tried(card: WebElement, folder: Path, name: str = "a.png") -> list[dict[str, Any]]:
    """The regions of the saved result."""
    file = f"{name}.sitegen.json"
    (folder / file).unlink(missing_ok=True)
    press(card, "Save result")
    entries: list[dict[str, Any]] = json.loads(saved_file(card.parent, folder, file).read_text("utf-8")).get(
        "what_if", []
    )
    return entries


def points(card: WebElement, *places: tuple[float, float]) -> list[tuple[float, float]]:
    """Where pixels of an image that is 256 high lie in the window."""
    samples, (left, top, _, height) = stage_pixels(canvas(card))
    box = stage(card).rect
    scale = box["width"] / samples.shape[1]
    by = height / 256
    return [(box["x"] + (left + x * by) * scale, box["y"] + (top + y * by) * scale) for x, y in places]


def drag(card: WebElement, *places: tuple[float, float]) -> None:
    box = stage(card).rect
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    first, *others = points(card, *places)
    chain = ActionChains(card.parent).move_to_element_with_offset(
        stage(card), round(first[0] - middle[0]), round(first[1] - middle[1])
    )
    chain.click_and_hold()
    for before, after in zip([first, *others], others, strict=False):
        chain.move_by_offset(round(after[0] - before[0]), round(after[1] - before[1]))
    chain.release().perform()


def touch(at: Chromium, kind: str, *places: tuple[float, float]) -> None:
    named = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(places)]
    at.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": named})


def same(entry: dict[str, Any], bundle: Bundle, data: bytes = SQUARE, **options: Any) -> None:
    """The page's answer is that of Python for the same region and filling."""
    wanted = [{"regions": entry["regions"], "filling": entry["filling"]}]
    document = Predictor(bundle).what_if(data, wanted, **options).document
    (expected,) = document["what_if"]
    assert entry["cells"] == expected["cells"]
    for ours, theirs in zip(entry["findings"], expected["findings"], strict=True):
        for key in ("before", "after", "effect", "logit_effect"):
            assert ours[key] == pytest.approx(theirs[key], abs=2e-5)
    judged = expected["gate"]
    assert judged is not None
    assert entry["gate"]["accepted"] == judged["accepted"]
    assert entry["gate"]["score"] == pytest.approx(judged["score"], abs=1e-5)


def test_a_rectangle_by_mouse_tells_what_changes(card: WebElement, gradient_bundle: Bundle, tmp_path: Path) -> None:
    drag(card, (64, 80), (100, 100), (160, 144))
    tool = answer(card)
    (entry,) = tried(card, tmp_path)
    (region,) = entry["regions"]
    assert np.allclose(region, [64, 80, 96, 64], atol=1.5)
    assert entry["filling"] == "reconstruction"
    same(entry, gradient_bundle)
    wanted = [{"regions": entry["regions"], "filling": "reconstruction"}]
    assert explained(card.parent, SQUARE, whatIf=wanted)["what_if"] == [entry]
    shown = {row.get_attribute("data-finding"): row.text for row in tool.find_elements(By.CSS_SELECTOR, "tbody tr")}
    for effect in entry["findings"]:
        before, after = effect["calibrated_before"], effect["calibrated_after"]
        assert f"{100 * before:.0f} % → {100 * after:.0f} %" in shown[effect["label"]]
    bars = tool.find_elements(By.CSS_SELECTOR, ".change-bar")
    assert len(bars) == 3
    assert all(re.search(r": \d+ % before, \d+ % after, .* points", bar.accessible_name) for bar in bars)
    similarity = f"similarity {entry['gate']['score']:.3f}"
    assert similarity in tool.find_element(By.CSS_SELECTOR, "[data-gate]").text
    left, top, wide, high = (round(length * stage_pixels(canvas(card))[1][2] / 256) for length in region)
    samples, (x, y, _, _) = stage_pixels(canvas(card))
    inside = samples[y + top + high // 2, x + left + wide // 2]
    assert inside[0] > inside[2] + 20  # the region is tinted
    assert np.ptp(samples[y + top + high + 30, x + left + wide + 30]) == 0  # and what lies beside it is grey


def test_the_answer_is_in_sight_beside_or_below_the_picture(card: WebElement) -> None:
    drag(card, (64, 80), (160, 144))
    answer(card)
    for width, height in ((1280, 800), (390, 800)):
        with looked_at(card.parent, Look(width, height)):
            edges = "const {top, bottom} = document.querySelector(arguments[0]).getBoundingClientRect();"
            for part in (".viewer-main .stage", ".change-summary", ".what-if [data-gate]", ".changes-table"):
                top, bottom = card.parent.execute_script(f"{edges} return [top, bottom]", part)
                assert 0 <= top < bottom <= height, (width, part)


def test_keys_walk_over_a_grid_and_toggle_its_cells(card: WebElement, gradient_bundle: Bundle, tmp_path: Path) -> None:
    at, node = card.parent, stage(card)
    assert at.switch_to.active_element == node  # who opens the tool can begin
    node.send_keys(Keys.ARROW_LEFT, Keys.SPACE)
    node.send_keys(Keys.SHIFT + Keys.ARROW_DOWN + Keys.ARROW_RIGHT)
    tool = answer(card)
    assert "Row 10, column 9 of 16: marked." in tool.text
    (entry,) = tried(card, tmp_path)
    assert sorted(entry["regions"]) == [[112, 128, 16, 32], [128, 144, 16, 16]]
    same(entry, gradient_bundle)
    node.send_keys(Keys.BACKSPACE)
    answer(card)
    assert [each["regions"] for each in tried(card, tmp_path)] == [[[112, 128, 16, 32]]]
    node.send_keys(Keys.CONTROL + "z")
    Select(tool.find_element(By.CSS_SELECTOR, "[data-action=filling]")).select_by_value("black")
    answer(card)
    (entry,) = tried(card, tmp_path)
    assert (entry["regions"], entry["filling"]) == ([[112, 128, 16, 16]], "black")
    same(entry, gradient_bundle)
    node.send_keys(Keys.DELETE)
    assert not tool.find_elements(By.CSS_SELECTOR, ".changes-table")
    assert tried(card, tmp_path) == []
    node.send_keys(Keys.ARROW_UP, Keys.ESCAPE)
    assert not card.find_elements(By.CLASS_NAME, "what-if")
    assert at.switch_to.active_element.get_attribute("data-action") == "what-if"


def test_fingers_brush_and_two_of_them_zoom(
    at: Chromium, card: WebElement, gradient_bundle: Bundle, tmp_path: Path
) -> None:
    act(card, "what-if-brush")
    Select(card.find_element(By.CSS_SELECTOR, "[data-action=grid]")).select_by_value("8")
    start, end = points(card, (48, 48), (112, 48))
    touch(at, "touchStart", start)
    for step in range(1, 5):
        touch(at, "touchMove", (start[0] + step * (end[0] - start[0]) / 4, start[1]))
    touch(at, "touchEnd")
    answer(card)
    (entry,) = tried(card, tmp_path)
    assert entry["regions"] == [[32, 32, 96, 32]]
    same(entry, gradient_bundle)
    width = stage_pixels(canvas(card))[1][2]
    x, y = points(card, (128, 128))[0]
    touch(at, "touchStart", (x, y))
    touch(at, "touchStart", (x, y), (x + 60, y))
    for step in range(1, 6):
        touch(at, "touchMove", (x, y), (x + 60 + 12 * step, y))
    touch(at, "touchEnd")
    WebDriverWait(at, 30).until(lambda _: stage_pixels(canvas(card))[1][2] > 1.5 * width)
    assert tried(card, tmp_path) == [entry]  # that was no stroke
    act(card, "fit")
    act(card, "what-if-erase")
    drag(card, (48, 48), (50, 48))
    WebDriverWait(at, 30).until(lambda _: answer(card) and tried(card, tmp_path)[0]["regions"] == [[64, 32, 64, 32]])


def test_several_regions_are_compared_and_go_with_the_image(strict: Chromium, tmp_path: Path) -> None:
    at, card = strict, opened_image(strict, tmp_path, png(CHEST))
    act(card, "what-if")
    drag(card, (20, 20), (90, 90))
    answer(card)
    act(card, "what-if-next")
    assert at.execute_script(IN_FOCUS)
    drag(card, (10, 10), (240, 250))
    Select(card.find_element(By.CSS_SELECTOR, "[data-action=filling]")).select_by_value("black")
    WebDriverWait(at, 20).until(lambda _: answer(card).find_elements(By.CSS_SELECTOR, "[data-gate=false]"))
    assert "The gate refuses the changed image." in card.find_element(By.CSS_SELECTOR, ".changes .warning").text
    first, second = tried(card, tmp_path)
    table = card.find_element(By.CLASS_NAME, "tries-table")
    cells = [
        [cell.text for cell in row.find_elements(By.CSS_SELECTOR, "th, td")]
        for row in table.find_elements(By.CSS_SELECTOR, "tbody tr")
    ]
    for entry, column in ((first, 2), (second, 3)):
        after = {effect["label"]: effect["after"] for effect in entry["findings"]}
        for row in cells[:2]:
            assert row[column].startswith(f"{100 * after[row[0]]:.0f} % (")
    assert cells[2] == ["Gate", "", "accepts", "refuses"]
    check_looks(at)
    act(card, "what-if-noise")
    assert "no network of its gradient" in card.find_element(By.CSS_SELECTOR, "[data-reason=noise]").text
    act(card, "show-try 2")
    reported = asked(at, tmp_path, "save", "html")
    assert "What if the image were different" in reported
    assert reported.count("over the image") == 0
    assert ">Region 2<" in reported
    assert "Most changed" in reported
    session = asked(at, tmp_path, "session", "session.json")
    assert json.loads(session)["images"][0]["document"]["what_if"] == [first, second]
    at.execute_script("document.querySelector('dialog[open]')?.close()")
    (file,) = tmp_path.glob("*.session.json")
    choose(at, file)  # beside the image, as it was saved
    again = cards(at, 2)[0]
    reopened = again.find_element(By.CLASS_NAME, "reopened-tries")  # before its image is chosen
    assert "Region 2" in reopened.text
    frame = stage_pixels(reopened.find_element(By.TAG_NAME, "canvas"))[0]
    assert len(np.unique(frame[..., 2])) > 2  # the frame, the square that was seen, and marks
    assert tried(again, tmp_path, "Image 1") == [first, second]
    press(again, "Remove")
    card = cards(at, 1)[0]
    act(card, "remove-try 1")
    assert at.execute_script(IN_FOCUS)
    assert tried(card, tmp_path) == [second]


def asked(at: Chromium, folder: Path, action: str, ending: str) -> str:
    """The text of the file that a button of the report's dialogue saves."""
    if not at.find_elements(By.CSS_SELECTOR, "dialog.report-dialogue[open]"):
        at.find_element(By.ID, "report").click()
    at.find_element(By.CSS_SELECTOR, f"dialog [data-action={action}]").click()
    whole = lambda _: [file for file in folder.glob(f"*.{ending}") if file.stat().st_size]  # noqa: E731
    return str(WebDriverWait(at, 30).until(whole)[0].read_text("utf-8"))


def check_looks(at: Chromium) -> None:
    found = {}
    for look in (Look(1280, 900), Look(390, 844, "dark"), Look(1280, 720, forced=True)):
        with looked_at(at, look):
            if wrong := violations(at):
                found[str(look)] = wrong
            wide = "const pane = document.querySelector('.viewer-pane'); return pane.scrollWidth - pane.clientWidth"
            if at.execute_script(wide) > 1:
                found[f"{look}, width"] = ["the viewer scrolls sideways"]
    at.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", DESK)
    assert found == {}


def test_what_cannot_be_tried_is_said_and_not_kept(at: Chromium, card: WebElement, tmp_path: Path) -> None:
    drag(card, (1, 1), (300, 250), (290, 300))
    shown = ".what-if[aria-busy=false] .changes .failure"
    WebDriverWait(at, 20).until(lambda _: card.find_elements(By.CSS_SELECTOR, shown))
    assert "all" in card.find_element(By.CSS_SELECTOR, shown).text
    assert tried(card, tmp_path) == []
    act(card, "what-if-undo")
    assert not card.find_elements(By.CSS_SELECTOR, ".changes .failure")
    assert at.execute_script(IN_FOCUS)  # though there is nothing more to undo
    drag(card, (64, 64), (128, 128))
    answer(card)
    open_map(card, "Effusion")  # takes the picture's place
    assert not card.find_elements(By.CLASS_NAME, "what-if")
    act(card, "what-if")
    assert not card.find_elements(By.CLASS_NAME, "explanations")
    assert len(tried(card, tmp_path)) == 1


def test_regions_of_a_turned_image_are_told_as_its_file_has_it(
    strict: Chromium, gate_bundle: Bundle, tmp_path: Path
) -> None:
    upright = np.pad(CHEST, ((0, 0), (24, 24)))  # 304 wide
    data = png(np.rot90(upright))
    card = opened_image(strict, tmp_path, data)
    card.find_element(By.CSS_SELECTOR, "[data-action=offer-turn-90]").click()
    card = cards(strict, 1)[0]
    act(card, "what-if")
    drag(card, (72, 16), (136, 80))
    answer(card)
    (entry,) = tried(card, tmp_path, "a.png.turn-90")
    (region,) = entry["regions"]
    assert np.allclose(region, [16, 304 - 136, 64, 64], atol=1.5)
    same(entry, gate_bundle, data, correction="turn-90")
    act(card, "what-if-next")
    act(card, "show-try 1")
    assert tried(card, tmp_path, "a.png.turn-90") == [entry]
    Select(card.find_element(By.CSS_SELECTOR, "[data-action=filling]")).select_by_value("mean")
    WebDriverWait(strict, 30).until(lambda _: tried(card, tmp_path, "a.png.turn-90")[0]["filling"] == "mean")
    assert tried(card, tmp_path, "a.png.turn-90")[0]["regions"] == [region]  # there and back is the same
