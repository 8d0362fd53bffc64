"""DICOM files through the page: what Python computes of each coding, and nothing loaded for who opens none."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sitegen.browser.chromium import Chromium
from sitegen.browser.engines import ENGINES
from sitegen.browser.page import SitePage
from sitegen.browser.verify import verify_site
from sitegen.bundle import Bundle
from sitegen.site import build_site
from sitegen.site.options import SiteOptions
from tests.helpers.browser.map_support import stage_pixels
from tests.helpers.browser.plain_server import plain_server
from tests.helpers.browser.support import Standing, cards, choose, data_folder, encoded, written
from tests.helpers.browser.viewer_support import act, canvas, drawn, layer

imagecodecs = pytest.importorskip("imagecodecs")
from tests.helpers.browser.dicom_frames import cells_of, whole_files  # noqa: E402 - which needs imagecodecs

EVERY_ENGINE = [pytest.param(name, marks=pytest.mark.browser(name)) for name in ENGINES]
CODED = {"jpeg-ls": "codec-charls", "jpeg-2000": "codec-openjpeg", "jpeg-lossless": "jpeg-lossless-decoder-js"}


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return whole_files(cells_of(240, 210, 12))


@pytest.fixture(scope="module")
def folder(files: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of each coding, one that is cut short, one with a flipped bit, and a DICOMDIR."""
    folder = tmp_path_factory.mktemp("dicom")
    for name, data in files.items():
        written(folder, name, data)
    written(folder, "cut-short.dcm", files["jpeg-ls"][:-4000])
    flipped = bytearray(files["jpeg-2000"])
    flipped[-9000] ^= 4
    written(folder, "flipped.dcm", bytes(flipped))
    written(folder, "DICOMDIR", dicomdir())
    return folder


def dicomdir() -> bytes:
    """The beginning of a disc's table of contents: its SOP class in the file meta information, and no picture."""
    kind = b"1.2.840.10008.1.3.10\0\0"
    meta = b"\2\0\2\0UI" + len(kind).to_bytes(2, "little") + kind
    meta += b"\2\0\x10\0UI\x14\x001.2.840.10008.1.2.1\0"
    return bytes(128) + b"DICM" + meta + b"\4\0\x20\x12SQ\0\0\0\0\0\0"


@pytest.mark.parametrize("engine", EVERY_ENGINE)
def test_the_page_computes_what_python_computes(engine: str, site: Path, bundle: Bundle, folder: Path) -> None:
    report = verify_site(site, bundle, ["file", "http"], engine, folder)
    for part in report["transports"].values():
        assert part["failures"] == []
        assert part["images"] == 14
        assert part["tensors"] == {"application/dicom": {"identical": 12, "total": 12}}
        assert part["errors"] == {"damaged-image": 1, "unsupported-type": 1}
        assert part["requests_outside"] == []


@pytest.mark.browser
def test_files_of_machines_and_hospitals(site: Path, bundle: Bundle) -> None:
    report = verify_site(site, bundle, ["file"], "chromium", data_folder("dicom"))
    assert report["failures"] == []
    assert report["transports"]["file"]["tensors"] == {"application/dicom": {"identical": 19, "total": 19}}


@pytest.mark.browser
def test_nothing_of_dicom_is_asked_for_before_a_file_needs_it(
    driver: Chromium, bundle: Bundle, tmp_path: Path, files: dict[str, bytes]
) -> None:
    site = build_site(bundle, tmp_path / "dist", options=SiteOptions(service_worker=False)).folder
    with plain_server(site) as server:
        page = SitePage(driver, server.address)
        page.wait_until_ready()
        page.analyse(encoded(), "a.png")
        page.analyse(encoded("JPEG"), "a.jpg")
        before = list(server.asked)
        for name in ("uncompressed", "run-lengths", "baseline-jpeg", "deflated"):
            assert page.analyse(files[name], name, force=True)["image"]["type"] == "application/dicom"
        assert server.asked == before  # Python's part has been there since the start
        for name, module in CODED.items():
            start = len(server.asked)
            for _ in range(2):
                page.analyse(files[name], name)
            asked = server.asked[start:]
            assert {path.split(".")[0] for path in asked} == {f"assets/codecs/{module}"}
            assert len(asked) == (1 if name == "jpeg-lossless" else 2)
    assert [path for path in before if "codecs" in path] == []
    assert len([path for path in before if ".whl." in path]) == 1


@pytest.mark.browser
def test_a_site_without_its_codec_says_what_is_missing(
    driver: Chromium, bundle: Bundle, tmp_path: Path, files: dict[str, bytes]
) -> None:
    site = build_site(bundle, tmp_path / "dist", options=SiteOptions(service_worker=False)).folder
    for path in (site / "assets" / "codecs").glob("codec-charls.wasm*"):
        path.unlink()
    with plain_server(site) as server:
        page = SitePage(driver, server.address)
        page.wait_until_ready()
        error = page.analyse(files["jpeg-ls"], "a")["error"]
        assert error["code"] == "engine-failed"
        assert "JPEG-LS could not be loaded" in error["message"]
        assert page.analyse(files["jpeg-2000"], "b", force=True)["findings"]


@pytest.fixture
def at(standing: Standing, site: Path) -> Iterator[Chromium]:
    yield standing(site).driver
    standing.clear()


@pytest.mark.browser
@pytest.mark.parametrize("coding", ["uncompressed", "jpeg-2000"])
def test_the_card_shows_the_file_as_it_was_shaded(at: Chromium, tmp_path: Path, coding: str) -> None:
    cells = cells_of(256, 224, 12)  # small enough for a stage that shows all of its own pixels
    choose(at, written(tmp_path, "IM000001", whole_files(cells)[coding]))
    card = drawn(cards(at, 1)[0])
    layer(card, "")
    act(card, "actual")
    act(card, "seen")  # nothing is drawn over it any more
    samples, (left, top, width, height) = stage_pixels(canvas(card))
    # PS3.3, C.11.2.1.2.1, of the window around 2048, 3584 wide.
    luma = (255 * ((cells - 2047.5) / 3583 + 0.5) + 0.5).clip(0, 255) // 1
    assert (width, height) == (224, 256)
    assert samples[top : top + height, left : left + width, 0].tolist() == luma.tolist()
    assert "window around 2048" in card.text


@pytest.mark.browser
def test_a_dicomdir_is_named_as_one(at: Chromium, folder: Path) -> None:
    choose(at, folder / "DICOMDIR")
    (card,) = cards(at, 1)
    assert "This is a DICOMDIR, the table of contents of a DICOM medium" in card.text
