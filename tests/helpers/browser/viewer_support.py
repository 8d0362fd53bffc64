"""What the tests of the viewer do: press its buttons, read its canvas, draw images whose every pixel is known."""

import io
from pathlib import Path

import numpy as np
from PIL import Image
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from sitegen.browser.chromium import Chromium
from tests.helpers.browser.support import cards, choose, written

DESK = {"width": 1280, "height": 900, "deviceScaleFactor": 1, "mobile": False}


def stage(card: WebElement) -> WebElement:
    """The plain picture of a card, with the keys that it takes."""
    return card.find_element(By.CSS_SELECTOR, ".viewer-main .stage")


def canvas(card: WebElement) -> WebElement:
    """What the plain picture is drawn on."""
    return card.find_element(By.CSS_SELECTOR, ".viewer-main canvas")


def act(card: WebElement, action: str) -> None:
    """Press a button of the viewer."""
    button = card.find_element(By.CSS_SELECTOR, f'.viewer [data-action="{action}"]')
    card.parent.execute_script("arguments[0].closest('details')?.setAttribute('open', '')", button)
    button.click()


def zoom(card: WebElement) -> int:
    """The zoom that the viewer tells, in per cent of the picture's own pixels."""
    return int(card.find_element(By.CLASS_NAME, "viewer-zoom").text.removesuffix(" %"))


def even_stages(driver: Chromium) -> None:
    """Give every picture of a page the same size, so that they can be compared pixel by pixel."""
    driver.execute_script(
        "const sheet = new CSSStyleSheet(); document.adoptedStyleSheets = [sheet];"
        "sheet.replaceSync('.stage { flex: none !important; width: 340px !important; height: 340px !important; }');"
    )


def layer(card: WebElement, kind: str) -> None:
    """Choose what of the gate's lies over the picture: "", "errors" or "reconstruction"."""
    card.find_element(By.CSS_SELECTOR, f'.layers input[value="{kind}"]').click()


def scene(width: int, height: int) -> np.ndarray:
    """Greys that differ from each pixel to the next, and that no place is without: height x width, 8 bits."""
    rows, columns = np.mgrid[:height, :width]
    return (60 + (rows * 7 + columns * 13) % 150).astype(np.uint8)


def stored(upright: np.ndarray, orientation: int) -> bytes:
    """The PNG of an image that its EXIF orientation (1 to 8) turns upright."""
    back = {
        1: lambda image: image,
        2: lambda image: image[:, ::-1],
        3: lambda image: image[::-1, ::-1],
        4: lambda image: image[::-1],
        5: lambda image: image.T,
        6: lambda image: np.rot90(image, 1),
        7: lambda image: image[::-1, ::-1].T,
        8: lambda image: np.rot90(image, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(back(upright))).save(buffer, "PNG", exif=exif.tobytes())
    return buffer.getvalue()


def opened_image(driver: Chromium, folder: Path, data: bytes, name: str = "a.png", count: int = 1) -> WebElement:
    """Open an image; return its card, the newest of so many, drawn."""
    choose(driver, written(folder, name, data))
    return drawn(cards(driver, count)[0])


def drawn(card: WebElement) -> WebElement:
    """Wait until the plain picture is drawn: before it is, the viewer knows no size to zoom by. Return the card."""
    WebDriverWait(card.parent, 30).until(lambda _: canvas(card).get_attribute("data-place"))
    return card
