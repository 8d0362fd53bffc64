"""What several browser tests do: open a site and wait, choose files and wait for their cards, ask for a gradient,
encode images, find data that lies beside the project.
"""

import base64
import contextlib
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from sitegen.browser.page import SitePage, site_address
from sitegen.phantom import phantom


@contextlib.contextmanager
def opened(driver: webdriver.Chrome, site: Path, transport: str = "file") -> Iterator[SitePage]:
    """Open a site in a running browser and wait until it is ready; leave it at the end."""
    with site_address(site, transport) as url:
        page = SitePage(driver, url)
        page.wait_until_ready()
        yield page
        driver.get("about:blank")


GRADIENT = """
const [text, options, done] = arguments;
const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
const shown = ({buffer, byteOffset, byteLength}) => {
  let text = "";
  for (const byte of new Uint8Array(buffer, byteOffset, byteLength)) text += String.fromCharCode(byte);
  return btoa(text);
};
window.sitegen.gradient(new Blob([bytes]), options).then(
  ({document, values}) => done({document, values: Object.entries(values).map(([role, part]) => [role, shown(part)])}),
  (error) => done({document: error.result, code: error.code, values: []}));
"""


def gradient(page: SitePage, data: bytes, **options: Any) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The gradient document, or the error document, of a file's bytes, and its float32 values by role."""
    answer = page.driver.execute_async_script(GRADIENT, base64.b64encode(data).decode(), options)
    values = {role: np.frombuffer(base64.b64decode(text), "<f4") for role, text in answer["values"]}
    return answer["document"], values


def encoded(kind: str = "PNG", seed: int = 0, size: int = 256, **options: object) -> bytes:
    """The file of a synthetic radiograph."""
    buffer = io.BytesIO()
    Image.fromarray(phantom(seed, size)).save(buffer, kind, **options)
    return buffer.getvalue()


def png(pixels: np.ndarray) -> bytes:
    """The PNG of 8-bit pixels."""
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, "PNG")
    return buffer.getvalue()


def noise(size: int = 200) -> bytes:
    """The PNG of an image that no gate accepts."""
    return png(np.random.default_rng(2).integers(0, 256, (size, size), np.uint8))


def cards(driver: webdriver.Chrome, count: int) -> list[WebElement]:
    """Wait until `count` cards are there and done; newest first."""

    def done(driver: webdriver.Chrome) -> list[WebElement] | bool:
        found = driver.find_elements(By.CSS_SELECTOR, ".card[aria-busy=false]")
        return found if len(found) == count else False

    return list(WebDriverWait(driver, 30).until(done))


def choose(driver: webdriver.Chrome, *files: Path) -> None:
    """Choose files in the page's file dialogue."""
    driver.find_element(By.ID, "files").send_keys("\n".join(map(str, files)))


def written(folder: Path, name: str, data: bytes) -> Path:
    """Write a file; return its path."""
    path = folder / name
    path.write_bytes(data)
    return path


def data_folder(name: str) -> Path:
    """A folder of images beside the project; the test is skipped where it is absent."""
    root = Path(os.environ.get("SITEGEN_DATA", Path(__file__).parents[3] / "shared" / "data"))
    if not (root / name).is_dir():
        pytest.skip(f"the images of {name!r} are not beside the project (set SITEGEN_DATA)")
    return root / name
