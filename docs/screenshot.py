"""Takes the README's picture: the built page with an accepted and a refused synthetic image.

python docs/screenshot.py [--site dist] [--width 1280] [--out docs/screenshot.png]
"""

import argparse
import base64
import tempfile
from pathlib import Path

from PIL import Image
from selenium import webdriver
from selenium.webdriver.support.ui import WebDriverWait

from sitegen.browser.chromium import chromium
from sitegen.browser.page import SitePage, site_address
from sitegen.phantom import phantom


def main() -> None:
    """Take the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--site", type=Path, default=Path("dist"))
    parser.add_argument("--width", type=int, default=1280)
    parser.add_argument("--out", type=Path, default=Path("docs/screenshot.png"))
    parser.add_argument("--first", action="store_true", help="look at the accepted image, not at the refused one")
    options = parser.parse_args()
    with (
        site_address(options.site, "file") as url,
        chromium(width=options.width) as driver,
        tempfile.TemporaryDirectory() as folder,
    ):
        SitePage(driver, url).wait_until_ready()
        inverted = Path(folder) / "inverted by mistake.png"
        Image.fromarray(255 - phantom(seed=4, size=768)).save(inverted)
        driver.find_element("id", "example").click()  # which is offered until there is an image
        driver.find_element("id", "files").send_keys(str(inverted))
        WebDriverWait(driver, 60).until(
            lambda _: (
                driver.find_element("class name", "list-count").get_property("textContent") == "2 of 2 images done"
            )
        )
        if options.first:
            driver.execute_script("document.getElementById('tab-list')?.click()")
            driver.find_element("css selector", "#rows [role=option]").click()
            WebDriverWait(driver, 60).until(
                lambda _: driver.find_elements("css selector", ".card[aria-busy=false] .bar")
            )
        driver.execute_script("document.activeElement.blur(); document.body.style.transition = 'none'")
        Path(options.out).write_bytes(_whole_page(driver, options.width))


def _whole_page(driver: webdriver.Chrome, width: int) -> bytes:
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    height = driver.execute_script("return document.documentElement.scrollHeight")
    clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
    shot = driver.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip})
    return base64.b64decode(shot["data"])


if __name__ == "__main__":
    main()
