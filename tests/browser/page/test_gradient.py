"""Gradients in the page: those of Python, over each transport, cancelled, refused, beside other work."""

import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sitegen.browser.chromium import Chromium
from sitegen.browser.page import SitePage
from sitegen.bundle import Bundle
from sitegen.phantom import phantom
from sitegen.prediction import Predictor
from tests.helpers.browser.several import WITH_TOOLS
from tests.helpers.browser.support import Standing, encoded, gradient, noise, opened, png, relative

pytestmark = pytest.mark.browser

SEED = {"Effusion": 2.0, "Atelectasis": -0.5}


@pytest.fixture
def caught(catching: Chromium, gradient_site: Path) -> Iterator[SitePage[Chromium]]:
    with opened(catching, gradient_site) as page:
        yield page


@pytest.mark.parametrize("transport", ["file", "http"])
def test_a_network_without_kinks_gives_pythons_gradient(
    standing: Standing, gradient_site: Path, gradient_bundle: Bundle, transport: str
) -> None:
    page = standing(gradient_site, transport)
    for seed in range(3):
        data = encoded("JPEG", seed=seed)
        document, values = gradient(page, data, name="a.jpg", seed=SEED, force=True)
        theirs = Predictor(gradient_bundle).gradient(data, SEED, name="a.jpg", force=True)
        assert list(values) == list(theirs.values) == ["gradient", "features", "features-gradient"]
        for role, part in values.items():
            assert relative(part, theirs.values[role]) <= 1e-5, (role, seed)
        assert document["logits"] == pytest.approx(theirs.document["logits"], abs=1e-5)
        assert set(document) == set(theirs.document)
        for key in ("schema", "image", "bundle", "tensors", "seed", "notes"):
            assert document[key] == theirs.document[key]
        assert set(document["timings"]) == {"check", "pixels", "gate", "session", "gradient", "total"}


def test_the_document_describes_the_values_beside_it(standing: Standing, gradient_site: Path) -> None:
    page = standing(gradient_site)
    document, values = gradient(page, encoded(), seed=SEED, force=True)
    for entry in document["gradients"]:
        part = values[entry["role"]]
        assert part.size == np.prod(entry["shape"])
        assert (part.min(), part.max()) == (entry["min"], entry["max"])
        assert hashlib.sha256(part.tobytes()).hexdigest() == entry["sha256"]


def test_the_shipped_model_gives_pythons_gradient(
    standing: Standing, shipped_site: Path, shipped_bundle: Bundle
) -> None:
    """Where the input of a rectifier is within a rounding error of zero, the engines may decide differently."""
    errors = []
    page = standing(shipped_site)
    for seed in range(5):
        data = encoded(seed=seed, size=512)
        document, values = gradient(page, data, seed={"Pneumonia": 1}, force=True)
        theirs = Predictor(shipped_bundle).gradient(data, {"Pneumonia": 1}, force=True)
        assert document["tensors"] == theirs.document["tensors"]
        assert document["logits"]["Pneumonia"] == pytest.approx(theirs.document["logits"]["Pneumonia"], abs=1e-4)
        assert set(values) == {"gradient", "features", "features-gradient"}
        assert relative(values["features"], theirs.values["features"]) <= 1e-4
        errors.append(relative(values["gradient"], theirs.values["gradient"]))
    assert max(errors) <= 5e-2
    assert np.median(errors) <= 1e-3


def test_a_refused_image_resolves_without_values(standing: Standing, gradient_site: Path) -> None:
    page = standing(gradient_site)
    document, values = gradient(page, noise(), seed=SEED)
    assert document["gate"]["accepted"] is False
    assert (document["gradients"], document["logits"], values) == ([], {}, {})
    forced, values = gradient(page, noise(), seed=SEED, force=True)
    assert forced["forced"] is True
    assert values["gradient"].size == 32 * 32


