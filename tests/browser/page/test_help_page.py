"""The page on how to read a result in a browser: on a phone, by the keyboard, and beside the images that are open."""

from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from sitegen.browser.page import site_address
from sitegen.site.help import help_text
from sitegen.site.page import render_document
from tests.helpers.help_bundles import METRICS, TRAINED, known

pytestmark = pytest.mark.browser
LONG = "Enlarged cardiomediastinal silhouette of the newborn"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a page of two models, one of them with figures, and a table that no phone is wide enough for."""
    folder = tmp_path_factory.mktemp("help")
    first = known(folder / "first", {"metrics": METRICS, "provenance": TRAINED})
    second = known(
        folder / "second", {"name": "other"}, labels=(LONG, "Pneumonia_or_consolidation_or_infiltration_or_both")
    )
    html = render_document("Help", help_text([first, second]), "index.html")
    (folder / "help.html").write_text(html, "utf-8")
    return (folder / "help.html").as_uri()


def test_a_phone_shows_it_without_scrolling_sideways(driver: webdriver.Chrome, page: str) -> None:
    phone = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
    try:
        driver.get(page)
        assert driver.execute_script("return [document.documentElement.scrollWidth, innerWidth]") == [390, 390]
        boxes = "return [...document.querySelectorAll('.scroll')].map(box => [box.scrollWidth, box.clientWidth])"
        sizes = driver.execute_script(boxes)
        assert len(sizes) == 2
        assert all(inside <= 390 for _, inside in sizes)
        assert any(content > inside for content, inside in sizes)
    finally:
        driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_every_table_is_reached_by_the_keyboard(driver: webdriver.Chrome, page: str) -> None:
    driver.get(page)
    reached = []
    for _ in range(12):
        ActionChains(driver).send_keys(Keys.TAB).perform()
        reached.append(driver.execute_script("return document.activeElement.getAttribute('aria-label')"))
    regions = driver.execute_script("return [...document.querySelectorAll('.scroll')].map(box => box.ariaLabel)")
    assert [name for name in reached if name] == regions == ["How often it was wrong, and on whom", "What 50 % means"]


def test_help_opens_beside_the_page(driver: webdriver.Chrome, site: Path) -> None:
    with site_address(site, "file") as url:
        driver.get(url)
        before = driver.current_window_handle
        driver.find_element("css selector", "header a[href='help.html']").click()
        (other,) = WebDriverWait(driver, 30).until(lambda _: set(driver.window_handles) - {before})
        driver.switch_to.window(other)
        try:
            WebDriverWait(driver, 30).until(lambda _: driver.title == "How to read a result")
        finally:
            driver.close()
            driver.switch_to.window(before)
        assert driver.title == "Test model"
