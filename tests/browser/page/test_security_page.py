"""The security page in a browser: readable on a small screen, and without a script."""

from pathlib import Path

import pytest

from sitegen.browser.chromium import Chromium
from sitegen.browser.page import site_address

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("transport", ["file", "http"])
def test_the_page_fits_a_phone_and_its_tables_scroll_in_their_boxes(
    driver: Chromium, site: Path, transport: str
) -> None:
    before = driver.get_window_size()
    driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}
    )
    try:
        with site_address(site, transport) as url:
            driver.get(url.rsplit("/", 1)[0] + "/security.html")
            assert driver.title == "Security"
            wide = "return [document.documentElement.scrollWidth, innerWidth]"
            assert driver.execute_script(wide) == [390, 390]
            boxes = (
                "return [...document.querySelectorAll('.scroll, pre')].map(box => [box.scrollWidth, box.clientWidth])"
            )
            sizes = driver.execute_script(boxes)
            assert all(inside <= 390 for _, inside in sizes)
            assert any(content > inside for content, inside in sizes)
    finally:
        driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        driver.set_window_size(before["width"], before["height"])


def test_the_index_leads_there_and_back(driver: Chromium, site: Path) -> None:
    with site_address(site, "file") as url:
        driver.get(url)
        driver.find_element("css selector", "footer a[href='security.html']").click()
        assert driver.title == "Security"
        driver.find_element("link text", "Back").click()
        assert driver.title == "Test model"
