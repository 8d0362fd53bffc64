"""The worker can die, hang and be cancelled; the page goes on with another."""

import base64
import contextlib
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sitegen.browser.chromium import Chromium
from sitegen.browser.page import SitePage
from sitegen.bundle import Bundle
from sitegen.prediction import Predictor
from tests.helpers.browser.support import Standing, encoded, opened

pytestmark = pytest.mark.browser

ANALYSE = """
const [text, when, done] = arguments;
const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
const controller = new AbortController();
const stages = [];
const onProgress = ({stage}) => { stages.push(stage); if (stage === when) interrupt(); };
const interrupt = () => { __ACTION__ };
if (when === "before") interrupt();
window.sitegen.analyse(new Blob([bytes]), {name: "a.png", signal: controller.signal, onProgress}).then(
  (document) => done({document, stages, workers: caughtWorkers.length}),
  (error) => done({code: error.code, result: error.result, stages, workers: caughtWorkers.length}));
if (when === "at once") interrupt();
"""


@pytest.fixture
def caught(catching: Chromium, site: Path) -> Iterator[SitePage[Chromium]]:
    with opened(catching, site) as page:
        yield page


def interrupted(page: SitePage[Chromium], action: str, when: str) -> dict[str, Any]:
    script = ANALYSE.replace("__ACTION__", action)
    answer: dict[str, Any] = page.driver.execute_async_script(script, base64.b64encode(encoded()).decode(), when)
    return answer


@pytest.mark.parametrize("when", ["before", "pixels", "classifier"])
def test_a_killed_worker_is_replaced_and_the_image_done(caught: SitePage[Chromium], when: str) -> None:
    # Killed once: the flag stops the second attempt from killing again.
    answer = interrupted(caught, "if (!window.killed) { window.killed = true; caughtWorkers[0].terminate(); }", when)
    assert answer["document"]["findings"]
    assert answer["workers"] == 2
    assert caught.analyse(encoded(seed=1), "next.png")["findings"]


def test_an_error_event_replaces_the_worker_at_once(caught: SitePage[Chromium]) -> None:
    once = "if (!window.killed) { window.killed = true; caughtWorkers[0].dispatchEvent(new ErrorEvent('error')); }"
    answer = interrupted(caught, once, "gate")
    assert answer["document"]["findings"]
    assert answer["workers"] == 2


def test_an_image_that_kills_twice_is_given_up_and_others_follow(caught: SitePage[Chromium], bundle: Bundle) -> None:
    kill = "caughtWorkers.at(-1).dispatchEvent(new ErrorEvent('error', {message: 'out of memory'}));"
    answer = interrupted(caught, kill, "pixels")
    assert answer["code"] == "engine-failed"
    assert answer["result"]["error"]["code"] == "engine-failed"
    assert "out of memory" in answer["result"]["error"]["message"]
    assert answer["workers"] == 3
    # The page's own error document, made without Python, is like Python's for a file that cannot be read.
    pythons = Predictor(bundle).predict(Path("missing.png"))
    assert set(answer["result"]) == set(pythons)
    assert answer["result"]["image"] == pythons["image"] | {"name": "a.png"}
    assert answer["result"]["bundle"] == pythons["bundle"]
    assert answer["result"]["engine"] == {"runtime": "pyodide", "provider": "wasm", "threads": 1}
    assert caught.analyse(encoded(), "next.png")["findings"]


@pytest.mark.parametrize("when", ["at once", "pixels", "gate", "classifier"])
def test_cancel_arrives_at_every_stage(standing_catching: Standing, site: Path, when: str) -> None:
    page = standing_catching(site)
    answer = interrupted(page, "controller.abort();", when)
    assert answer["code"] == "cancelled"
    assert answer["result"]["error"]["code"] == "cancelled"
    assert "findings" not in answer["result"]
    assert answer["workers"] == 1
    assert page.analyse(encoded(), "next.png")["findings"]


def test_cancel_is_answered_before_a_worker_obeys(standing_catching: Standing, site: Path) -> None:
    """It may be within one long step of a large file, which hears nothing; then it is replaced, and others follow."""
    page = standing_catching(site)
    answer = interrupted(page, "caughtWorkers[0].onmessage = null; controller.abort();", "pixels")
    assert (answer["code"], answer["workers"]) == ("cancelled", 1)
    assert page.analyse(encoded(), "next.png")["findings"]
    assert page.driver.execute_script("return caughtWorkers.length") == 2


