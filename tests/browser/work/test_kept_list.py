"""The list that a browser keeps where somebody asked for it: there again, as it was, and gone when it is not wanted."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from sitegen.browser.chromium import Chromium
from sitegen.browser.page import SitePage, site_address
from sitegen.bundle import Bundle
from sitegen.site import build_site
from sitegen.site.options import SiteOptions
from sitegen_runtime.wording.work_list import WORK_LIST
from tests.helpers.browser.hearing import hearing_from_the_start, wait_for_words
from tests.helpers.browser.support import cards, choose, encoded, noise, opened, written
from tests.helpers.browser.viewer_support import drawn

pytestmark = pytest.mark.browser
DATABASES = "const [done] = arguments; indexedDB.databases().then((all) => done(all.map(({name}) => name)));"
UNSAVED = "const event = new Event('beforeunload', {cancelable: true}); return !dispatchEvent(event);"
ROW = "return [...document.querySelectorAll('#rows [role=option]')].map((row) => [row.innerText, row.dataset.state])"


@pytest.fixture
def served(driver: Chromium, gate_site: Path) -> Iterator[SitePage[Chromium]]:
    """A served page, on an origin where nothing is kept yet."""
    with hearing_from_the_start(driver), opened(driver, gate_site, "http") as page:
        yield page


def tick(driver: Chromium) -> None:
    driver.find_element(By.ID, "keep-list").click()


def wait_until_written(driver: Chromium) -> None:
    """Once all is kept, leaving loses nothing, and the page does not ask."""
    WebDriverWait(driver, 30).until(lambda _: not driver.execute_script(UNSAVED))


def again(page: SitePage[Chromium]) -> None:
    page.driver.refresh()
    page.wait_until_ready()


def test_a_kept_list_is_there_again(served: SitePage[Chromium], tmp_path: Path) -> None:
    driver = served.driver
    assert not driver.find_element(By.ID, "keep-list").is_selected()
    choose(driver, written(tmp_path, "a.png", encoded()), written(tmp_path, "b.png", noise()))
    refused, first = cards(driver, 2)
    first.find_element(By.CSS_SELECTOR, ".own-note summary").click()
    first.find_element(By.CSS_SELECTOR, ".own-note textarea").send_keys("look again")
    assert driver.execute_script(UNSAVED)
    tick(driver)
    wait_for_words(driver, WORK_LIST["keep_begun"])
    wait_until_written(driver)
    rows, words = driver.execute_script(ROW), drawn(first).text
    again(served)
    wait_for_words(driver, WORK_LIST["keep_restored"].replace("{count}", "2"))
    refused, first = cards(driver, 2)
    assert driver.execute_script(ROW) == rows
    assert drawn(first).text == words
    assert first.find_element(By.CSS_SELECTOR, ".own-note textarea").get_property("value") == "look again"
    assert refused.get_attribute("data-outcome") == "refused"
    assert first.find_elements(By.CSS_SELECTOR, ".viewer-main canvas")  # the picture is made from the kept file
    choose(driver, written(tmp_path, "c.png", encoded(seed=3)))
    cards(driver, 3)[1].find_element(By.XPATH, ".//button[.='Remove']").click()
    wait_until_written(driver)
    again(served)
    cards(driver, 2)
    assert [text.split("\n")[0] for text, _ in driver.execute_script(ROW)] == ["a.png", "c.png"]


def test_without_the_tick_nothing_is_kept(served: SitePage[Chromium], tmp_path: Path) -> None:
    driver = served.driver
    choose(driver, written(tmp_path, "a.png", encoded()))
    cards(driver, 1)
    assert driver.execute_async_script(DATABASES) == []
    tick(driver)
    wait_until_written(driver)
    assert len(driver.execute_async_script(DATABASES)) == 1
    tick(driver)
    wait_for_words(driver, WORK_LIST["keep_ended"])
    assert driver.execute_async_script(DATABASES) == []
    assert (
        driver.execute_script("return Object.keys(localStorage).filter((key) => key.startsWith('sitegen list'))") == []
    )
    driver.execute_script("window.onbeforeunload = null")
    again(served)
    assert driver.find_elements(By.CSS_SELECTOR, "#rows [role=option]") == []


def test_what_another_model_said_does_not_count(
    driver: Chromium, gate_bundle: Bundle, bundle: Bundle, tmp_path: Path
) -> None:
    """The image is there again, and is analysed by the model that the site has now."""
    options = SiteOptions(service_worker=False)
    old, new = (
        build_site(each, tmp_path / name, options=options).folder
        for name, each in (("old", gate_bundle), ("new", bundle))
    )
    later = (old / "index.html").stat().st_mtime + 60
    os.utime(new / "index.html", (later, later))  # a browser asks whether it changed, in whole seconds
    site = tmp_path / "dist"
    site.symlink_to(old)
    with site_address(site, "http") as url:
        page = SitePage(driver, url)
        page.wait_until_ready()
        choose(driver, written(tmp_path, "a.png", encoded()))
        before = cards(driver, 1)[0].find_element(By.CLASS_NAME, "findings-pane").text
        tick(driver)
        wait_until_written(driver)
        site.unlink()
        site.symlink_to(new)
        again(page)
        card = cards(driver, 1)[0]
        assert card.get_attribute("data-outcome") == "findings"
        assert card.find_element(By.CLASS_NAME, "findings-pane").text != before
        driver.get("about:blank")


def test_a_page_from_a_disk_offers_nothing(driver: Chromium, gate_site: Path) -> None:
    with opened(driver, gate_site, "file"):
        assert driver.find_elements(By.ID, "keep-list") == []
