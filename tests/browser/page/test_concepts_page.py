"""The page of concepts in a browser: its pictures are there, a phone shows all of it, axe finds nothing wrong."""

from pathlib import Path

import pytest

from sitegen.browser.chromium import Chromium
from sitegen.evaluation.concepts.page import as_html
from sitegen.evaluation.concepts.pictures import Strongest
from tests.evaluation.concepts.test_page import GREY, codes_peaking_at, document
from tests.helpers.browser.accessibility import Look, looked_at, violations

pytestmark = pytest.mark.browser

_PICTURES = "return [...document.images].map((each) => [each.naturalWidth, each.getBoundingClientRect().right])"


@pytest.mark.parametrize("look", [Look(390, 844), Look(1280, 720, "dark")])
def test_pictures_and_tables_fit(driver: Chromium, tmp_path: Path, look: Look) -> None:
    page = tmp_path / "concepts.html"
    page.write_text(as_html(document(), [[Strongest([0.0] * 1024, codes_peaking_at(3, 0))]], GREY), "utf-8")
    driver.get(page.as_uri())
    with looked_at(driver, look):
        assert driver.execute_script("return document.documentElement.scrollWidth") <= look.width
        ((width, right),) = driver.execute_script(_PICTURES)
        assert width == 260 and right <= look.width
        assert driver.execute_script("return performance.getEntriesByType('resource').length") <= 1  # the data URI
        assert violations(driver) == []
