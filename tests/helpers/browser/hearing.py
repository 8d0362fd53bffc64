"""What the page says aloud, kept: the next thing that it says takes the place of the last one, maybe at once."""

import contextlib
from collections.abc import Iterator

from selenium.webdriver.support.ui import WebDriverWait

from sitegen.browser.chromium import Chromium

_HEAR = """
window.said = [];
window.hearing?.disconnect();
window.hearing = new MutationObserver((records) => {
  for (const {target, addedNodes} of records) {
    if (target.id === "status") window.said.push(...Array.from(addedNodes, ({textContent}) => textContent));
  }
});
window.hearing.observe(document, {childList: true, subtree: true});
"""


def hear(driver: Chromium) -> None:
    """Keep what is said from now on."""
    driver.execute_script(_HEAR)


@contextlib.contextmanager
def hearing_from_the_start(driver: Chromium) -> Iterator[None]:
    """Keep what every page says that is opened meanwhile."""
    added = driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": _HEAR})
    try:
        yield
    finally:
        driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)


def heard(driver: Chromium) -> list[str]:
    """Return all that was said, in its order."""
    return list(driver.execute_script("return window.said"))


def wait_for_words(driver: Chromium, words: str) -> None:
    """Wait until this has been said, whatever was said after it."""
    WebDriverWait(driver, 30).until(lambda _: words in heard(driver))
