"""Choosing how networks run, in the page and by its API: another worker, and nothing of the page is lost."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select, WebDriverWait

from sitegen.browser.chromium import Chromium
from sitegen.browser.page import SitePage
from tests.helpers.browser.support import Standing, cards, choose, encoded, opened, written
from tests.helpers.browser.viewer_support import drawn

pytestmark = pytest.mark.browser


@pytest.fixture
def page(catching: Chromium, site: Path) -> Iterator[SitePage[Chromium]]:
    with opened(catching, site) as started:
        yield started
        catching.execute_script("localStorage.clear()")


@pytest.fixture
def unchanged(standing_catching: Standing, site: Path) -> Iterator[SitePage[Chromium]]:
    """The page of an earlier test, in which no other worker was started."""
    page = standing_catching(site)
    yield page
    page.driver.execute_script("localStorage.clear()")


def in_use(page: SitePage[Chromium]) -> str:
    text = page.driver.find_element(By.ID, "engine-running").get_attribute("textContent")
    return str(text)


def workers(page: SitePage[Chromium]) -> int:
    count: int = page.driver.execute_script("return caughtWorkers.length")
    return count


def test_what_runs_is_said_in_words(unchanged: SitePage[Chromium]) -> None:
    assert in_use(unchanged) == "In use: WebAssembly, one thread."
    assert not unchanged.driver.find_element(By.ID, "engine-note").is_displayed()


def test_the_same_choice_again_changes_nothing(unchanged: SitePage[Chromium]) -> None:
    unchanged.configure(provider="wasm")
    unchanged.configure(provider="auto", threads="one")
    assert workers(unchanged) == 1


@pytest.mark.parametrize("choice", ["{provider: 'gpu'}", "{speed: 'fast'}", "{memory: 'title'}"])
def test_settings_that_do_not_exist_are_named(unchanged: SitePage[Chromium], choice: str) -> None:
    script = (
        f"const done = arguments[0]; sitegen.configure({choice}).then(() => done('taken'), (e) => done(String(e)));"
    )
    assert unchanged.driver.execute_async_script(script).startswith("RangeError: The engine has no setting ")
    assert workers(unchanged) == 1


def test_a_choice_in_the_page_starts_another_worker_and_images_stay(page: SitePage[Chromium], tmp_path: Path) -> None:
    choose(page.driver, written(tmp_path, "a.png", encoded()))
    (card,) = cards(page.driver, 1)
    before = drawn(card).text
    page.driver.find_element(By.CSS_SELECTOR, "#engine-settings summary").click()
    Select(page.driver.find_element(By.NAME, "engine-memory")).select_by_visible_text(
        "As little as possible, more slowly"
    )
    WebDriverWait(page.driver, 30).until(
        lambda _: in_use(page) == "In use: WebAssembly, one thread, with little memory."
    )
    assert workers(page) == 2
    choose(page.driver, written(tmp_path, "b.png", encoded(seed=1)))
    assert drawn(cards(page.driver, 2)[1]).text == before


def test_a_choice_is_kept_for_the_next_visit(page: SitePage[Chromium]) -> None:
    assert page.configure(memory="low")["lowMemory"] is True
    page.driver.refresh()
    assert page.configure() == {
        "runtime": "pyodide",
        "provider": "wasm",
        "threads": 1,
        "lowMemory": True,
        "compared": [],
    }
    assert workers(page) == 1  # which began as was chosen
    assert (
        Select(page.driver.find_element(By.NAME, "engine-memory")).first_selected_option.get_attribute("value") == "low"
    )


def test_an_image_that_is_being_analysed_is_analysed_again(page: SitePage[Chromium]) -> None:
    script = """
    const [text, done] = arguments;
    const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    const seen = [];
    const onProgress = ({stage, done}) => {
      if (!seen.length) sitegen.configure({memory: "low"});
      seen.push([stage, done]);
    };
    sitegen.analyse(new Blob([bytes]), {onProgress}).then(
      (document) => done({document, seen}), (error) => done({error: error.message}));
    """
    answer = page.driver.execute_async_script(script, base64.b64encode(encoded(seed=2)).decode())
    assert answer["document"]["findings"]
    assert answer["seen"].count(["check", 0]) == 2
    assert workers(page) == 2


def test_webgpu_without_a_card_is_done_without_and_said(catching: Chromium, golden_site: Path) -> None:
    with opened(catching, golden_site) as page:
        found = page.configure(provider="webgpu")
        catching.execute_script("localStorage.clear()")
        note = page.driver.find_element(By.ID, "engine-note").text
    assert found["provider"] == "wasm"
    assert note == found["note"] == "WebGPU is not used: this browser offers no graphics card to this page."
