"""While nobody has given an image yet, the worker analyses a drawn one: unheard, and never in anybody's way."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver.support.wait import WebDriverWait

from sitegen.browser.chromium import Chromium, chromium
from sitegen.browser.page import SitePage
from sitegen.bundle import Bundle
from sitegen.prediction import Predictor
from tests.helpers.browser.support import encoded, opened, written

pytestmark = pytest.mark.browser

# What the worker says besides, of each step of a warm-up and of its end; at the step that is held, it waits for a job.
TOLD = """
const later = self.setTimeout;
const given = async () => { while (isWarmUpWanted) await new Promise((resolve) => later(resolve, 5)); };
if (HELD === "begin") self.setTimeout = (call) => later(() => given().then(call));
const { meet } = WarmUp.prototype;
WarmUp.prototype.meet = async function (request) {
  postMessage({kind: "told", id: -1, step: request.kind});
  if (request.kind === HELD) await given();
  return meet.call(this, request);
};
WarmUp.prototype.follow = async function (session) {
  const end = await Work.prototype.follow.call(this, session);
  postMessage({kind: "told", id: -1, end: end.document});
  return end;
};
"""
LISTENING = f"""
window.steps = [];
window.ends = [];
const Original = window.Blob;
window.Blob = class extends Original {{
  constructor(parts, options) {{
    const held = `const HELD = ${{JSON.stringify(window.held ?? null)}};`;
    super(options?.type === "text/javascript" ? [...parts, held, {json.dumps(TOLD)}] : parts, options);
  }}
}};
const OriginalWorker = window.Worker;
window.Worker = class extends OriginalWorker {{
  constructor(...values) {{
    super(...values);
    this.addEventListener("message", ({{data}}) => {{
      if (data.kind !== "told") return;
      if (data.end) window.ends.push(data.end);
      else window.steps.push(data.step);
    }});
  }}
}};
"""
HAS_STEP = "return window.steps.includes(arguments[0])"
ENDS = "return window.ends.length >= arguments[0] && window.ends"


@pytest.fixture(scope="module")
def driver() -> Iterator[Chromium]:
    with chromium() as started:
        started.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": LISTENING})
        yield started


@pytest.fixture(scope="module")
def tensors(bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> object:
    """The hashes of what the networks are given of the usual image, computed in Python."""
    path = written(tmp_path_factory.mktemp("warming"), "a.png", encoded())
    return Predictor(bundle).predict(path)["tensors"]


@contextlib.contextmanager
def held(driver: Chromium, step: str) -> Iterator[None]:
    """Let the warm-up of pages wait at a step until an image is given."""
    source = {"source": f"window.held = {json.dumps(step)};"}
    script = driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", source)
    yield
    driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)


def awaited(page: SitePage[Chromium], script: str, argument: object) -> Any:
    return WebDriverWait(page.driver, 60, 0.1).until(lambda it: it.execute_script(script, argument))


def test_a_drawn_image_goes_through_every_network_and_leaves_no_trace(
    driver: Chromium, site: Path, tensors: object
) -> None:
    with opened(driver, site) as page:
        documents = awaited(page, ENDS, 2)
        assert [document["image"]["type"] for document in documents] == ["image/jpeg", "image/png"]
        assert all(document["findings"] and document["gate"] for document in documents)
        assert driver.execute_script("return document.querySelectorAll('.card').length") == 0
        assert page.analyse(encoded(), "a.png")["tensors"] == tensors


@pytest.mark.parametrize("step", ["open", "run"])
def test_an_image_ends_the_warm_up_at_its_next_step(driver: Chromium, site: Path, tensors: object, step: str) -> None:
    with held(driver, step), opened(driver, site) as page:
        awaited(page, HAS_STEP, step)
        assert page.analyse(encoded(), "a.png")["tensors"] == tensors
        assert [document["error"]["code"] for document in awaited(page, ENDS, 1)] == ["cancelled"]
        assert page.analyse(encoded(), "again.png")["tensors"] == tensors


def test_who_has_an_image_at_hand_meets_no_warm_up(driver: Chromium, site: Path, tensors: object) -> None:
    with held(driver, "begin"), opened(driver, site) as page:
        for _ in range(2):
            assert page.analyse(encoded(), "a.png")["tensors"] == tensors
        assert driver.execute_script("return [window.steps, window.ends]") == [[], []]
