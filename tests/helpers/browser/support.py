"""What several browser tests do: open a site and wait, choose files and wait for their cards, ask for a gradient,
encode images, find data that lies beside the project.
"""

import base64
import contextlib
import io
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from PIL import Image
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from sitegen.browser.chromium import Chromium
from sitegen.browser.page import SitePage, site_address
from sitegen.phantom import phantom


@contextlib.contextmanager
def opened(driver: Chromium, site: Path, transport: str = "file") -> Iterator[SitePage[Chromium]]:
    """Open a site in a running browser and wait until it is ready; leave it at the end."""
    with site_address(site, transport) as url:
        page = SitePage(driver, url)
        page.wait_until_ready()
        yield page
        driver.get("about:blank")


# In one step: cards are drawn anew while they are looked for. Returns whether none is left.
REMOVE = """
const shown = (button) => button.offsetParent && ["Remove all", "Remove"].includes(button.textContent);
[...document.querySelectorAll("button")].find(shown)?.click();
return document.querySelector(".card") === null;
"""


class Standing:
    """A site in a running browser that stays open from test to test, because a start costs seconds.

    For tests that use the page's API alone, or that leave it as they found it: no card, no changed function, no killed
    worker. Where another test has used the browser for something else meanwhile, the site is opened again.
    """

    def __init__(self, driver: Chromium) -> None:
        self.driver = driver
        self._place: tuple[Path, str] | None = None
        self._page: SitePage[Chromium] | None = None
        self._end = contextlib.ExitStack()

    def __call__(self, site: Path, transport: str = "file") -> SitePage[Chromium]:
        """Return the page of a site, ready."""
        if self._page is None or self._place != (site, transport) or not self._is_there():
            self.close()
            self._place = site, transport
            self._page = SitePage(self.driver, self._end.enter_context(site_address(site, transport)))
            self._page.wait_until_ready()
            self.driver.execute_script("window.standing = true")
        return self._page

    def clear(self) -> None:
        """Remove all images, as a person would; where one stays, the next test gets a new page."""
        if not self.driver.execute_script(REMOVE):
            spoil(self.driver)

    def close(self) -> None:
        """Forget the page, and end the server that it came from."""
        self._page = None
        self._end.close()

    def _is_there(self) -> bool:
        return bool(self.driver.execute_script("return window.standing === true"))


def spoil(driver: Chromium) -> None:
    """Have the next test open the site again, because the page is no longer as it was made."""
    driver.execute_script("window.standing = false")


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


def gradient(page: SitePage[Chromium], data: bytes, **options: Any) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The gradient document, or the error document, of a file's bytes, and its float32 values by role."""
    answer = page.driver.execute_async_script(GRADIENT, base64.b64encode(data).decode(), options)
    values = {role: np.frombuffer(base64.b64decode(text), "<f4") for role, text in answer["values"]}
    return answer["document"], values


def encoded(kind: str = "PNG", seed: int = 0, size: int = 256, **options: object) -> bytes:
    """The file of a synthetic radiograph."""
    buffer = io.BytesIO()
    Image.fromarray(phantom(seed, size)).save(buffer, kind, **options)
    return buffer.getvalue()


def relative(ours: Sequence[float] | np.ndarray, theirs: Sequence[float] | np.ndarray) -> float:
    """The relative error in the Euclidean norm; where the reference is all 0, the other must be, too."""
    expected = np.asarray(theirs, np.float64)
    return float(np.linalg.norm(np.asarray(ours, np.float64) - expected) / (np.linalg.norm(expected) or 1e-9))


def png(pixels: np.ndarray) -> bytes:
    """The PNG of 8-bit pixels."""
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, "PNG")
    return buffer.getvalue()


def noise(size: int = 200) -> bytes:
    """The PNG of an image that no gate accepts."""
    return png(np.random.default_rng(2).integers(0, 256, (size, size), np.uint8))


class Card(WebElement):
    """The card of one image, by the image's number in its page: it is chosen in the list whenever it is asked for."""

    def __init__(self, driver: Chromium, number: int) -> None:
        """Name the card; nothing is asked of the page yet."""
        self.number = number
        self._parent = driver

    @property
    def _id(self) -> str:
        """Selenium's own name of the element: a card that was away is made again, as another element."""
        found = self._parent.execute_async_script(CARD, self.number)
        if found is None:
            raise StaleElementReferenceException(f"the page has no image {self.number} any more")
        return str(found.id)

    @_id.setter
    def _id(self, value: str) -> None:
        raise AttributeError("which element it is, the page says")

    @property
    def id(self) -> str:
        """The element's name."""
        return self._id

    def row(self) -> WebElement:
        """The image's row in the list."""
        return self._parent.find_element(By.ID, f"row-{self.number}")


