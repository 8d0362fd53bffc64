"""How images come in: folders by dialogue and by drop, links, and names that are longer than a phone is wide."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from sitegen.browser.chromium import Chromium
from tests.helpers.browser.hearing import hear, heard, wait_for_words
from tests.helpers.browser.support import Standing, cards, encoded, written

pytestmark = pytest.mark.browser


@pytest.fixture
def at(standing: Standing, site: Path) -> Iterator[Chromium]:
    driver = standing(site).driver
    hear(driver)
    yield driver
    standing.clear()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three images in two folders, one of them without its ending, and three files that are none."""
    root = tmp_path / "a folder"
    inner = root / "inner"
    inner.mkdir(parents=True)
    written(root, "2.png", encoded())
    written(root, "10.jpg", encoded("JPEG"))
    written(inner, "without-ending", encoded("WEBP"))
    written(root, "notes.txt", b"text")
    written(root, ".DS_Store", b"\0\0")
    written(inner, "labels.csv", b"a,b")
    return root


SAID = "3 images found; 3 files that are no images were left out."


def test_a_folder_is_chosen(at: Chromium, folder: Path) -> None:
    at.find_element(By.ID, "folder").send_keys(str(folder))
    names = [card.find_element(By.CLASS_NAME, "card-name").text for card in cards(at, 3)]
    assert names == ["a folder/inner/without-ending", "a folder/10.jpg", "a folder/2.png"]
    assert SAID in heard(at)


def test_a_folder_is_dropped(at: Chromium, folder: Path) -> None:
    data = {"items": [], "files": [str(folder)], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        at.execute_cdp_cmd("Input.dispatchDragEvent", {"type": kind, "x": 300, "y": 200, "data": data})
    names = [card.find_element(By.CLASS_NAME, "card-name").text for card in cards(at, 3)]
    assert names == ["a folder/inner/without-ending", "a folder/10.jpg", "a folder/2.png"]
    assert SAID in heard(at)


def test_an_empty_folder_and_one_without_images(at: Chromium, tmp_path: Path) -> None:
    other = tmp_path / "texts"
    other.mkdir()
    written(other, "a.txt", b"a")
    data = {"items": [], "files": [str(other)], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        at.execute_cdp_cmd("Input.dispatchDragEvent", {"type": kind, "x": 300, "y": 200, "data": data})
    wait_for_words(at, "No image was found in that folder: 1 file that is no image was left out.")
    assert not at.find_elements(By.CLASS_NAME, "card")


LINK = """
const transfer = new DataTransfer();
transfer.setData("text/uri-list", "https://example.org/image.png");
const event = new DragEvent("drop", {dataTransfer: transfer, bubbles: true, cancelable: true});
document.getElementById("drop").dispatchEvent(event);
return event.defaultPrevented;
"""


def test_a_dropped_link_says_what_to_do(at: Chromium) -> None:
    assert at.execute_script(LINK)
    WebDriverWait(at, 30).until(lambda _: heard(at))
    (said,) = heard(at)
    assert "link" in said
    assert "drop the file" in said
