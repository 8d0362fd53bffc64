"""axe-core finds nothing in any state of the page: in light and dark, on windows from 320 to 1280 pixels."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from sitegen.browser.chromium import Chromium, chromium
from tests.helpers.browser.accessibility import LOOKS, Look, looked_at, violations
from tests.helpers.browser.holding import held_images
from tests.helpers.browser.map_support import choose_option, open_map, views, wait_for_maps
from tests.helpers.browser.support import cards, choose, encoded, listed, noise, opened, show_pane, written

pytestmark = pytest.mark.browser

# What has to be scrolled sideways, the strip of images apart.
TOO_WIDE = """
const parts = ["html", ".list-pane", ".viewer-pane", ".findings-pane", ".card-head", "header.page"];
const isTooWide = ({scrollWidth, clientWidth}) => scrollWidth > clientWidth + 1;
return parts.filter((part) => [...document.querySelectorAll(part)].some(isTooWide));
"""


@pytest.fixture(scope="module")
def page(shipped_site: Path) -> Iterator[Chromium]:
    """A page of this module's own, which the tests below lead from state to state, in their order."""
    with chromium() as driver, opened(driver, shipped_site):
        yield driver


def check(driver: Chromium, state: str, looks: list[Look] = LOOKS) -> None:
    found = {}
    for look in looks:
        with looked_at(driver, look):
            wrong = violations(driver)
            wide = driver.execute_script(TOO_WIDE)
        if wrong or wide:
            found[f"{state}, {look}"] = [*wrong, *(f"{name} scrolls sideways" for name in wide)]
    assert found == {}


def press(driver: Chromium, text: str) -> None:
    path = f"//*[@id='work']//button[starts-with(., '{text}')]"
    in_sight = lambda _: [button for button in driver.find_elements(By.XPATH, path) if button.is_displayed()]  # noqa: E731
    WebDriverWait(driver, 30).until(in_sight)[0].click()


def test_before_the_first_image(page: Chromium) -> None:
    check(page, "empty", [*LOOKS, Look(640, 800, letters=2), Look(1280, 720, forced=True)])
    page.find_element(By.CSS_SELECTOR, "#engine-settings summary").click()
    check(page, "settings", LOOKS[:2])
    page.find_element(By.CSS_SELECTOR, "#engine-settings summary").click()


def test_one_image(page: Chromium) -> None:
    page.find_element(By.ID, "example").click()
    (card,) = cards(page, 1)
    check(page, "accepted", [*LOOKS, Look(640, 900, letters=2), Look(1280, 720, forced=True)])
    card.find_element(By.CLASS_NAME, "fold").click()
    check(page, "unfolded")
    card.find_elements(By.CLASS_NAME, "finding-name")[2].click()
    check(page, "another finding chosen", LOOKS[:2])
    card.find_element(By.CSS_SELECTOR, ".gate-details summary").click()
    check(page, "gate unfolded")


def test_panes_of_a_phone(page: Chromium) -> None:
    phone = Look(360, 740)
    for pane in ("list", "findings", "image"):
        with looked_at(page, phone):
            show_pane(page, pane)
        check(page, f"pane {pane}", [phone, Look(320, 640, "dark"), Look(360, 740, letters=2)])


def test_maps(page: Chromium) -> None:
    (card,) = cards(page, 1)
    open_map(card)
    check(page, "a map")
    press(page, "Compare")
    wait_for_maps(card)
    check(page, "two maps", LOOKS[:3])
    press(page, "Close this map")
    choose_option(views(card)[0], "Method", "guided-grad-cam")
    wait_for_maps(card)
    check(page, "a map with a warning", LOOKS[:2])
    press(page, "Close the maps")


def test_refused_asked_and_forced(page: Chromium, tmp_path: Path) -> None:
    choose(page, written(tmp_path, "no space in its name ".replace(" ", "-") * 8 + ".png", noise()))
    cards(page, 2)
    check(page, "refused", [*LOOKS, Look(640, 900, letters=2)])
    press(page, "Analyse anyway")
    check(page, "asked")
    press(page, "Yes")
    cards(page, 2)
    check(page, "forced", [*LOOKS, Look(1280, 720, forced=True)])


def test_failed(page: Chromium, tmp_path: Path) -> None:
    choose(page, written(tmp_path, "cut.png", encoded()[:-300]))
    cards(page, 3)
    check(page, "failed")


def test_two_beside_each_other(page: Chromium) -> None:
    press(page, "Images side by side")
    check(page, "side by side", LOOKS[:3])
    press(page, "Images side by side")


def test_a_long_list_at_work_paused_and_done(page: Chromium, tmp_path: Path) -> None:
    data = encoded()
    with held_images(page):
        choose(page, *(written(tmp_path, f"{number}.png", data) for number in range(40)))
        listed(page, 43)
        check(page, "working", LOOKS[:1])
        press(page, "Pause")
        check(page, "paused")
        press(page, "Go on")
        press(page, "Cancel the rest")
    wait_until(page, lambda: "43 of 43" in page.find_element(By.CLASS_NAME, "list-count").text)
    check(page, "cancelled", [*LOOKS, Look(640, 900, letters=2)])
    page.find_element(By.CSS_SELECTOR, "select[name=list-show] option[value=failed]").click()
    check(page, "filtered", LOOKS[:2])
    page.find_element(By.CSS_SELECTOR, "select[name=list-order] option[value=state]").click()
    page.find_element(By.CSS_SELECTOR, "select[name=list-show] option[value=refused]").click()
    check(page, "nothing shown", LOOKS[:2])


def test_all_removed(page: Chromium) -> None:
    press(page, "Remove all")
    check(page, "removed")
    press(page, "Undo the removal")
    check(page, "brought back", LOOKS[:2])


def wait_until(driver: Chromium, holds: Callable[[], bool]) -> None:
    WebDriverWait(driver, 60).until(lambda _: holds())
