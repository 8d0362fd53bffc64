"""Several models in one page: chosen there or by name, loaded when first used, one in memory at a time."""

import base64
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from sitegen.browser.chromium import Chromium, chromium
from sitegen.browser.page import SitePage, site_address
from sitegen.bundle import Bundle
from sitegen.prediction import Predictor
from sitegen.site import build_site
from sitegen.site.weight_layout import PLANES
from tests.helpers.browser.map_support import LISTEN, coloured, map_canvas, open_map, pixels, set_range, settled
from tests.helpers.browser.several import OTHER, TITLE, WITH_TOOLS, make_other
from tests.helpers.browser.support import cards, choose, encoded, opened, written

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return make_other(tmp_path_factory.mktemp("other-bundle") / "other")


@pytest.fixture(scope="module")
def two(bundle: Bundle, other: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of two models."""
    return build_site([bundle, other], tmp_path_factory.mktemp("two") / "dist").folder


@pytest.fixture(scope="module")
def watched() -> Iterator[Chromium]:
    """A browser whose workers tell how many sessions live in them."""
    with chromium() as driver:
        driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": WITH_TOOLS})
        yield driver


@pytest.fixture
def page(watched: Chromium, two: Path) -> Iterator[SitePage[Chromium]]:
    """The page, opened anew."""
    watched.get_log("performance")
    with opened(watched, two) as started:
        yield started


@pytest.fixture(scope="module")
def shared(two: Path) -> Iterator[SitePage[Chromium]]:
    """A page that several tests ask in turn, without doing anything to its documents."""
    with chromium() as driver, opened(driver, two) as started:
        yield started


def loaded(page: SitePage[Chromium]) -> list[str]:
    """The files of the other model that were asked for since the last call."""
    names = (request.rpartition("/")[2] for request in page.requests() if f"/{OTHER}/" in request)
    return sorted(name.removesuffix(".js").rpartition(".")[0].removesuffix(PLANES) for name in names)


def choose_model(driver: Chromium, name: str) -> None:
    driver.find_element(By.CSS_SELECTOR, f"input[name=model][value={name}]").click()


def wait_until_loaded(driver: Chromium) -> None:
    """Wait until the model that was chosen just now is there, after an image that the status spoke of."""
    status = driver.find_element(By.ID, "status")
    WebDriverWait(driver, 30).until(lambda _: status.text.startswith("Ready"))


def test_nothing_of_the_other_model_is_loaded_until_it_is_asked_for(page: SitePage[Chromium], other: Bundle) -> None:
    assert page.analyse(encoded(), "a.png")["bundle"]["name"] == "test-model"
    assert loaded(page) == []
    document = page.analyse(encoded(), "a.png", force=True, bundle=OTHER)
    assert document["bundle"] == {"name": OTHER, "version": "1.0", "sha256": other.model.sha256}
    all_files = sorted(["bundle.json", *(name for name in other.description.files if name != "card.md")])
    shared = {"gate.onnx", "gate.weights"}  # which are those of the first model, and there already
    assert loaded(page) == [name for name in all_files if name not in shared]
    page.analyse(encoded(), "a.png", bundle=OTHER)
    assert loaded(page) == []


def test_each_model_gives_what_python_gives_in_any_order(
    shared: SitePage[Chromium], bundle: Bundle, other: Bundle
) -> None:
    predictors = {"test-model": Predictor(bundle), OTHER: Predictor(other)}
    for seed, name in enumerate(["test-model", OTHER, OTHER, "test-model", OTHER]):
        ours = shared.analyse(encoded(seed=seed), "a.png", force=True, bundle=name)
        expected = predictors[name].analyse(encoded(seed=seed), "a.png", force=True).document
        assert ours["tensors"] == expected["tensors"]
        assert [finding["label"] for finding in ours["findings"]] == [each["label"] for each in expected["findings"]]
        for finding, theirs in zip(ours["findings"], expected["findings"], strict=True):
            assert finding["probability"] == pytest.approx(theirs["probability"], abs=1e-5)


def test_jobs_that_wait_together_each_reach_their_model(shared: SitePage[Chromium]) -> None:
    script = """
    const [text, done] = arguments;
    const blob = new Blob([Uint8Array.from(atob(text), (character) => character.charCodeAt(0))]);
    Promise.all(["other-model", undefined, "other-model", "test-model"].map((bundle, index) =>
      sitegen.analyse(blob, {bundle, name: `image ${index}`}))).then(done);
    """
    documents = shared.driver.execute_async_script(script, base64.b64encode(encoded()).decode())
    assert [document["bundle"]["name"] for document in documents] == [OTHER, "test-model", OTHER, "test-model"]
    assert [document["image"]["name"] for document in documents] == [f"image {index}" for index in range(4)]


def test_memory_holds_the_sessions_of_one_model(page: SitePage[Chromium]) -> None:
    for name in (OTHER, "test-model", OTHER):
        page.analyse(encoded(), "a.png", force=True, bundle=name)
    script = "return [window.live, window.caughtWorkers.length]"
    counts, workers = page.driver.execute_script(script)
    assert workers == 1
    assert max(counts) == 2  # classifier and gate
    assert counts.count(0) == 3  # all were released before those of the other model were made


def test_the_page_says_which_models_there_are(shared: SitePage[Chromium], bundle: Bundle, other: Bundle) -> None:
    bundles = shared.driver.execute_script("return sitegen.bundles")
    assert bundles == [
        {
            "name": each.description.name,
            "version": "1.0",
            "sha256": each.model.sha256,
            "title": each.description.title,
            "labels": [label.name for label in each.description.labels],
        }
        for each in (bundle, other)
    ]
    assert shared.driver.execute_script(
        "return Object.isFrozen(sitegen.bundles) && Object.isFrozen(sitegen.bundles[0])"
    )
    ready = shared.driver.execute_async_script("sitegen.ready.then(arguments[0])")
    assert ready == {"bundle": bundles[0] | {}, "labels": bundles[0]["labels"]} | {
        "bundle": {key: bundles[0][key] for key in ("name", "version", "sha256")}
    }


def test_a_name_that_is_not_there(shared: SitePage[Chromium]) -> None:
    script = (
        "sitegen.analyse(new Blob(['x']), {bundle: 'none'}).catch((error) => arguments[0]([error.name, error.message]))"
    )
    kind, message = shared.driver.execute_async_script(script)
    assert kind == "RangeError"
    assert message == f"This page has no bundle none, only test-model, {OTHER}."


def test_gradients_come_from_the_model_that_is_named(shared: SitePage[Chromium], other: Bundle) -> None:
    script = """
    const [text, done] = arguments;
    const blob = new Blob([Uint8Array.from(atob(text), (character) => character.charCodeAt(0))]);
    sitegen.gradient(blob, {seed: {Nodule: 1}, force: true, bundle: "other-model"}).then(
      ({document, values}) => done([document.bundle.name, [...values.gradient]]), (error) => done(error.message));
    """
    name, values = shared.driver.execute_async_script(script, base64.b64encode(encoded()).decode())
    expected = Predictor(other).gradient(encoded(), {"Nodule": 1}, force=True).values["gradient"]
    assert name == OTHER
    assert values == pytest.approx(list(expected), rel=1e-3, abs=1e-6)


def test_cards_say_which_model_judged_and_keep_it(page: SitePage[Chromium], tmp_path: Path) -> None:
    driver = page.driver
    choose(driver, written(tmp_path, "first.png", encoded()))
    cards(driver, 1)
    choose_model(driver, OTHER)
    choose(driver, written(tmp_path, "second.png", encoded(seed=1)))
    second, first = cards(driver, 2)
    assert first.find_element(By.CLASS_NAME, "card-model").text == "Model: Test model"
    assert second.find_element(By.CLASS_NAME, "card-model").text == f"Model: {TITLE}"
    assert "Effusion" in first.text
    assert "Nodule" in second.text
    assert "Effusion" not in second.text


def test_a_refused_image_is_forced_by_the_model_that_refused_it(
    watched: Chromium, other: Bundle, tmp_path: Path
) -> None:
    from tests.helpers.bundles import make_bundle

    strict = make_bundle(tmp_path / "strict", threshold=0.999, labels=("Strict",))
    site = build_site([strict, other], tmp_path / "dist").folder
    with opened(watched, site):
        choose(watched, written(tmp_path, "a.png", encoded()))
        (card,) = cards(watched, 1)
        assert card.get_attribute("data-outcome") == "refused"
        choose_model(watched, OTHER)
        wait_until_loaded(watched)  # buttons move when the bar of progress goes
        card.find_element(By.XPATH, ".//button[contains(., 'Analyse anyway')]").click()
        card.find_element(By.XPATH, ".//button[contains(., 'Yes')]").click()
        WebDriverWait(watched, 20).until(lambda _: card.get_attribute("data-outcome") == "findings")
        assert "Strict" in card.find_element(By.CLASS_NAME, "finding").text


def test_maps_of_an_older_card_come_from_its_own_model(page: SitePage[Chromium], tmp_path: Path) -> None:
    driver = page.driver
    choose_model(driver, OTHER)
    choose(driver, written(tmp_path, "older.png", encoded()))
    (card,) = cards(driver, 1)
    choose_model(driver, "test-model")
    choose(driver, written(tmp_path, "newer.png", encoded(seed=1)))
    cards(driver, 2)
    driver.execute_script(LISTEN)
    section = open_map(card, "Mass")
    view = section.find_element(By.CLASS_NAME, "map-view")
    before = pixels(map_canvas(view))
    assert coloured(before) > 0.02
    # The picture in another look has the fineness of the same model, without a change of networks.
    live = driver.execute_script("return window.live.length")
    set_range(card, "opacity", 20)
    settled(view, before)
    heard = driver.execute_script("return window.heard.filter(({kind, picture}) => kind === 'result' && picture)")
    assert heard[0]["document"]["bundle"]["name"] == OTHER
    assert {(each["picture"]["width"], each["picture"]["height"]) for each in heard} == {
        (heard[0]["picture"]["width"],) * 2
    }
    assert len(heard) >= 2
    assert driver.execute_script("return window.live.length") == live


def test_a_worker_that_dies_is_replaced_and_goes_on_with_the_right_model(page: SitePage[Chromium]) -> None:
    script = """
    const [text, done] = arguments;
    const blob = new Blob([Uint8Array.from(atob(text), (character) => character.charCodeAt(0))]);
    const onProgress = ({stage}) => {
      if (stage === "gate" && caughtWorkers.length === 1) caughtWorkers[0].dispatchEvent(new ErrorEvent("error"));
    };
    sitegen.analyse(blob, {bundle: "other-model", onProgress}).then(
      ({bundle}) => done([bundle.name, caughtWorkers.length]), (error) => done(error.message));
    """
    assert page.driver.execute_async_script(script, base64.b64encode(encoded()).decode()) == [OTHER, 2]


def test_a_model_that_is_only_passed_over_is_not_loaded(page: SitePage[Chromium]) -> None:
    # At once, as no test could press keys: arrow keys choose every model that they pass.
    names = "for (const name of ['other-model', 'test-model']) document.querySelector(`input[value=${name}]`).click();"
    page.driver.execute_script(names)
    page.driver.execute_async_script("setTimeout(arguments[0], 500)")  # later than the page's own timers of 400 ms
    assert loaded(page) == []


def test_the_keyboard_chooses(page: SitePage[Chromium]) -> None:
    driver = page.driver
    reached = []
    for _ in range(3):
        ActionChains(driver).send_keys(Keys.TAB).perform()
        active = driver.switch_to.active_element
        reached.append(active.get_attribute("value") or active.text.split("\n")[0])
    assert reached == ["Skip to results", "How to read a result", "test-model"]
    driver.switch_to.active_element.send_keys(Keys.ARROW_DOWN)
    assert driver.find_element(By.CSS_SELECTOR, f"input[value={OTHER}]").is_selected()
    asked: list[str] = []

    def all_there(_: object) -> bool:
        asked.extend(loaded(page))
        return {"bundle.json", "classifier.onnx", "classifier.weights"} <= set(asked)

    WebDriverWait(driver, 20).until(all_there)
    status = driver.find_element(By.ID, "status")
    WebDriverWait(driver, 20).until(lambda _: status.text.startswith("Ready"))


def test_the_choice_has_names_for_everyone(shared: SitePage[Chromium]) -> None:
    nodes = shared.driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    named = {(node["role"]["value"], node.get("name", {}).get("value")) for node in nodes if not node["ignored"]}
    assert ("group", "Model for the next images") in named
    assert {("radio", "Test model"), ("radio", TITLE)} <= named
    assert ("link", f"Model card of {TITLE}") in named


@pytest.mark.parametrize("width", [390, 1280])
def test_the_choice_does_not_overflow(page: SitePage[Chromium], width: int) -> None:
    driver = page.driver
    metrics = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 600}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        long = "arguments[0].textContent = 'AVeryLongTitleWithoutAnySpaceInIt'.repeat(5)"
        driver.execute_script(long, driver.find_element(By.CSS_SELECTOR, ".model strong"))
        assert driver.execute_script("return document.documentElement.scrollWidth") <= width
    finally:
        driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@pytest.fixture
def damaged(two: Path, tmp_path: Path) -> Path:
    """A copy of the site in which a file of the other model is missing."""
    copy = Path(shutil.copytree(two, tmp_path / "copy"))
    next((copy / "assets" / "bundles" / OTHER).glob("classifier.weights.*")).unlink()
    return copy


def test_a_damaged_model_is_named_and_the_others_work(watched: Chromium, damaged: Path) -> None:
    with opened(watched, damaged) as page:
        answer = page.analyse(encoded(), "a.png", bundle=OTHER)
        assert answer["error"]["code"] == "damaged-site"
        assert answer["bundle"]["name"] == OTHER
        assert "classifier.weights" in answer["error"]["message"]
        choose_model(watched, OTHER)
        shown = watched.find_element(By.ID, "failure")
        WebDriverWait(watched, 20).until(lambda _: shown.is_displayed())
        assert "classifier.weights" in shown.text
        assert watched.find_element(By.ID, "status").text == f"{TITLE} could not be loaded."
        choose_model(watched, "test-model")
        WebDriverWait(watched, 20).until(lambda _: not shown.is_displayed())
        assert page.analyse(encoded(), "a.png")["findings"]


def test_an_image_can_be_cancelled_while_its_model_is_loaded(watched: Chromium, two: Path) -> None:
    script = """
    const controller = new AbortController();
    const stages = [];
    const onProgress = ({stage}) => { stages.push(stage); controller.abort(); };
    sitegen.analyse(new Blob(["x"]), {bundle: "other-model", signal: controller.signal, onProgress}).catch(
      ({code, result}) => arguments[0]([code, result.bundle.name, stages]));
    """
    with site_address(two, "http") as url:
        page = SitePage(watched, url)
        page.wait_until_ready()
        assert watched.execute_async_script(script) == ["cancelled", OTHER, ["bundle"]]
        watched.get("about:blank")


def verify(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sitegen.cli", "verify", "--transport", "file", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


def test_every_model_of_a_site_is_proved(two: Path, bundle: Bundle, other: Bundle, tmp_path: Path) -> None:
    images = tmp_path / "images"
    images.mkdir()
    for kind in ("PNG", "JPEG"):
        written(images, f"a.{kind}", encoded(kind))
    named = ("--bundle", other.folder, "--bundle", bundle.folder)
    done = verify("--site", two, *named, "--images", images, "--json", tmp_path / "report.json")
    assert done.returncode == 0, done.stdout + done.stderr
    report: dict[str, Any] = json.loads((tmp_path / "report.json").read_text())
    assert [entry["name"] for entry in report["bundles"]] == ["test-model", OTHER]
    assert [entry["images"] for entry in report["bundles"]] == [2, 2]
    assert report["transports"] == report["bundles"][0]["transports"]
    assert set(report["bundles"][1]["transports"]["file"]["findings"]) == {"Nodule", "Mass"}
    assert f"{OTHER} 1.0: " in done.stdout


def test_a_model_that_is_not_named_is_wrong_use(two: Path, bundle: Bundle) -> None:
    done = verify("--site", two, "--bundle", bundle.folder)
    assert done.returncode == 2
    assert f"also has the bundle {OTHER} 1.0: name it too" in done.stderr
