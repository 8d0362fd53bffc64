""" "Reconstruct more closely" in the page: the numbers of Python, shown as they come, cancelled by keys, and saved."""

import json
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import Select, WebDriverWait

from sitegen.bundle import Bundle
from sitegen.prediction import Predictor
from sitegen.site import build_site
from sitegen_runtime.admission import Job
from sitegen_runtime.projection.way import reconstruct
from tests.helpers.browser.accessibility import violations
from tests.helpers.browser.map_support import allow_downloads, image, press, saved_file, status
from tests.helpers.browser.support import Standing, encoded
from tests.helpers.generation.generators import bundle_with_generator

pytestmark = pytest.mark.browser

STEPS = 100


@pytest.fixture(scope="module")
def bundle(bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return bundle_with_generator(bundle, tmp_path_factory.mktemp("generating"))


@pytest.fixture(scope="module")
def closer_site(bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_site(bundle, tmp_path_factory.mktemp("generating-site") / "dist").folder


def waited(card: WebElement, selector: str) -> WebElement:
    return WebDriverWait(card.parent, 120).until(lambda _: card.find_element(By.CSS_SELECTOR, selector))


def test_the_page_reconstructs_as_python_does(
    standing: Standing, closer_site: Path, bundle: Bundle, tmp_path: Path
) -> None:
    driver = standing(closer_site).driver
    allow_downloads(driver, tmp_path)
    card = image(driver, tmp_path, size=128)
    card.find_element(By.CSS_SELECTOR, ".closer summary").send_keys(Keys.ENTER)
    Select(card.find_element(By.CSS_SELECTOR, "[data-action=project-seconds]")).select_by_value("300")
    steps = Select(card.find_element(By.CSS_SELECTOR, "[data-action=project-steps]"))

    # Cancelled by the key that comes next, once something is shown of it; nothing of it stays.
    steps.select_by_value("1000")
    card.find_element(By.CSS_SELECTOR, "[data-action=project]").send_keys(Keys.ENTER)
    waited(card, ".closer-shown canvas")
    cancel = driver.switch_to.active_element
    assert cancel.text == "Cancel"
    cancel.send_keys(Keys.ENTER)
    waited(card, ".closer[aria-busy=false]")
    assert driver.switch_to.active_element.text == "Reconstruct"
    assert card.find_elements(By.CSS_SELECTOR, ".closer-shown > *") == []

    steps.select_by_value(str(STEPS))
    card.find_element(By.CSS_SELECTOR, "[data-action=project]").click()
    waited(card, ".closer-shown > p")
    assert status(driver).startswith(f"Reconstructed in {STEPS} steps: the mean squared error is ")
    names = [canvas.get_attribute("aria-label") for canvas in card.find_elements(By.CSS_SELECTOR, ".closer canvas")]
    assert [name.split(" ")[0] for name in names if name] == ["The", "Where", "How"]
    assert violations(driver) == []

    press(card, "Save result")
    saved = json.loads(saved_file(driver, tmp_path, "a.png.sitegen.json").read_text("utf-8"))["projection"]
    job = Job(encoded(seed=0, size=128), "a.png", bundle.model, {})
    wanted = Predictor(bundle).drive(reconstruct(job, {"steps": STEPS, "seconds": 300})).document["projection"]
    assert saved["error"] == pytest.approx(wanted["error"], rel=1e-2)
    assert saved["worst"] == pytest.approx(wanted["worst"], rel=1e-2)
    assert [step for step, _ in saved["distances"]] == [step for step, _ in wanted["distances"]]
    standing.clear()
