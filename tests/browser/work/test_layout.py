"""From drop to verdict without scrolling, on a phone, a tablet and a desk, with few findings and many."""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from sitegen.browser.chromium import Chromium
from sitegen.site import build_site
from tests.helpers.browser.accessibility import Look, looked_at
from tests.helpers.browser.support import Standing, cards, encoded, show_pane
from tests.helpers.bundles import make_bundle

pytestmark = pytest.mark.browser

WINDOWS = [Look(360, 740), Look(768, 1024), Look(1280, 720)]
LABELS = {
    1: ("Pneumonia",),
    14: (
        *("Atelectasis", "Cardiomegaly", "Effusion", "Infiltration", "Mass", "Nodule", "Pneumonia", "Pneumothorax"),
        *("Consolidation", "Edema", "Emphysema", "Fibrosis", "Pleural thickening", "Enlarged cardiomediastinum"),
    ),
}
DROP = """
const [text, names] = arguments;
const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
const transfer = new DataTransfer();
for (const name of names) transfer.items.add(new File([bytes], name, {type: "image/png"}));
document.getElementById("drop").dispatchEvent(
  new DragEvent("drop", {dataTransfer: transfer, bubbles: true, cancelable: true}));
"""
IN_SIGHT = """
const [node] = arguments;
const {left, top, right, bottom} = node.getBoundingClientRect();
const inWindow = left >= 0 && top >= 0 && right <= innerWidth && bottom <= innerHeight;
const hit = document.elementFromPoint(left + 5, (top + bottom) / 2);
return scrollX === 0 && scrollY === 0 && inWindow && (hit === node || node.contains(hit));
"""


@pytest.fixture(scope="module", params=LABELS)
def site_of(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[int, Path]:
    """A site whose model has so many findings."""
    folder = tmp_path_factory.mktemp("findings")
    bundle = make_bundle(folder / "bundle", labels=LABELS[request.param])
    return request.param, build_site(bundle, folder / "dist").folder


@pytest.fixture(params=WINDOWS, ids=str)
def at(request: pytest.FixtureRequest, standing: Standing, site_of: tuple[int, Path]) -> Iterator[Chromium]:
    driver = standing(site_of[1]).driver
    with looked_at(driver, request.param):
        yield driver
    standing.clear()


def in_sight(driver: Chromium, node: Any) -> bool:
    return bool(driver.execute_script(IN_SIGHT, node))


def drop(driver: Chromium, *names: str) -> None:
    driver.execute_script(DROP, base64.b64encode(encoded()).decode(), names)


def test_the_verdict_is_in_sight_after_the_drop(at: Chromium, site_of: tuple[int, Path]) -> None:
    drop(at, "a name that is as long as those of hospitals are, with a date 2021-03-04 and a number 0123456789.png")
    cards(at, 1)
    verdict = at.find_element(By.CLASS_NAME, "card-status")
    assert "threshold" in verdict.text
    assert in_sight(at, verdict)
    warning = at.find_element(By.CSS_SELECTOR, ".warning strong")
    assert warning.text == "Not for diagnostic use."
    assert in_sight(at, warning)
    if at.find_element(By.ID, "tabs").is_displayed():
        for pane in ("list", "findings", "image"):
            show_pane(at, pane)
            assert in_sight(at, verdict)
        show_pane(at, "findings")
    # The first finding's row, with its bar, too.
    assert in_sight(at, at.find_element(By.CSS_SELECTOR, "#results [role=meter], .fold"))


def test_with_several_images_the_verdict_of_the_chosen_one_is(at: Chromium) -> None:
    drop(at, *(f"{number}.png" for number in range(6)))
    count = at.find_element(By.CLASS_NAME, "list-count")  # which a phone hides at first
    WebDriverWait(at, 30).until(lambda _: count.get_attribute("textContent") == "6 of 6 images done")
    assert in_sight(at, at.find_element(By.CLASS_NAME, "card-status"))
    phone = at.find_element(By.ID, "tabs").is_displayed()
    if phone:
        show_pane(at, "list")
    rows = at.find_elements(By.CSS_SELECTOR, "#rows [role=option]")
    assert in_sight(at, rows[0])
    assert rows[1].is_displayed()
    rows[1].click()
    WebDriverWait(at, 30).until(lambda _: at.find_element(By.CLASS_NAME, "card-name").text == "1.png")
    assert in_sight(at, at.find_element(By.CLASS_NAME, "card-name"))


def test_many_findings_are_folded_and_few_are_not(at: Chromium, site_of: tuple[int, Path]) -> None:
    count, _ = site_of
    drop(at, "a.png")
    (card,) = cards(at, 1)
    folded = card.find_elements(By.CSS_SELECTOR, ".others .finding")
    rows = card.find_elements(By.CLASS_NAME, "finding")
    assert len(rows) == count
    assert all("above" in (row.get_attribute("class") or "") for row in rows if row not in folded) or count == 1
    assert bool(folded) == (count > 4)