def test_a_signal_that_was_aborted_before_runs_nothing(standing_catching: Standing, site: Path) -> None:
    answer = interrupted(standing_catching(site), "controller.abort();", "before")
    assert (answer["code"], answer["stages"]) == ("cancelled", [])


def test_stages_are_reported_in_order(standing_catching: Standing, site: Path) -> None:
    answer = interrupted(standing_catching(site), "", "never")
    stages = list(dict.fromkeys(answer["stages"]))
    assert stages == ["check", "pixels", "gate", "classifier", "done"]


def test_many_calls_at_once_are_answered_each_with_its_own_image(standing: Standing, site: Path) -> None:
    script = """
    const [texts, done] = arguments;
    const blobs = texts.map((text) => new Blob([Uint8Array.from(atob(text), (c) => c.charCodeAt(0))]));
    Promise.allSettled(blobs.map((blob, index) => sitegen.analyse(blob, {name: `image ${index}`}))).then((answers) =>
      done(answers.map(({value, reason}) => value ?? reason.result)));
    """
    files = [encoded(seed=1), b"broken", encoded("JPEG", seed=2), encoded(seed=1)[:-500], encoded("WEBP", seed=3)]
    driver = standing(site).driver
    documents = driver.execute_async_script(script, [base64.b64encode(data).decode() for data in files])
    assert [document["image"]["name"] for document in documents] == [f"image {index}" for index in range(5)]
    assert [document["image"]["sha256"] for document in documents] == [hashlib.sha256(f).hexdigest() for f in files]
    codes = [document.get("error", {}).get("code") for document in documents]
    assert codes == [None, "unsupported-type", None, "damaged-image", None]


def test_the_page_is_never_blocked(standing: Standing, site: Path) -> None:
    script = """
    const [text, done] = arguments;
    const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    let ticks = 0;
    const timer = setInterval(() => ticks++, 5);
    window.sitegen.analyse(new Blob([bytes]), {name: "a.png"}).then(() => { clearInterval(timer); done(ticks); });
    """
    driver = standing(site).driver
    assert driver.execute_async_script(script, base64.b64encode(encoded(size=1024)).decode()) >= 2


@contextlib.contextmanager
def booted(driver: Chromium, otherwise: str) -> Iterator[None]:
    """Let pages start their workers with other settings than the site's."""
    source = {"source": f"window.bootOtherwise = {otherwise};"}
    added = driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", source)
    yield
    driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)


def test_python_starts_without_its_snapshot_too(catching: Chromium, site: Path) -> None:
    """Where a browser cannot restore the snapshot, the standard library and the runtime's wheel serve."""
    with booted(catching, "{snapshot: false}"), opened(catching, site) as page:
        assert page.analyse(encoded(), "a.png")["findings"]


def test_the_page_decodes_where_the_worker_cannot(catching: Chromium, site: Path) -> None:
    """WebKit's workers cannot read Blobs on file://."""
    with opened(catching, site) as page:
        theirs = [page.analyse(encoded(kind), "a", force=True) for kind in ("PNG", "JPEG", "WEBP")]
    with booted(catching, "{decoder: 'page'}"), opened(catching, site) as page:
        ours = [page.analyse(encoded(kind), "a", force=True) for kind in ("PNG", "JPEG", "WEBP")]
        assert page.analyse(encoded("JPEG")[:-300], "cut.jpg")["error"]["code"] == "damaged-image"
    assert [document["tensors"] for document in ours] == [document["tensors"] for document in theirs]


def test_after_a_worker_that_could_not_be_replaced_the_next_image_tries_again(caught: SitePage[Chromium]) -> None:
    # The replacement's start fails, as it does where memory is short; the image is answered all the same.
    fail = "window.bootOtherwise = {lock: '{}', snapshot: false};"
    once = "if (!window.killed) { window.killed = true; caughtWorkers[0].terminate(); }"
    answer = interrupted(caught, fail + once, "gate")
    assert answer["code"] == "engine-failed"
    assert caught.driver.find_element("id", "failure").is_displayed()
    caught.driver.execute_script("window.bootOtherwise = undefined;")
    assert caught.analyse(encoded(), "next.png")["findings"]
    assert not caught.driver.find_element("id", "failure").is_displayed()
    assert caught.driver.find_element("id", "status").text.startswith("Ready")
