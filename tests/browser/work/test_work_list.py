"""The list of images: many in one go, chosen by keys, sorted, filtered, paused, cancelled, tried again, removed."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

from sitegen.browser.chromium import Chromium
from tests.helpers.browser.hearing import hear, heard
from tests.helpers.browser.holding import held_images, next_frame
from tests.helpers.browser.map_support import pixels
from tests.helpers.browser.support import Standing, cards, choose, encoded, listed, noise, written

pytestmark = pytest.mark.browser

MANY = 60


@pytest.fixture
def at(standing: Standing, site: Path) -> Iterator[Chromium]:
    yield standing(site).driver
    standing.clear()


def many(driver: Chromium, folder: Path, count: int = MANY) -> None:
    """Choose many images, of which every tenth is noise and every tenth is no image at all."""
    contents = [encoded(seed=seed, size=64) for seed in range(3)]
    made = {3: noise(64), 7: b"no image"}
    names = [written(folder, f"{n:03} image.png", made.get(n % 10, contents[n % 3])) for n in range(count)]
    choose(driver, *names)
    listed(driver, count)


def count(driver: Chromium) -> str:
    return driver.find_element(By.CLASS_NAME, "list-count").text


def wait_until_done(driver: Chromium, images: int = MANY) -> None:
    WebDriverWait(driver, 120).until(lambda _: count(driver) == f"{images} of {images} images done")


def press(driver: Chromium, text: str) -> None:
    path = f"//*[@id='work']//button[starts-with(., '{text}')]"
    in_sight = lambda _: [button for button in driver.find_elements(By.XPATH, path) if button.is_displayed()]  # noqa: E731
    WebDriverWait(driver, 30).until(in_sight)[0].click()


def key(driver: Chromium, *keys: str) -> None:
    """Press keys, one at once after the other: letters that come late begin another name."""
    ActionChains(driver).send_keys(*keys).perform()


def chosen(driver: Chromium) -> str:
    return driver.find_element(By.CSS_SELECTOR, "#rows [aria-selected=true] .row-name").text


def shown(driver: Chromium) -> int:
    """How many images the list shows, by what it tells those who do not see it."""
    rows = driver.find_elements(By.CSS_SELECTOR, "#rows [role=option]")
    return int(rows[0].get_attribute("aria-setsize") or 0) if rows else 0


def filtered(driver: Chromium, value: str) -> int:
    Select(driver.find_element(By.NAME, "list-show")).select_by_value(value)
    next_frame(driver)
    return shown(driver)


def test_many_images_are_all_done_and_few_are_elements(at: Chromium, tmp_path: Path) -> None:
    hear(at)
    many(at, tmp_path)
    wait_until_done(at)
    rows = at.find_elements(By.CSS_SELECTOR, "#rows [role=option]")
    assert len(rows) < 25
    assert shown(at) == MANY
    said = heard(at)
    assert said[0] == f"Analysing {MANY} images."
    assert [text for text in said if " of " in text] == [f"{n} of {MANY} images done." for n in (15, 30, 45)]
    assert said[-1].startswith(f"{MANY} images done: ")
    assert said[-1].endswith("6 refused, 6 failed.")
    assert len(said) == 5
    assert chosen(at) == "000 image.png"
    # Nothing of those that are not looked at stays on the graphics side.
    assert len(at.find_elements(By.TAG_NAME, "canvas")) <= 3


def test_keys_choose_and_the_list_is_one_stop(at: Chromium, tmp_path: Path) -> None:
    many(at, tmp_path)
    wait_until_done(at)
    assert len(at.find_elements(By.CSS_SELECTOR, ".list-pane [role=listbox][tabindex='0']")) == 1
    assert not at.find_elements(By.CSS_SELECTOR, "#rows [tabindex]")
    rows = at.find_element(By.ID, "rows")
    at.execute_script("arguments[0].focus()", rows)
    for keys, name in (
        ((Keys.ARROW_DOWN,), "001"),
        ((Keys.END,), "059"),
        ((Keys.ARROW_UP,), "058"),
        ((Keys.HOME,), "000"),
        (("0", "2", "5"), "025"),
        ((Keys.PAGE_DOWN,), "03"),
    ):
        key(at, *keys)
        assert chosen(at).startswith(name)
        assert at.switch_to.active_element == rows
        active = at.find_element(By.ID, rows.get_attribute("aria-activedescendant") or "")
        assert active.find_element(By.CLASS_NAME, "row-name").text == chosen(at)
        assert active.is_displayed()
        WebDriverWait(at, 30).until(lambda _: at.find_element(By.CLASS_NAME, "card-name").text == chosen(at))
    key(at, Keys.DELETE)
    assert count(at) == f"{MANY - 1} of {MANY - 1} images done"
    assert at.switch_to.active_element == rows


def test_filters_and_orders(at: Chromium, tmp_path: Path) -> None:
    many(at, tmp_path, 20)
    wait_until_done(at, 20)
    assert filtered(at, "refused") == 2
    assert filtered(at, "failed") == 2
    above = filtered(at, "above")
    assert filtered(at, "pending") == 0
    assert filtered(at, "all") == 20
    options = [option.text for option in Select(at.find_element(By.NAME, "list-show")).options]
    assert options == [
        "All (20)",
        f"Above a threshold ({above})",
        "Refused (2)",
        "Failed or cancelled (2)",
        "Not yet analysed (0)",
    ]
    Select(at.find_element(By.NAME, "list-order")).select_by_value("state")
    next_frame(at)
    at.execute_script("arguments[0].focus()", at.find_element(By.ID, "rows"))
    key(at, Keys.END)
    assert chosen(at) == "017 image.png"  # the last that failed
    Select(at.find_element(By.NAME, "list-order")).select_by_value("added")


def test_pause_cancel_the_rest_and_retry(at: Chromium, tmp_path: Path) -> None:
    with held_images(at):
        many(at, tmp_path)
        press(at, "Pause")
        WebDriverWait(at, 20).until(lambda _: at.find_element(By.CLASS_NAME, "list-facts").text.endswith("Paused"))
    # What had begun ends, and whatever ends would begin the next at once.
    WebDriverWait(at, 30).until(lambda _: not at.find_elements(By.CSS_SELECTOR, "#rows [data-state=working]"))
    WebDriverWait(at, 30).until(lambda _: count(at) == f"2 of {MANY} images done")
    with held_images(at):
        press(at, "Go on")
        press(at, "Cancel the rest")
    wait_until_done(at)
    assert at.switch_to.active_element.tag_name != "body"
    assert filtered(at, "failed") == MANY - 2
    press(at, "Retry failed")
    wait_until_done(at)
    filtered(at, "all")
    assert filtered(at, "failed") == 6  # which no second try helps


def test_all_are_removed_and_brought_back(at: Chromium, tmp_path: Path) -> None:
    many(at, tmp_path, 12)
    wait_until_done(at, 12)
    press(at, "Remove all")
    assert shown(at) == 0
    assert not at.find_elements(By.CLASS_NAME, "card")
    assert at.switch_to.active_element.text == "Undo the removal"
    key(at, Keys.ENTER)
    assert count(at) == "12 of 12 images done"
    assert at.switch_to.active_element.tag_name != "body"
    (first, *_), text = cards(at, 12)[::-1], "000 image.png"
    assert text in first.text
    assert first.find_element(By.CSS_SELECTOR, ".viewer-main canvas").is_displayed()


def test_one_that_is_removed_at_work_is_done_after_it_came_back(at: Chromium, tmp_path: Path) -> None:
    with held_images(at):
        many(at, tmp_path, 12)
        press(at, "Remove all")
    press(at, "Undo the removal")
    wait_until_done(at, 12)
    assert filtered(at, "failed") == 1


def test_the_picture_of_an_image_looked_at_long_ago_is_made_again(at: Chromium, tmp_path: Path) -> None:
    names = [written(tmp_path, f"{n}.png", encoded(seed=n, size=300)) for n in range(8)]
    choose(at, *names)
    found = cards(at, 8)[::-1]
    before = pixels(found[0].find_element(By.CSS_SELECTOR, ".viewer-main canvas"))
    for card in found[1:]:
        assert card.find_element(By.CSS_SELECTOR, ".viewer-main canvas").is_displayed()
    assert np.array_equal(pixels(found[0].find_element(By.CSS_SELECTOR, ".viewer-main canvas")), before)
    assert found[0].find_elements(By.CSS_SELECTOR, "[role=meter]")


def test_what_is_looked_at_goes_first(at: Chromium, tmp_path: Path) -> None:
    with held_images(at) as held:
        many(at, tmp_path)
        at.execute_script("arguments[0].focus()", at.find_element(By.ID, "rows"))
        key(at, Keys.END)
        held.let_on(3)  # two were begun before
        WebDriverWait(at, 30).until(lambda _: at.find_elements(By.CSS_SELECTOR, ".card[aria-busy=false] .card-status"))
        assert chosen(at) == "059 image.png"
        WebDriverWait(at, 30).until(lambda _: count(at) == f"3 of {MANY} images done")
