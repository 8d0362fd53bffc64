"""Teaching: nothing is told before the student has answered, then everything beside each other, and the score."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from sitegen.browser.chromium import Chromium
from sitegen.bundle import Bundle
from sitegen.prediction import Predictor
from sitegen.site import build_site
from sitegen.site.options import Box, SiteOptions, TeachingCase
from tests.helpers.browser.accessibility import Look, looked_at, violations
from tests.helpers.browser.support import Standing, cards, choose, encoded, written

pytestmark = pytest.mark.browser

IMAGES = (encoded(seed=1), encoded(seed=2))


@pytest.fixture(scope="module")
def labels(bundle: Bundle) -> list[str]:
    return [label.name for label in bundle.description.labels]


@pytest.fixture(scope="module")
def teaching_site(bundle: Bundle, labels: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    first = TeachingCase(IMAGES[0], (labels[0],), "A child with a cough", (Box(labels[0], (100, 100, 60, 60)),))
    options = SiteOptions(teaching=(first, TeachingCase(IMAGES[1], ())))
    return build_site(bundle, tmp_path_factory.mktemp("teaching") / "dist", options=options).folder


@pytest.fixture
def at(standing: Standing, teaching_site: Path) -> Iterator[Chromium]:
    yield standing(teaching_site).driver
    standing.clear()


def said_of_results(driver: Chromium, bundle: Bundle) -> list[str]:
    """What of the results can be read or heard anywhere on the page."""
    text = driver.execute_script(
        "return document.querySelector('main').innerText + document.querySelector('#status').innerText"
    )
    told = ("above", "below", "operating point", " %", "threshold")
    return [part for part in told if part in text.replace("Above a threshold (0)", "")]


def axe(driver: Chromium) -> None:
    for look in (Look(1280, 720), Look(360, 740, "dark")):
        with looked_at(driver, look):
            assert (str(look), violations(driver)) == (str(look), [])


def test_nothing_is_told_before_the_answer_and_all_after_it(at: Chromium, bundle: Bundle, labels: list[str]) -> None:
    at.find_element(By.ID, "cases").click()
    second, first = cards(at, 2)
    assert [row.text.split("\n") for row in at.find_elements(By.CSS_SELECTOR, "#rows [role=option]")] == [
        ["A child with a cough", "not answered"],
        ["Case 1", "not answered"],
    ]
    assert first.get_attribute("data-outcome") == "veiled"
    assert said_of_results(at, bundle) == []
    at.find_element(By.ID, "report").click()
    assert "No image is analysed yet." in at.find_element(By.CSS_SELECTOR, "dialog[open]").text
    at.find_element(By.CSS_SELECTOR, "dialog[open]").send_keys(Keys.ESCAPE)

    assert first.find_element(By.CSS_SELECTOR, "legend").text == "What do you see?"
    first.find_element(By.XPATH, f".//label[normalize-space()='{labels[0]}']").click()
    surface = first.find_element(By.CSS_SELECTOR, ".placed-picture")
    ActionChains(at).move_to_element(surface).click().perform()
    assert "place shown" in first.find_element(By.CSS_SELECTOR, f"[data-action='place {labels[0]}']").text
    surface.send_keys(Keys.ARROW_LEFT)
    (ring,) = first.find_elements(By.CLASS_NAME, "place")
    assert float(ring.get_attribute("style").split("left: ")[1].split("%")[0]) == pytest.approx(48, abs=1)
    axe(at)
    first.find_element(By.CSS_SELECTOR, "[data-action=answer]").click()
    axe(at)
    assert at.switch_to.active_element == at.find_element(By.CSS_SELECTOR, ".card")

    findings = Predictor(bundle).analyse(IMAGES[0], "a").document["findings"]
    model = [each["probability"] >= each["operating_point"] for each in findings]
    rows = [
        [cell.text for cell in row.find_elements(By.TAG_NAME, "td")]
        for row in first.find_elements(By.CSS_SELECTOR, ".answer-table tbody tr")
    ]
    assert rows[0] == ["yes (inside the box)", "yes" if model[0] else "no", "yes"]
    assert rows[1:] == [["no", "yes" if is_above else "no", "no"] for is_above in model[1:]]
    right = sum(is_above == (number == 0) for number, is_above in enumerate(model))
    count = len(labels)
    score = (
        f"So far: 1 of 2 cases answered. As labelled: you {count} of {count} findings, the model {right} of {count}."
    )
    assert first.find_element(By.CLASS_NAME, "score").text == f"{score} Places inside the box: 1 of 1."
    assert first.find_elements(By.CLASS_NAME, "finding")
    assert "not answered" not in at.find_element(By.CSS_SELECTOR, "#rows [role=option]").text

    second.find_element(By.CSS_SELECTOR, "[data-action=answer]").click()
    assert second.find_element(By.CLASS_NAME, "score").text.startswith("All cases are answered. So far: 2 of 2")


def test_own_images_lose_their_names_and_are_compared_with_the_model(at: Chromium, tmp_path: Path) -> None:
    box = at.find_element(By.ID, "teaching")
    if not box.is_selected():
        box.click()
    choose(at, written(tmp_path, "Mass of Erika.png", IMAGES[0]))
    (card,) = cards(at, 1)
    assert "Erika" not in at.find_element(By.TAG_NAME, "body").text
    assert card.get_attribute("data-outcome") == "veiled"
    card.find_element(By.CSS_SELECTOR, "[data-action=answer]").click()
    assert "You agree with the model in" in card.find_element(By.CLASS_NAME, "score").text
    box.click()
    choose(at, written(tmp_path, "plain.png", IMAGES[0]))
    assert "plain.png" in cards(at, 2)[0].text
