"""Every kind of calibration in the page: the values that CPython computes, and words for what they are."""

from pathlib import Path

import pytest

from sitegen.browser.chromium import Chromium
from sitegen.browser.parity import Comparison
from sitegen.bundle import Bundle, Calibration, load_bundle, write_description
from sitegen.prediction import Predictor
from sitegen.site import build_site
from tests.helpers.browser.support import cards, choose, encoded, opened, written
from tests.helpers.bundles import make_bundle

pytestmark = pytest.mark.browser
TABLE = [(0.0, 0.0), (0.4, 0.1), (0.5, 0.7), (0.6, 0.7), (1.0, 1.0)]
# Tables of beta maps and of isotonic regression are read alike.
CALIBRATIONS = {
    "Mass": Calibration(method="piecewise-linear"),
    "Nodule": Calibration(method="temperature", temperature=1.7),
    "Hernia": Calibration(method="platt", slope=0.6, intercept=-0.8),
    "Fibrosis": Calibration(method="isotonic", table=TABLE),
}


WEAK = "AUC 0.660 (0.600–0.710) on images from elsewhere (Far X-rays)"


def calibrated_bundle(folder: Path) -> Bundle:
    made = make_bundle(folder, gate=False, labels=tuple(CALIBRATIONS))
    description = made.description
    labels = [label.model_copy(update={"calibration": CALIBRATIONS[label.name]}) for label in description.labels]
    labels[2] = labels[2].model_copy(update={"weak": WEAK})
    fitted = {"fitted": {"labels": {"Nodule": {"images": 80, "positives": 30}}}}  # of the others it is not told
    write_description(folder, description.model_copy(update={"labels": labels, "provenance": fitted}))
    return load_bundle(folder)


def test_the_page_calibrates_as_python_does(driver: Chromium, tmp_path: Path) -> None:
    bundle = calibrated_bundle(tmp_path / "bundle")
    site = build_site(bundle, tmp_path / "site").folder
    comparison = Comparison(bundle.model.labels)
    with opened(driver, site) as page:
        hint = driver.find_element("css selector", "#notes p").text
        for seed in range(3):
            data = encoded(seed=seed)
            document = page.analyse(data, "a.png")
            comparison.add(f"image {seed}", document, Predictor(bundle).analyse(data, "a.png").document)
        choose(driver, written(tmp_path, "a.png", data))
        (card,) = cards(driver, 1)
        card.find_element("css selector", ".own-order input").click()
        findings = [finding.text for finding in card.find_elements("css selector", ".finding")]
        spoken = card.find_elements("css selector", "[role=meter]")[2].get_attribute("aria-valuetext")
    assert [f"Weak: {WEAK}" in text for text in findings] == [False, False, True, False]
    assert spoken is not None
    assert spoken.endswith(f"operating point. Weak: {WEAK}")
    assert comparison.failures == []
    assert comparison.images == 3
    assert [finding["calibration"] for finding in document["findings"]] == [
        calibration.method for calibration in CALIBRATIONS.values()
    ]
    assert "Nodule: a probability calibrated on validation images (temperature scaling)" in hint
    assert "Fibrosis: a probability that was calibrated (isotonic regression), on which images is not told" in hint
