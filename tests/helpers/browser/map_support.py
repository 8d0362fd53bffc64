"""What the tests of maps in the page do: open a finding's map, wait for it, read its picture, save it."""

import base64
import io
import time
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import Select, WebDriverWait

from sitegen.browser.chromium import Chromium
from tests.helpers.browser.support import cards, choose, encoded, written

# Keeps what the page's workers say, for tests that count.
LISTEN = """
window.heard = [];
for (const worker of window.caughtWorkers.filter((each) => !each.isHeard)) {
  worker.isHeard = true;
  worker.addEventListener("message", ({data}) => window.heard.push(data));
}
"""


def example(driver: Chromium) -> WebElement:
    """Open the example image; return its card."""
    driver.find_element(By.ID, "example").click()
    return cards(driver, 1)[0]


def image(driver: Chromium, folder: Path, name: str = "a.png", seed: int = 0, size: int = 256) -> WebElement:
    """Open one image; return its card, the newest."""
    count = len(driver.find_elements(By.CSS_SELECTOR, "#rows [role=option]"))
    choose(driver, written(folder, name, encoded(seed=seed, size=size)))
    return cards(driver, count + 1)[0]


def open_map(card: WebElement, finding: str | None = None) -> WebElement:
    """Press a finding's button, the first one's by default; return the maps' section once the map is there."""
    chosen = ".finding-open" if finding is None else f'.finding-open[data-finding="{finding}"]'
    card.parent.execute_script("arguments[0].click()", card.find_element(By.CSS_SELECTOR, chosen))  # it may be folded
    return wait_for_maps(card)


def wait_for_maps(card: WebElement) -> WebElement:
    """Wait until no map of a card is being made; return the section with its maps."""
    WebDriverWait(card.parent, 60).until(
        lambda _: (
            card.find_elements(By.CSS_SELECTOR, ".map-view[aria-busy=false]")
            and not card.find_elements(By.CSS_SELECTOR, ".map-view[aria-busy=true]")
        )
    )
    return card.find_element(By.CLASS_NAME, "explanations")


def views(card: WebElement) -> list[WebElement]:
    """The maps of a card."""
    return card.find_elements(By.CLASS_NAME, "map-view")


def choose_option(view: WebElement, name: str, value: str) -> None:
    """Choose in the list that is called by a name."""
    Select(view.find_element(By.XPATH, f".//label[contains(., '{name}')]/select")).select_by_value(value)


def press(node: WebElement, text: str) -> None:
    """Press the button whose text begins so."""
    node.find_element(By.XPATH, f".//button[starts-with(., '{text}')]").click()


def set_range(card: WebElement, name: str, value: int) -> None:
    """Move a slider, as an arrow key or a pointer would."""
    script = "const [slider, value] = arguments; slider.value = value; slider.dispatchEvent(new Event('input'));"
    card.parent.execute_script(script, card.find_element(By.CSS_SELECTOR, f"input[name={name}]"), value)


# Once the canvas is drawn, and whatever was to be drawn since.
READ_CANVAS = """
const [canvas, done] = arguments;
const read = () => done([canvas.toDataURL("image/png").split(",")[1], canvas.dataset.place ?? null]);
const wait = () => canvas.closest(".stage") && !canvas.dataset.place ? setTimeout(wait, 20)
  : requestAnimationFrame(() => requestAnimationFrame(read));
wait();
"""


def stage_pixels(canvas: WebElement) -> tuple[np.ndarray, tuple[int, int, int, int]]:
    """The RGB samples of a viewer's canvas, as integers, and left, top, width and height of the picture on it."""
    text, place = canvas.parent.execute_async_script(READ_CANVAS, canvas)
    samples = np.array(Image.open(io.BytesIO(base64.b64decode(text))).convert("RGB"), np.int16)
    height, width, _ = samples.shape
    left, top, wide, high = map(int, place.split()) if place else (0, 0, width, height)
    return samples, (left, top, wide, high)


def pixels(canvas: WebElement) -> np.ndarray:
    """The RGB samples of what a canvas shows of its picture, as integers."""
    samples, (left, top, wide, high) = stage_pixels(canvas)
    return samples[max(top, 0) : top + high, max(left, 0) : left + wide]


def resized(samples: np.ndarray, width: int, height: int) -> np.ndarray:
    """A picture of another size, averaged."""
    picture = Image.fromarray(samples.astype(np.uint8)).resize((width, height), Image.Resampling.BOX)
    return np.asarray(picture, np.int16)


def map_canvas(view: WebElement) -> WebElement:
    return view.find_element(By.CSS_SELECTOR, ".map-picture canvas")


def coloured(picture: np.ndarray) -> float:
    """The share of pixels that are not grey."""
    return float((picture.max(axis=2) - picture.min(axis=2) > 12).mean())


def settled(view: WebElement, before: np.ndarray) -> np.ndarray:
    """Wait until a map's picture is another than before, and stays as it is; return it."""
    WebDriverWait(view.parent, 20).until(lambda _: not np.array_equal(pixels(map_canvas(view)), before))
    last = pixels(map_canvas(view))
    for _ in range(50):
        time.sleep(0.1)
        now = pixels(map_canvas(view))
        if np.array_equal(now, last):
            return now
        last = now
    raise AssertionError("the picture does not come to rest")


def saved_file(driver: Chromium, folder: Path, name: str) -> Path:
    """Wait for a download of this name. Chromium takes the name with an empty file before it has the content."""
    file = folder / name
    WebDriverWait(driver, 20).until(lambda _: file.exists() and file.stat().st_size > 0)
    return file


def allow_downloads(driver: Chromium, folder: Path) -> None:
    driver.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(folder)})


def status(driver: Chromium) -> str:
    return driver.find_element(By.CSS_SELECTOR, "[role=status][aria-live=polite]").text


def explained(driver: Chromium, data: bytes, **options: Any) -> dict[str, Any]:
    """What `sitegen.analyse` resolves to, for a file's bytes; what it rejects with has the key "code"."""
    script = """
    const [text, options, done] = arguments;
    const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    sitegen.analyse(new Blob([bytes]), options).then(done, ({code, result}) => done({code, result}));
    """
    answer: dict[str, Any] = driver.execute_async_script(script, base64.b64encode(data).decode(), options)
    return answer
