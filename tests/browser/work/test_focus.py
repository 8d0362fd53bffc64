"""The focus is never lost, Escape leaves what was opened, and no question has only a Yes."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from sitegen.browser.chromium import Chromium
from tests.helpers.browser.holding import held_images
from tests.helpers.browser.map_support import choose_option, views, wait_for_maps
from tests.helpers.browser.support import Standing, cards, choose, encoded, listed, noise, written

pytestmark = pytest.mark.browser


@pytest.fixture
def at(standing: Standing, shipped_site: Path) -> Iterator[Chromium]:
    yield standing(shipped_site).driver
    standing.clear()


def active(driver: Chromium) -> WebElement:
    found = driver.switch_to.active_element
    assert found.tag_name != "body"
    assert found.is_displayed()
    return found


def enter(driver: Chromium, node: WebElement, key: str = Keys.ENTER) -> None:
    """Press a button by its key, as those without a mouse do."""
    driver.execute_script("arguments[0].focus()", node)
    ActionChains(driver).send_keys(key).perform()


def key(driver: Chromium, each: str) -> None:
    ActionChains(driver).send_keys(each).perform()


def button(card: WebElement, text: str) -> WebElement:
    return card.find_element(By.XPATH, f".//button[starts-with(., '{text}')]")


def done(driver: Chromium, card: WebElement) -> None:
    WebDriverWait(driver, 30).until(lambda _: card.get_attribute("aria-busy") == "false")


def test_forcing_asks_with_a_no_and_keeps_the_focus(at: Chromium, tmp_path: Path) -> None:
    choose(at, written(tmp_path, "noise.png", noise()))
    (card,) = cards(at, 1)
    for answer in (Keys.ESCAPE, "No"):
        enter(at, button(card, "Analyse anyway"))
        assert active(at).text.startswith("Yes")
        key(at, answer) if answer == Keys.ESCAPE else enter(at, button(card, answer))
        assert active(at).text.startswith("Analyse anyway")
        assert not card.find_elements(By.XPATH, ".//button[starts-with(., 'Yes')]")
        assert card.get_attribute("data-outcome") == "refused"
    enter(at, button(card, "Analyse anyway"))
    key(at, Keys.ENTER)
    WebDriverWait(at, 30).until(lambda _: card.get_attribute("data-outcome") == "findings")
    assert active(at) == card


def test_escape_and_the_button_close_maps_and_lead_back(at: Chromium) -> None:
    at.find_element(By.ID, "example").click()
    (card,) = cards(at, 1)
    for leave in ("escape", "button", "escape from within"):
        enter(at, card.find_element(By.CLASS_NAME, "finding-open"))
        wait_for_maps(card)
        if leave == "button":
            enter(at, button(card, "Close the maps"))
        elif leave == "escape":
            key(at, Keys.ESCAPE)
        else:
            enter(at, card.find_element(By.NAME, "opacity"), Keys.ESCAPE)
        assert not views(card)
        assert active(at) == card.find_element(By.CLASS_NAME, "finding-open")


def test_cancelling_a_map_keeps_the_focus(at: Chromium) -> None:
    at.find_element(By.ID, "example").click()
    (card,) = cards(at, 1)
    enter(at, card.find_element(By.CLASS_NAME, "finding-open"))
    wait_for_maps(card)
    with held_images(at):
        choose_option(views(card)[0], "Method", "integrated-gradients")
        enter(at, views(card)[0].find_element(By.XPATH, ".//button[.='Cancel']"))
    assert active(at).tag_name == "select"


def test_the_end_of_an_analysis_and_cancel_keep_the_focus(at: Chromium, tmp_path: Path) -> None:
    with held_images(at):
        choose(at, *(written(tmp_path, f"{n}.png", encoded(seed=n, size=600)) for n in range(4)))
        listed(at, 4)
        at.execute_script("document.getElementById('rows').focus()")
        key(at, Keys.END)
        enter(at, at.find_element(By.CSS_SELECTOR, ".card [data-action=cancel]"))
    WebDriverWait(at, 30).until(lambda _: at.find_elements(By.CSS_SELECTOR, ".card[aria-busy=false]"))
    active(at)
    newest, *_, first = cards(at, 4)
    enter(at, button(newest, "Try again"))
    done(at, newest)
    active(at)
    key(at, Keys.TAB)
    active(at)
    enter(at, button(first, "Remove"))
    assert active(at).get_attribute("id") == "rows"
    assert len(cards(at, 3)) == 3


def test_findings_keep_the_focus_when_their_order_changes(at: Chromium) -> None:
    at.find_element(By.ID, "example").click()
    (card,) = cards(at, 1)
    enter(at, card.find_element(By.CLASS_NAME, "fold"))
    assert active(at).get_attribute("aria-expanded") == "true"
    enter(at, card.find_element(By.CSS_SELECTOR, ".own-order input"), Keys.SPACE)
    assert active(at).get_attribute("type") == "checkbox"
    name = card.find_elements(By.CLASS_NAME, "finding-name")[3]
    enter(at, name)
    assert active(at) == name
    meaning = card.find_element(By.ID, name.get_attribute("aria-controls") or "")
    assert meaning.is_displayed()
    assert meaning.find_element(By.XPATH, "./preceding::tr[1] | ./ancestor::tr/preceding-sibling::tr[1]").is_displayed()
    enter(at, card.find_element(By.CSS_SELECTOR, ".own-order input"), Keys.SPACE)
    enter(at, card.find_element(By.CLASS_NAME, "fold"))


def test_leaving_asks_while_something_would_be_lost(at: Chromium) -> None:
    asks = """
    const event = new Event("beforeunload", {cancelable: true});
    dispatchEvent(event);
    return event.defaultPrevented;
    """
    assert not at.execute_script(asks)
    at.find_element(By.ID, "example").click()
    # The example is fetched first: there is something to lose from the moment that it stands in the list.
    WebDriverWait(at, 30).until(lambda _: at.execute_script(asks))
    (card,) = cards(at, 1)
    assert at.execute_script(asks)
    at.execute_script("HTMLAnchorElement.prototype.click = function () {};")
    button(card, "Save result").click()
    assert not at.execute_script(asks)