@pytest.mark.parametrize(
    ("seed", "message"),
    [
        (None, "must give a weight"),
        ({}, "must give a weight"),
        ("Effusion", "must give a weight"),
        ({"Mass": 1}, "'Mass', which the model has not"),
        ({"Effusion": "much"}, "weight of 'Effusion' is \"much\""),
    ],
)
def test_what_is_no_seed_is_rejected(standing: Standing, gradient_site: Path, seed: Any, message: str) -> None:
    page = standing(gradient_site)
    document, _ = gradient(page, encoded(), seed=seed)
    assert document["error"]["code"] == "bad-seed"
    assert message in document["error"]["message"]
    assert document["schema"] == "sitegen.gradient/1"


def test_a_weight_that_is_no_number_in_javascript(standing: Standing, gradient_site: Path) -> None:
    script = """
    const done = arguments[0];
    const ask = (options) => sitegen.gradient(new Blob(["x"]), options).then(() => "resolved", (error) => error.code);
    const seeds = [{Effusion: NaN}, {Effusion: Infinity}, {Effusion: undefined}, () => 1, undefined];
    Promise.all([...seeds.map((seed) => ask({seed})), ask()]).then(done);
    """
    page = standing(gradient_site)
    assert page.driver.execute_async_script(script) == ["bad-seed"] * 6


def test_a_site_without_a_gradient_graph(standing: Standing, site: Path) -> None:
    page = standing(site)
    document, _ = gradient(page, encoded(), name="a.png", seed=SEED)
    assert document["error"]["code"] == "missing-network"
    assert document["image"]["name"] == "a.png"
    assert page.analyse(encoded(), "next.png")["findings"]


INTERRUPTED = """
const [text, when, done] = arguments;
const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
const controller = new AbortController();
const stages = [];
const interrupt = () => { __ACTION__ };
const onProgress = ({stage, done}) => { stages.push(stage); if (stage === when) interrupt(); };
const options = {name: "a.png", seed: {Effusion: 1}, signal: controller.signal, onProgress};
if (when === "before") interrupt();
const promise = sitegen.gradient(new Blob([bytes]), options);
if (when === "at once") interrupt();
promise.then(
  ({document, values}) => done({document, stages, size: values.gradient.length, workers: caughtWorkers.length}),
  (error) => done({code: error.code, result: error.result, stages, workers: caughtWorkers.length}));
"""


def interrupted(page: SitePage[Chromium], action: str, when: str) -> dict[str, Any]:
    script = INTERRUPTED.replace("__ACTION__", action)
    answer: dict[str, Any] = page.driver.execute_async_script(script, base64.b64encode(encoded()).decode(), when)
    return answer


def test_stages_are_reported_in_order(caught: SitePage[Chromium]) -> None:
    answer = interrupted(caught, "", "never")
    assert list(dict.fromkeys(answer["stages"])) == ["check", "pixels", "gate", "session", "gradient", "done"]
    assert answer["size"] == 32 * 32


@pytest.mark.parametrize("when", ["before", "at once", "pixels", "gate", "session", "gradient"])
def test_cancel_arrives_at_every_stage(
    standing_catching: Standing, gradient_site: Path, gradient_bundle: Bundle, when: str
) -> None:
    page = standing_catching(gradient_site)
    answer = interrupted(page, "controller.abort();", when)
    assert answer["code"] == "cancelled"
    document = answer["result"]
    assert document["schema"] == "sitegen.gradient/1"
    assert "gradients" not in document
    assert answer["workers"] == 1
    if when in ("before", "at once"):  # the page's own error document, made without Python, is like Python's
        pythons = Predictor(gradient_bundle).gradient(Path("missing.png"), SEED).document
        assert set(document) == set(pythons)
        assert document["image"] == pythons["image"] | {"name": "a.png"}
    assert interrupted(page, "", "never")["size"] == 32 * 32


@pytest.mark.parametrize("when", ["session", "gradient"])
def test_a_killed_worker_is_replaced_and_loads_the_graph_again(caught: SitePage[Chromium], when: str) -> None:
    once = "if (!window.killed) { window.killed = true; caughtWorkers[0].terminate(); }"
    answer = interrupted(caught, once, when)
    assert answer["size"] == 32 * 32
    assert answer["workers"] == 2


