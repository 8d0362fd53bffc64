"""Networks on a graphics card, here Chromium's software adapter: loaded only where it serves, compared before it
is used, and left for WebAssembly when anything goes wrong.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from sitegen.browser.chromium import Chromium, chromium
from sitegen.browser.page import SitePage
from sitegen.bundle import Bundle
from sitegen.prediction import Predictor
from sitegen.site import build_site
from sitegen_runtime import golden
from tests.helpers.browser.engine_page import SOFTWARE_ADAPTER
from tests.helpers.browser.support import encoded, opened
from tests.helpers.browser.webgpu_support import meddling

pytestmark = pytest.mark.browser

WEBGPU_FILES = "/assets/webgpu/"


@pytest.fixture(scope="module")
def software() -> Iterator[Chromium]:
    with chromium(SOFTWARE_ADAPTER) as driver:
        yield driver


@pytest.fixture
def page(software: Chromium, golden_site: Path) -> Iterator[SitePage[Chromium]]:
    with opened(software, golden_site) as started:
        yield started
        started.configure(provider="auto", threads="auto", memory="auto")  # which the browser keeps


def webgpu_bytes(page: SitePage[Chromium], site: Path) -> int:
    """How many bytes of what only graphics cards need the page has asked for."""
    names = {request.split(WEBGPU_FILES)[1] for request in page.requests() if WEBGPU_FILES in request}
    return sum((site / "assets" / "webgpu" / name).stat().st_size for name in names)


def test_where_there_is_no_card_nothing_for_it_is_loaded(driver: Chromium, golden_site: Path) -> None:
    driver.get_log("performance")
    with opened(driver, golden_site) as page:
        assert page.analyse(encoded(), "a.png")["engine"]["provider"] == "wasm"
        assert webgpu_bytes(page, golden_site) == 0
    assert sum(path.stat().st_size for path in (golden_site / "assets" / "webgpu").iterdir()) > 8_000_000


def test_a_card_in_software_is_used_only_where_it_was_chosen(page: SitePage[Chromium], golden_site: Path) -> None:
    assert page.configure() == {
        "runtime": "pyodide",
        "provider": "wasm",
        "threads": 1,
        "lowMemory": False,
        "compared": [],
    }
    assert webgpu_bytes(page, golden_site) == 0
    assert page.configure(provider="webgpu")["provider"] == "webgpu"
    assert webgpu_bytes(page, golden_site) > 8_000_000


def test_every_network_is_compared_and_then_gives_pythons_numbers(
    page: SitePage[Chromium], golden_bundle: Bundle
) -> None:
    found = page.configure(provider="webgpu")
    assert [verdict["role"] for verdict in found["compared"]] == ["classifier", "gate"]
    for verdict in found["compared"]:
        assert verdict["problem"] is None
        assert verdict["differences"]
        assert all(value <= golden.tolerance(name) for name, value in verdict["differences"].items())
    wanted = [{"finding": "Pneumonia", "method": method} for method in ("saliency", "grad-cam", "guided-grad-cam")]
    data = encoded(seed=3)
    ours = page.analyse(data, "a.png", explain=wanted, values=True)
    theirs = Predictor(golden_bundle).explain(data, wanted, name="a.png", values=True).document
    assert ours["engine"] == {"runtime": "pyodide", "provider": "webgpu", "threads": 1}
    assert ours["tensors"] == theirs["tensors"]
    assert ours["gate"]["score"] == pytest.approx(theirs["gate"]["score"], abs=golden.SCORE_TOLERANCE)
    for mine, reference in zip(ours["findings"], theirs["findings"], strict=True):
        assert mine["logit"] == pytest.approx(
            reference["logit"], rel=golden.LOGIT_TOLERANCE, abs=golden.LOGIT_TOLERANCE
        )
    for drawn, expected in zip(ours["explanations"], theirs["explanations"], strict=True):
        assert golden.difference("map", drawn["values"], expected["values"]) <= golden.MAP_TOLERANCE, drawn["method"]


ALTERED = "(results) => { if ('%s' in results) results['%s'].data[0] += 0.5; }"


def test_a_network_that_is_wrong_on_the_card_is_caught(software: Chromium, golden_site: Path) -> None:
    with meddling(software, ALTERED % ("logits", "logits")), opened(software, golden_site) as page:
        found = page.configure(provider="webgpu")
        document = page.analyse(encoded(), "a.png")
        note = software.find_element("id", "engine-note")
        assert note.is_displayed()
        assert document["engine"]["note"] == note.text
        page.configure(provider="auto")
    assert found["provider"] == document["engine"]["provider"] == "wasm"
    assert "the network 'classifier' differs on the graphics card: logits by" in note_of(document)
    assert document["findings"]


def note_of(document: Mapping[str, Any]) -> str:
    engine = document["engine"]
    assert isinstance(engine, dict)
    return str(engine["note"])


def test_a_map_that_is_wrong_on_the_card_is_made_without_it(
    software: Chromium, golden_site: Path, golden_bundle: Bundle
) -> None:
    wanted, data = [{"finding": "Pneumonia", "method": "saliency"}], encoded(seed=4)
    with meddling(software, ALTERED % ("grad_image", "grad_image")), opened(software, golden_site) as page:
        assert page.configure(provider="webgpu")["provider"] == "webgpu"  # the networks of the start are good
        document = page.analyse(data, "a.png", explain=wanted, values=True)
        page.configure(provider="auto")
    assert document["engine"]["provider"] == "wasm"
    assert "the network 'gradient' differs" in note_of(document)
    theirs = Predictor(golden_bundle).explain(data, wanted, name="a.png", values=True).document
    (ours,), (reference,) = document["explanations"], theirs["explanations"]
    assert golden.difference("map", ours["values"], reference["values"]) <= 1e-4


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            "async (results, run) => { if (run === 3) (await ort.env.webgpu.device).destroy(); }",
            "the graphics card was lost",
        ),
        ("(results, run) => { if (run === 3) throw new Error('a kernel failed'); }", "a kernel failed"),
    ],
)
def test_a_card_that_is_lost_is_done_without(
    software: Chromium, golden_site: Path, golden_bundle: Bundle, change: str, reason: str
) -> None:
    data = encoded(seed=5)
    with meddling(software, change), opened(software, golden_site) as page:
        # Two runs compare the networks of the start; the third is the image's.
        assert page.configure(provider="webgpu")["provider"] == "webgpu"
        document = page.analyse(data, "a.png")
        following = page.analyse(encoded(seed=6), "b.png")
        note = software.find_element("id", "engine-note").text
        page.configure(provider="auto")
    theirs = Predictor(golden_bundle).analyse(data, "a.png").document
    assert [finding["logit"] for finding in document["findings"]] == pytest.approx(
        [finding["logit"] for finding in theirs["findings"]], abs=1e-5
    )
    assert document["engine"]["provider"] == following["engine"]["provider"] == "wasm"
    assert reason in note_of(document)
    assert note == note_of(document)


def test_without_its_files_the_page_does_without_webgpu(
    software: Chromium, golden_bundle: Bundle, tmp_path: Path
) -> None:
    site = build_site(golden_bundle, tmp_path / "dist").folder
    for path in (site / "assets" / "webgpu").iterdir():
        path.unlink()
    with opened(software, site) as page:
        assert page.configure(provider="webgpu")["provider"] == "wasm"
        assert "is missing" in note_of(page.analyse(encoded(), "a.png"))
        page.configure(provider="auto")


def test_without_a_golden_image_the_page_does_without_webgpu(software: Chromium, site: Path) -> None:
    with opened(software, site) as page:
        assert page.configure(provider="webgpu")["provider"] == "wasm"
        assert "without a golden image" in software.find_element("id", "engine-note").text
        page.configure(provider="auto")
