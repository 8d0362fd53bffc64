"""A patient's name, planted wherever a DICOM file can hold one, is in nothing that the page shows, saves or logs."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from selenium.webdriver.support.ui import WebDriverWait

from sitegen.browser.chromium import Chromium
from sitegen.phantom import phantom
from tests.helpers.browser.map_support import LISTEN, allow_downloads, open_map, press, views
from tests.helpers.browser.support import cards, choose, opened, written
from tests.helpers.planted_names import NAME, Element, planted

pytestmark = pytest.mark.browser

CELLS = phantom(5, 256).astype(np.uint16) * 16
CODES: list[Element] = [(tag, "CS", NAME.encode()) for tag in (0x00080060, 0x00180015, 0x00185101, 0x00280301)]


@pytest.fixture
def at(catching: Chromium, shipped_site: Path) -> Iterator[Chromium]:
    with opened(catching, shipped_site):
        catching.get_log("browser")
        catching.execute_script(LISTEN)
        yield catching


def everything(driver: Chromium) -> str:
    """The page as it stands, what its workers said, its title, address, and stores, and the console, in capitals."""
    parts = (
        driver.execute_script("return document.documentElement.outerHTML + document.title + location.href"),
        driver.execute_script("return JSON.stringify(window.heard)"),
        driver.execute_script("return JSON.stringify({...localStorage, ...sessionStorage})"),
        json.dumps(driver.get_log("browser")),
    )
    return "".join(parts).upper()


def whole(folder: Path) -> set[str]:
    """The endings of the files of a folder that are not empty, as downloads are at first."""
    return {path.suffix for path in folder.iterdir() if path.stat().st_size}


def test_an_analysis_does_not_show_save_or_log_it(at: Chromium, tmp_path: Path) -> None:
    allow_downloads(at, tmp_path)
    choose(at, written(tmp_path, "file.dcm", planted(pixels=CELLS)))
    (card,) = cards(at, 1)
    assert "no window" in card.text
    if card.get_attribute("data-outcome") == "refused":
        press(card, "Analyse anyway")
        press(card, "Yes")
        (card,) = cards(at, 1)
    open_map(card)
    (view,) = views(card)
    press(view, "Save as PNG")
    press(card, "Save result")
    WebDriverWait(at, 30).until(lambda _: whole(tmp_path) == {".dcm", ".json", ".png"})
    assert NAME not in everything(at)
    outputs = [path for path in tmp_path.iterdir() if path.name != "file.dcm"]
    assert len(outputs) == 2
    assert [path.name for path in outputs if NAME.encode() in path.read_bytes().upper()] == []


def test_refusals_and_errors_do_not_hold_it(at: Chromium, tmp_path: Path) -> None:
    files = {
        "codes.dcm": planted(pixels=CELLS, elements=CODES),
        "cut.dcm": planted(pixels=CELLS, left_out=20_000),
        "early.dcm": planted(pixels=CELLS, left_out=len(planted(pixels=CELLS)) - 3000),
        "bits.dcm": planted(pixels=CELLS, elements=[(0x00280100, "US", NAME.encode())]),
        "colours.dcm": planted(pixels=CELLS, elements=[(0x00280004, "CS", NAME.encode())]),
        "slope.dcm": planted(pixels=CELLS, elements=[(0x00281053, "DS", NAME.encode())]),
        "syntax.dcm": planted(pixels=CELLS, elements=[(0x00020010, "UI", b"1.2.3." + NAME.encode())]),
    }
    choose(at, *(written(tmp_path, name, data) for name, data in files.items()))
    found = cards(at, len(files))
    said = "\n".join(card.text for card in found)
    assert "is of another kind, and this model expects computed radiography (CR)" in said
    assert "shows another part of the body, and this model expects the chest or the lungs" in said
    assert "its RescaleSlope is no number that can be read" in said
    assert NAME not in everything(at)