# Chooses an image in the list, if it is not in sight, and waits for its card.
CARD = """
const [number, done] = arguments;
const list = document.getElementById("rows");
const find = () => document.getElementById(`card-${number}-name`)?.closest(".card");
if (find()?.isConnected) return done(find());
if (!document.getElementById(`row-${number}`)) {  // beyond what is drawn: keys reach every row
  list.dispatchEvent(new KeyboardEvent("keydown", {key: "Home"}));
  const count = Number(list.querySelector("[aria-setsize]")?.getAttribute("aria-setsize") ?? 0);
  for (let step = 0; step < count; step += 1) {
    if (document.getElementById(`row-${number}`)) break;
    list.dispatchEvent(new KeyboardEvent("keydown", {key: "ArrowDown"}));
  }
}
document.getElementById(`row-${number}`)?.click();
const wait = (tries) => {
  const card = find();
  if (!card || card.getAttribute("aria-busy") === "false" || tries === 0) return done(card ?? null);
  setTimeout(wait, 20, tries - 1);
};
wait(document.querySelector(`#row-${number}[data-state=waiting], #row-${number}[data-state=working]`) ? 0 : 1500);
"""
STATES = """
const rows = [...document.querySelectorAll("#rows [role=option]")];
const isDone = ({dataset: {state}}) => state !== "waiting" && state !== "working";
const card = document.querySelector(".card");
if (card && !document.getElementById("rows").clientHeight) {  // on a phone that shows another pane
  const isAlone = document.querySelector(".list-count").textContent === "1 image";
  const number = Number(card.querySelector("h3").id.match(/[0-9]+/)[0]);
  return isAlone && card.getAttribute("aria-busy") === "false" ? [number] : null;
}
const size = Number(rows[0]?.getAttribute("aria-setsize") ?? 0);
if (rows.length !== size || !rows.every(isDone) || document.querySelector(".card[aria-busy=true]")) return null;
return rows.map(({dataset}) => Number(dataset.number)).sort((one, other) => other - one);
"""


def cards(driver: Chromium, count: int) -> list[WebElement]:
    """Wait until `count` images are there and done; return their cards, newest first.

    Few enough that the list shows them all.
    """

    def done(driver: Chromium) -> list[WebElement] | Literal[False]:
        numbers = driver.execute_script(STATES)
        return [Card(driver, number) for number in numbers] if numbers and len(numbers) == count else False

    return list(WebDriverWait(driver, 30).until(done))


def waiting(driver: Chromium) -> WebElement:
    """The card in sight, done or not, once it is there: files that were chosen are looked into first."""
    return WebDriverWait(driver, 30).until(lambda _: driver.find_elements(By.CSS_SELECTOR, ".card"))[0]


def listed(driver: Chromium, count: int) -> None:
    """Wait until so many images are in the list, done or not."""
    size = "return Number(document.querySelector('#rows [aria-setsize]')?.getAttribute('aria-setsize') ?? 0)"
    WebDriverWait(driver, 30).until(lambda _: driver.execute_script(size) == count)


def show_pane(driver: Chromium, name: str) -> None:
    """Show "list", "image" or "findings" on a phone, which has one of them in sight."""
    driver.find_element(By.ID, f"tab-{name}").click()


def choose(driver: Chromium, *files: Path) -> None:
    """Choose files in the page's file dialogue."""
    driver.find_element(By.ID, "files").send_keys("\n".join(map(str, files)))


def written(folder: Path, name: str, data: bytes) -> Path:
    """Write a file; return its path."""
    path = folder / name
    path.write_bytes(data)
    return path


def data_folder(name: str) -> Path:
    """A folder of images beside the project; the test is skipped where it is absent."""
    root = Path(os.environ.get("SITEGEN_DATA", Path(__file__).parents[4] / "shared" / "data"))
    if not (root / name).is_dir():
        pytest.skip(f"the images of {name!r} are not beside the project (set SITEGEN_DATA)")
    return root / name
