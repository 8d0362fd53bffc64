"""Several threads where the page is isolated: the same results; one where they do not start, or are not wanted."""

import base64
import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest

from sitegen.browser.chromium import Chromium, chromium
from sitegen.browser.page import SitePage
from sitegen.bundle import Bundle
from sitegen.prediction import Predictor
from tests.helpers.browser.patience import IMPATIENT, be_patient
from tests.helpers.browser.support import encoded, opened

pytestmark = pytest.mark.browser

# Gives the engine's threads another program than theirs, which never answers.
SILENT = base64.b64encode(gzip.compress(b"// nothing", mtime=0)).decode()
SILENT_THREADS = f"""
{IMPATIENT}
const Original = window.Worker;
window.Worker = class extends Original {{
  postMessage(message, ...rest) {{
    const silent = Uint8Array.from(atob("{SILENT}"), (letter) => letter.charCodeAt(0));
    if (message.assets) message.assets["ort-thread.mjs"] = silent.buffer;
    super.postMessage(message, [...Object.values(message.assets ?? {{}})]);
  }}
}};
"""


@pytest.fixture(scope="module")
def machine() -> Iterator[Chromium]:
    """A browser on a machine of four processors, where a page is to use two threads."""
    with chromium() as driver:
        be_patient(driver)
        driver.execute_cdp_cmd("Emulation.setHardwareConcurrencyOverride", {"hardwareConcurrency": 4})
        yield driver


def test_two_threads_compute_what_python_computes(
    machine: Chromium, shipped_site: Path, shipped_bundle: Bundle
) -> None:
    data = encoded("JPEG", seed=3, size=600)
    with opened(machine, shipped_site, "http") as page:
        two = page.analyse(data, "a.jpg", force=True)
    with opened(machine, shipped_site, "file") as page:
        one = page.analyse(data, "a.jpg", force=True)
    python = Predictor(shipped_bundle).analyse(data, "a.jpg", force=True).document
    assert (two["engine"]["threads"], one["engine"]["threads"]) == (2, 1)
    assert two["tensors"] == one["tensors"] == python["tensors"]
    assert two["gate"]["score"] == pytest.approx(python["gate"]["score"], abs=1e-6)
    for ours, theirs, reference in zip(two["findings"], one["findings"], python["findings"], strict=True):
        assert ours["probability"] == pytest.approx(reference["probability"], abs=1e-5)
        assert ours["probability"] == pytest.approx(theirs["probability"], abs=1e-6)


@pytest.mark.parametrize(("processors", "threads"), [(1, 1), (2, 1), (3, 2), (16, 4)])
def test_half_of_the_processors_and_four_at_most(machine: Chromium, site: Path, processors: int, threads: int) -> None:
    machine.execute_cdp_cmd("Emulation.setHardwareConcurrencyOverride", {"hardwareConcurrency": processors})
    try:
        with opened(machine, site, "http") as page:
            document = page.analyse(encoded(), "a.png", force=True)
    finally:
        machine.execute_cdp_cmd("Emulation.setHardwareConcurrencyOverride", {"hardwareConcurrency": 4})
    assert document["engine"] == {"runtime": "pyodide", "provider": "wasm", "threads": threads}


def test_threads_that_do_not_start_leave_one(machine: Chromium, site: Path) -> None:
    added = machine.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": SILENT_THREADS})
    try:
        with opened(machine, site, "http") as page:
            document = page.analyse(encoded(), "a.png", force=True)
            note = machine.find_element("id", "engine-note")
            assert note.is_displayed()
            assert note.text.startswith("Several threads could not be started")
    finally:
        machine.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)
    assert document["findings"]
    assert document["engine"]["threads"] == 1


def test_a_person_can_choose_one_thread(machine: Chromium, site: Path) -> None:
    with opened(machine, site, "http") as page:
        assert page.analyse(encoded(), "a.png", force=True)["engine"]["threads"] == 2
        assert page.configure(threads="one")["threads"] == 1
        again = SitePage(machine, page.url)
        again.wait_until_ready()
        assert again.analyse(encoded(), "a.png", force=True)["engine"]["threads"] == 1