def test_an_image_that_kills_twice_is_given_up(caught: SitePage[Chromium]) -> None:
    kill = "caughtWorkers.at(-1).dispatchEvent(new ErrorEvent('error', {message: 'out of memory'}));"
    answer = interrupted(caught, kill, "gradient")
    assert answer["code"] == "engine-failed"
    assert answer["result"]["schema"] == "sitegen.gradient/1"
    assert caught.analyse(encoded(), "next.png")["findings"]


def test_files_that_the_page_cannot_read_again_fail_one_call(caught: SitePage[Chromium]) -> None:
    caught.driver.execute_script(
        """
      const original = Blob.prototype.arrayBuffer;
      Blob.prototype.arrayBuffer = function () {
        if (window.repaired || this.size === window.imageSize) return original.call(this);
        return Promise.reject(new Error("gone"));
      };
      window.imageSize = arguments[0];
    """,
        len(encoded()),
    )
    answer = interrupted(caught, "", "never")
    assert answer["code"] == "engine-failed"
    assert "could not read the network's files again" in answer["result"]["error"]["message"]
    caught.driver.execute_script("window.repaired = true;")
    assert interrupted(caught, "", "never")["size"] == 32 * 32


def test_calls_may_overlap_with_each_other_and_with_analyses(
    standing: Standing, gradient_site: Path, gradient_bundle: Bundle
) -> None:
    script = """
    const [texts, done] = arguments;
    const [first, second] = texts.map((text) => new Blob([Uint8Array.from(atob(text), (c) => c.charCodeAt(0))]));
    const shown = ({document, values}) => ({document, gradient: Array.from(values.gradient)});
    Promise.all([
      sitegen.gradient(first, {name: "0", seed: {Effusion: 1}, force: true}).then(shown),
      sitegen.analyse(second, {name: "1", force: true}),
      sitegen.gradient(second, {name: "2", seed: {Pneumonia: -3}, force: true}).then(shown),
    ]).then(done);
    """
    files = [encoded(seed=1), encoded("JPEG", seed=2)]
    first, analysed, second = standing(gradient_site).driver.execute_async_script(
        script, [base64.b64encode(data).decode() for data in files]
    )
    assert analysed["image"]["sha256"] == hashlib.sha256(files[1]).hexdigest()
    assert analysed["findings"]
    predictor = Predictor(gradient_bundle)
    for answer, data, seed in ((first, files[0], {"Effusion": 1}), (second, files[1], {"Pneumonia": -3})):
        assert answer["document"]["image"]["sha256"] == hashlib.sha256(data).hexdigest()
        theirs = predictor.gradient(data, seed, force=True)
        assert relative(np.array(answer["gradient"]), theirs.values["gradient"]) <= 1e-5


def test_a_corrected_image_has_the_gradient_of_the_upright_one(standing: Standing, gradient_site: Path) -> None:
    upright = phantom(seed=1, size=200)
    page = standing(gradient_site)
    expected, _ = gradient(page, png(upright), seed=SEED, force=True)
    document, _ = gradient(page, png(np.rot90(upright, 2)), seed=SEED, force=True, correction="turn-180")
    assert document["tensors"] == expected["tensors"]
    assert document["gradients"] == expected["gradients"]
    assert document["correction"] == "turn-180"


def test_the_session_is_made_once_and_only_when_asked_for(driver: Chromium, shipped_site: Path) -> None:
    added = driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": WITH_TOOLS})
    try:
        with opened(driver, shipped_site) as page:
            sessions = lambda: driver.execute_script("return window.live.at(-1)")  # noqa: E731
            assert page.analyse(encoded(), "a.png")["findings"]
            before = sessions()
            documents, counts = [], []
            for _ in range(2):
                documents.append(gradient(page, encoded(), seed={"Pneumonia": 1}, force=True)[0])
                counts.append(sessions())
            assert page.analyse(encoded(), "b.png")["findings"]
    finally:
        driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)
    assert documents[0]["gradients"] == documents[1]["gradients"]
    assert counts == [before + 1, before + 1]


def test_nothing_is_asked_of_the_network(driver: Chromium, gradient_site: Path) -> None:
    driver.get_log("performance")
    with opened(driver, gradient_site, "http") as page:
        page.requests()
        gradient(page, encoded(), seed=SEED, force=True)
        assert page.requests() == []
