"""A stick with a flipped bit, a missing file, a page opened inside a ZIP: each gets a message that says what to do."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from sitegen.browser.chromium import Chromium, chromium
from sitegen.browser.page import SitePage, site_address
from sitegen.errors import BrowserError
from tests.helpers.browser.plain_server import plain_server

pytestmark = pytest.mark.browser

KINDS = [
    "worker.js",
    "pyodide.asm.wasm",
    "python_stdlib.zip",
    "sitegen_runtime",
    "snapshot.bin",
    "ort-wasm-simd-threaded.wasm",
    "bundle.json",
    "classifier.onnx",
    "classifier.weights",
    "gate.onnx",
    "gate.weights",
]


@pytest.fixture
def copy(site: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(site, tmp_path / "copy"))


def asset(site: Path, kind: str) -> Path:
    (found,) = (path for path in (site / "assets").rglob("*.js") if path.name.startswith(kind))
    return found


def name_of(site: Path, path: Path) -> str:
    return path.relative_to(site).as_posix()


def failure(driver: Chromium, site: Path, transport: str = "file") -> str:
    with site_address(site, transport) as url:
        page = SitePage(driver, url)
        with pytest.raises(BrowserError):
            page.wait_until_ready()
        shown = driver.find_element("id", "failure")
        assert shown.is_displayed()
        assert driver.find_element("id", "status").text == "This page could not start."
        return str(shown.text)


def flip_a_character(text: bytes) -> bytes:
    middle = len(text) // 2
    other = b"A" if text[middle : middle + 1] != b"A" else b"B"
    return text[:middle] + other + text[middle + 1 :]


def drop_a_byte(text: bytes) -> bytes:
    middle = len(text) // 2
    return text[:middle] + text[middle + 1 :]


def cut_in_half(text: bytes) -> bytes:
    return text[: len(text) // 2]


@pytest.mark.parametrize("kind", KINDS)
def test_a_cut_byte_is_named(driver: Chromium, copy: Path, kind: str) -> None:
    path = asset(copy, kind)
    path.write_bytes(drop_a_byte(path.read_bytes()))
    message = failure(driver, copy)
    assert f"The file {name_of(copy, path)} is damaged." in message
    assert "copy the whole folder again" in message


@pytest.mark.parametrize("damage", [flip_a_character, cut_in_half, lambda text: b"", lambda text: b"%" + text])
def test_other_damage_is_named(driver: Chromium, copy: Path, damage: Callable[[bytes], bytes]) -> None:
    path = asset(copy, "classifier.weights")
    path.write_bytes(damage(path.read_bytes()))
    assert f"{name_of(copy, path)} is damaged" in failure(driver, copy)


def test_a_script_with_something_added_does_not_run_where_a_server_gives_it(driver: Chromium, copy: Path) -> None:
    path = asset(copy, "gate.weights")
    path.write_bytes(path.read_bytes() + b"window.added = true;\n")  # what is packed in it stays as it was
    assert f"The file {name_of(copy, path)} is damaged." in failure(driver, copy, "http")
    assert driver.execute_script("return window.added") is None
    with site_address(copy, "file") as url:  # docs/security.md says so: no browser holds scripts of a disk to a hash
        page = SitePage(driver, url)
        page.wait_until_ready()
        assert driver.execute_script("return window.added") is True


@pytest.mark.parametrize("transport", ["file", "http"])
def test_a_missing_file_is_named(driver: Chromium, copy: Path, transport: str) -> None:
    path = asset(copy, "gate.onnx")
    path.unlink()
    message = failure(driver, copy, transport)
    assert f"The file {name_of(copy, path)} is missing." in message
    assert ("ZIP" in message) == (transport == "file")


def test_a_page_opened_inside_a_zip_says_extract_first(driver: Chromium, site: Path, tmp_path: Path) -> None:
    # Where Windows unpacks the one file that was clicked in a compressed folder.
    folder = tmp_path / "Temp1_my page.zip"
    folder.mkdir()
    for name in ("index.html", "manifest.json"):
        shutil.copy(site / name, folder / name)
    message = failure(driver, folder)
    assert "opened inside a ZIP file" in message
    assert "Extract first" in message


def test_an_index_whose_program_was_changed_does_not_run(driver: Chromium, copy: Path) -> None:
    index = copy / "index.html"
    index.write_text(index.read_text("utf-8").replace('"use strict";', '"use strict"; ', 1), "utf-8")
    with site_address(copy, "file") as url:
        driver.get(url)
        assert driver.execute_script("return typeof window.sitegen") == "undefined"
        assert "the copy is damaged" in driver.find_element("id", "status").text


def test_without_web_crypto_the_kept_sha256_checks(site: Path, copy: Path) -> None:
    """On plain http away from this machine, browsers offer no SHA-256 of their own."""
    with chromium("--host-resolver-rules=MAP intranet.example 127.0.0.1") as driver, plain_server(site) as server:
        address = server.address.replace("127.0.0.1", "intranet.example")
        page = SitePage(driver, address)
        assert driver.execute_script("return [isSecureContext, typeof crypto.subtle]") == [False, "undefined"]
        page.wait_until_ready()
        assert page.analyse(b"", "empty.png")["error"]["code"] == "damaged-image"
        path = asset(copy, "classifier.onnx")
        path.write_bytes(flip_a_character(path.read_bytes()))
        with plain_server(copy) as damaged:
            page = SitePage(driver, damaged.address.replace("127.0.0.1", "intranet.example"))
            with pytest.raises(BrowserError, match=f"{name_of(copy, path)} is damaged"):
                page.wait_until_ready()


def test_a_browser_that_alters_pixels_is_not_used(site: Path) -> None:
    """Some browsers add noise to what pages read from a canvas, so that pages cannot recognise them."""
    noisy = """
    const read = OffscreenCanvasRenderingContext2D.prototype.getImageData;
    OffscreenCanvasRenderingContext2D.prototype.getImageData = function (...area) {
      const pixels = read.apply(this, area);
      pixels.data[5] ^= 1;
      return pixels;
    };
    """
    spoil = f"""
    const Original = window.Blob;
    window.Blob = class extends Original {{
      constructor(parts, options) {{
        super(options?.type === "text/javascript" ? [{noisy!r}, ...parts] : parts, options);
      }}
    }};
    """
    with chromium() as driver:
        driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": spoil})
        message = failure(driver, site)
    assert "changes the pixels that pages read" in message
