"""Folders in the page, as discs with radiographs are: images in them are opened, the rest is counted."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sitegen.browser.chromium import Chromium
from tests.helpers.browser.hearing import hear, heard
from tests.helpers.browser.support import Standing, cards, encoded
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


WORDS = "3 images found; 5 files that are no images were left out, among them a DICOMDIR, a disc's table of contents."
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


def test_a_dropped_folder(at: Chromium, disc: Path) -> None:
    hear(at)
    drop(at, disc)
    assert sorted(names(at, 3)) == sorted(NAMES)
    assert WORDS in heard(at)


def test_a_chosen_folder(at: Chromium, disc: Path) -> None:
    hear(at)
    at.find_element("id", "folder").send_keys(str(disc))
    assert sorted(names(at, 3)) == sorted(NAMES)
    assert WORDS in heard(at)


def test_a_folder_is_read_in_the_order_of_its_numbers(at: Chromium, disc: Path) -> None:
    drop(at, disc / "DICOM" / "ST1")
    assert names(at, 2) == ["ST1/IM10", "ST1/IM9"]  # the last that was opened comes first here


def test_a_file_beside_a_folder_is_judged_as_those_in_it(at: Chromium, disc: Path) -> None:
    hear(at)
    drop(at, disc / "DICOM" / "picture.png", disc / "VIEWER")
    (card,) = cards(at, 1)
    assert "picture.png" in card.text
    assert "1 image found; 2 files that are no images were left out." in heard(at)


def test_files_alone_say_nothing_of_folders(at: Chromium, disc: Path) -> None:
    hear(at)
    drop(at, disc / "DICOM" / "picture.png", disc / "DICOM" / "ST1" / "IM9")
    assert sorted(names(at, 2)) == ["IM9", "picture.png"]
    assert not any("left out" in words for words in heard(at))
