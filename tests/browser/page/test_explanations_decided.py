"""Maps of the page equal those of Python to rounding, once both take the same decisions at rectifiers and maxima.

SmoothGrad and integrated gradients are not here: each of their 25 or 32 runs has another image, and so other decisions,
which one set of constants cannot hold. Both average what saliency's graph gives; on a network without kinks
test_explanation_documents.py holds them to the same limit.
"""

from pathlib import Path

import onnx
import pytest

from sitegen.browser.chromium import Chromium
from sitegen.bundle import Bundle
from sitegen.prediction import Predictor
from sitegen.site import build_site
from tests.helpers.browser.decided_bundle import ROLES, decided_bundle, decisions
from tests.helpers.browser.map_support import explained
from tests.helpers.browser.support import encoded, opened, relative

pytestmark = pytest.mark.browser

ROUNDING = 1e-5
SEEDS = (5, 9)  # with decisions of their own, ONNX Runtime Web and native ONNX Runtime differ by 9e-4 and 3e-4 on these
WANTED = [{"finding": "Pneumonia", "method": method} for method in ("saliency", "cam", "grad-cam", "guided-grad-cam")]


@pytest.mark.parametrize("seed", SEEDS)
def test_the_shipped_models_maps_in_the_page_are_pythons_to_rounding(
    driver: Chromium, shipped_bundle: Bundle, tmp_path: Path, seed: int
) -> None:
    image = encoded(seed=seed, size=512)
    decided = decided_bundle(shipped_bundle, image, tmp_path / "bundle")
    with opened(driver, build_site(decided, tmp_path / "dist").folder):
        ours = explained(driver, image, explain=WANTED, values=True, force=True)["explanations"]
    theirs = Predictor(decided).explain(image, WANTED, force=True).maps
    assert [entry["method"] for entry in ours] == [entry.method for entry in theirs]
    for mine, expected in zip(ours, theirs, strict=True):
        assert relative(mine["values"], expected.values) <= ROUNDING, expected.method


def test_decisions_are_those_of_native_onnx_runtime_for_one_image(shipped_bundle: Bundle, tmp_path: Path) -> None:
    """Its maps stay as they were; those of another image do not, so the decisions are indeed imposed."""
    image, other = (encoded(seed=seed, size=512) for seed in SEEDS)
    decided = decided_bundle(shipped_bundle, image, tmp_path / "bundle")
    for role in ROLES:
        graph = decided.description.graphs[role]
        assert not decisions(onnx.load(str(decided.folder / graph.file), load_external_data=False))
    before, after = Predictor(shipped_bundle), Predictor(decided)
    differences = {}
    for name, data in (("image", image), ("other", other)):
        pairs = zip(*(predictor.explain(data, WANTED, force=True).maps for predictor in (before, after)), strict=True)
        differences[name] = {old.method: relative(new.values, old.values) for old, new in pairs}
    assert max(differences["image"].values()) <= ROUNDING
    assert differences["other"]["saliency"] > 0.1
    assert differences["other"]["guided-grad-cam"] > 0.1
