"""Folders in the page, as discs with radiographs are: images in them are opened, the rest is counted."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver.support.ui import WebDriverWait

from sitegen.browser.chromium import Chromium
from tests.helpers.browser.support import Standing, cards, encoded, opened
from tests.helpers.dicom_files import as_bytes, radiograph, without_prefix

cells_of = pytest.importorskip("tests.helpers.browser.dicom_frames").cells_of
pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def disc(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two radiographs without endings, one of them without a prefix, a picture, and what else lies on a disc."""
    root = tmp_path_factory.mktemp("drop") / "CD 100 %41"
    image = radiograph(cells_of(200, 180, 12))
    content = {
        "DICOM/ST1/IM10": as_bytes(image),
        "DICOM/ST1/IM9": without_prefix(image),
        "DICOM/picture.png": encoded(),
        "DICOMDIR": bytes(128) + b"DICM\2\0\2\0",
        "VIEWER/viewer.exe": b"MZ" + bytes(5000),
        "VIEWER/empty": b"",
        "autorun.inf": b"[autorun]",
        "README.TXT": b"This disc holds images.",
    }
    for name, data in content.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    return root


WORDS = (
    "3 images in the folder. 5 other files are no images and were left out, among them a DICOMDIR, "
    "a disc's table of contents."
)
NAMES = ["CD 100 %41/DICOM/ST1/IM9", "CD 100 %41/DICOM/ST1/IM10", "CD 100 %41/DICOM/picture.png"]


@pytest.fixture(params=["file", "http"])
def at(request: pytest.FixtureRequest, standing: Standing, site: Path) -> Iterator[Chromium]:
    yield standing(site, request.param).driver
    standing.clear()


def drop(driver: Chromium, *paths: Path) -> None:
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        driver.execute_cdp_cmd("Input.dispatchDragEvent", {"type": kind, "x": 300, "y": 300, "data": data})


def names(driver: Chromium, count: int) -> list[str]:
    return [card.find_element("css selector", ".card-name").text for card in cards(driver, count)]


def said(driver: Chromium) -> Any:
    return WebDriverWait(driver, 10).until(lambda d: d.find_element("id", "folder-words").text)


def test_a_dropped_folder(at: Chromium, disc: Path) -> None:
    drop(at, disc)
    assert said(at) == WORDS
    assert sorted(names(at, 3)) == sorted(NAMES)


def test_a_chosen_folder(at: Chromium, disc: Path) -> None:
    at.find_element("id", "folder").send_keys(str(disc))
    assert said(at) == WORDS
    assert sorted(names(at, 3)) == sorted(NAMES)


def test_the_first_of_a_folder_stands_below_the_next(at: Chromium, disc: Path) -> None:
    drop(at, disc / "DICOM" / "ST1")
    assert names(at, 2) == ["ST1/IM10", "ST1/IM9"]
    assert said(at) == "2 images in the folder."


def test_a_file_beside_a_folder_is_opened_whatever_it_is(at: Chromium, disc: Path) -> None:
    drop(at, disc / "README.TXT", disc / "VIEWER")
    (card,) = cards(at, 1)
    assert "README.TXT" in card.text
    assert said(at) == "No images in the folder. 2 other files are no images and were left out."


def test_files_alone_say_nothing_of_folders(at: Chromium, disc: Path) -> None:
    drop(at, disc / "DICOM" / "picture.png", disc / "DICOM" / "ST1" / "IM9")
    assert sorted(names(at, 2)) == ["IM9", "picture.png"]
    assert not at.find_element("id", "folder-words").is_displayed()


def test_very_many_images_are_not_opened_at_once(driver: Chromium, site: Path, disc: Path, tmp_path: Path) -> None:
    many = tmp_path / "many"
    many.mkdir()
    for number in range(203):
        (many / f"{number}.png").write_bytes(b"\x89PNG")
    with opened(driver, site):
        drop(driver, many)
        cards(driver, 200)
        assert said(driver) == "203 images in the folder. Only the first 200 of them are opened."
