"""The built site, from a stick and from a server: what Python computes, and nothing asked of the network."""

from pathlib import Path

import pytest

from sitegen.browser.chromium import Chromium
from sitegen.bundle import Bundle
from sitegen.prediction import Predictor
from tests.helpers.browser.support import Standing, encoded, noise, opened

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("transport", ["file", "http"])
def test_the_shipped_model_gives_pythons_result(
    standing: Standing, shipped_site: Path, shipped_bundle: Bundle, transport: str, kind: str
) -> None:
    data = encoded(kind, seed=3, size=600)
    page = standing(shipped_site, transport)
    ours = page.analyse(data, "a.file", force=True)
    processors = page.driver.execute_script("return navigator.hardwareConcurrency")
    threads = min(4, -(-processors // 2)) if transport == "http" else 1
    theirs = Predictor(shipped_bundle).analyse(data, "a.file", force=True).document
    assert ours["engine"] == {"runtime": "pyodide", "provider": "wasm", "threads": threads}
    assert ours["tensors"] == theirs["tensors"]
    assert set(ours) == set(theirs)
    for key in ("schema", "image", "bundle", "notes"):
        assert ours[key] == theirs[key]
    assert ours["gate"]["score"] == pytest.approx(theirs["gate"]["score"], abs=1e-6)
    for mine, reference in zip(ours["findings"], theirs["findings"], strict=True):
        assert mine["probability"] == pytest.approx(reference["probability"], abs=1e-5)
        assert mine["label"] == reference["label"]
        assert mine["operating_point"] == reference["operating_point"]
    assert set(ours["timings"]) == {"check", "pixels", "gate", "classifier", "total"}


@pytest.mark.parametrize("transport", ["file", "http"])
def test_no_request_leaves_the_site(driver: Chromium, site: Path, transport: str) -> None:
    driver.get_log("performance")
    with opened(driver, site, transport) as page:
        page.analyse(encoded(), "a.png")
        page.analyse(b"not an image", "b.png")
        driver.find_element("id", "example") if driver.find_elements("id", "example") else None
        requests = [request for request in page.requests() if request != "about:blank"]
        home = page.url.rsplit("/", 1)[0] + "/"
    assert len(requests) > 5
    assert [request for request in requests if not request.startswith(home)] == []
    if transport == "file":
        assert [request for request in requests if not request.startswith("file:")] == []


def test_the_policy_stops_connections_of_page_and_worker(driver: Chromium, site: Path) -> None:
    attempt = """
    const done = arguments[0];
    const source = `fetch("http://127.0.0.1:9/").then(() => postMessage("sent"), (e) => postMessage("refused"));`;
    const worker = new Worker(URL.createObjectURL(new Blob([source])));
    const refused = (promise) => promise.then(() => "sent", () => "refused");
    const answer = new Promise((resolve) => (worker.onmessage = (event) => resolve(event.data)));
    const violations = [];
    addEventListener("securitypolicyviolation", (event) => violations.push(event.effectiveDirective));
    Promise.all([refused(fetch("http://127.0.0.1:9/")), answer]).then((answers) => done([...answers, violations]));
    """
    with opened(driver, site, "http"):
        page_answer, worker_answer, violations = driver.execute_async_script(attempt)
    assert (page_answer, worker_answer) == ("refused", "refused")
    assert "connect-src" in violations


def test_nothing_is_reported_on_the_console(driver: Chromium, shipped_site: Path) -> None:
    driver.get_log("browser")
    with opened(driver, shipped_site) as page:
        page.analyse(encoded(), "a.png")
        page.analyse(noise(), "b.png")
        messages = [entry["message"] for entry in driver.get_log("browser") if entry["level"] == "SEVERE"]
    assert messages == []


def test_colour_model_and_model_without_a_gate(driver: Chromium, tmp_path: Path) -> None:
    from sitegen.site import build_site
    from tests.helpers.bundles import make_bundle

    bundle = make_bundle(tmp_path / "bundle", channels=3, gate=False, calibrated=False)
    site = build_site(bundle, tmp_path / "site").folder
    data = encoded("JPEG")
    with opened(driver, site) as page:
        text = driver.find_element("tag name", "footer").text
        ours = page.analyse(data, "a.jpg")
    theirs = Predictor(bundle).analyse(data, "a.jpg").document
    assert "This model has no gate" in text
    assert ours["gate"] is None
    assert ours["tensors"] == theirs["tensors"]
    assert [f["label"] for f in ours["findings"]] == ["Atelectasis", "Pneumonia", "Effusion"]
    for mine, reference in zip(ours["findings"], theirs["findings"], strict=True):
        assert mine["calibrated"] is None
        assert mine["probability"] == pytest.approx(reference["probability"], abs=1e-5)
