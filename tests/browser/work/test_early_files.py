"""Files can be chosen as soon as the page is there: they wait for the model, and are then analysed unasked."""

from pathlib import Path

import pytest
from selenium.webdriver.support.ui import WebDriverWait

from sitegen.browser.chromium import Chromium
from sitegen.browser.page import site_address
from tests.helpers.browser.support import cards, choose, encoded, waiting, written

pytestmark = pytest.mark.browser

# The worker's start is held back until the test says so.
HELD = """
window.release = null;
const Original = window.Worker;
window.Worker = class extends Original {
  postMessage(message, ...rest) {
    if (message.kind !== "boot") return super.postMessage(message, ...rest);
    window.release = () => super.postMessage(message, ...rest);
  }
};
"""


def test_a_file_chosen_early_waits_and_is_analysed(driver: Chromium, site: Path, tmp_path: Path) -> None:
    added = driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": HELD})
    try:
        _waits_and_is_analysed(driver, site, written(tmp_path, "early.png", encoded()))
    finally:  # other tests have the same browser
        driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)
        driver.get("about:blank")


def _waits_and_is_analysed(driver: Chromium, site: Path, file: Path) -> None:
    with site_address(site, "file") as url:
        driver.get(url)
        choose(driver, file)
        status = waiting(driver).find_element("css selector", ".card-status")
        WebDriverWait(driver, 30).until(lambda _: status.text == "Waiting for the model")
        WebDriverWait(driver, 30).until(lambda _: driver.execute_script("return release !== null"))
        driver.execute_script("release()")
        (card,) = cards(driver, 1)
        assert card.get_attribute("data-outcome") == "findings"
