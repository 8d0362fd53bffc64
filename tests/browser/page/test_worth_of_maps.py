"""What the bundle knows of its maps against boxes stands beneath them in the page."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from sitegen.browser.chromium import Chromium
from sitegen.bundle import Bundle, load_bundle
from sitegen.site import build_site
from tests.helpers.browser.map_support import choose_option, image, map_canvas, open_map, views, wait_for_maps
from tests.helpers.browser.support import opened

pytestmark = pytest.mark.browser

INTERVAL = {"value": 0.25, "low": 0.1, "high": 0.4}
FIGURES: dict[str, Any] = {
    "cases": 30,
    "patients": 25,
    "pointing": INTERVAL,
    "usual": INTERVAL | {"value": 0.5, "high": 0.6},
    "difference": {"value": -0.25, "low": -0.3, "high": -0.1},
    "verdict": "worse",
}
WORTH = (
    "On test images with boxes drawn by radiologists (30 cases), the strongest place of such maps lay in the box in 25 "
    "of 100; the place where such boxes usually lie did so in 50 of 100: such a map does not show where the finding is."
)


def test_a_map_says_what_it_is_worth(catching: Chromium, gradient_bundle: Bundle, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(gradient_bundle.folder, tmp_path / "bundle"))
    fields = json.loads((folder / "bundle.json").read_text("utf-8"))
    method = {"method": "saliency", "findings": [{"finding": "Effusion", **FIGURES}], **FIGURES}
    counts = {"split": "test", "boxes": 30, "images": 30, "patients": 25, "training_boxes": 100}
    fields |= {"localisation": {**counts, "methods": [method]}}
    (folder / "bundle.json").write_text(json.dumps(fields), encoding="utf-8")
    with opened(catching, build_site(load_bundle(folder), tmp_path / "dist").folder):
        card = image(catching, tmp_path)
        open_map(card, "Effusion")
        (view,) = views(card)
        choose_option(view, "Method", "saliency")
        wait_for_maps(card)
        assert WORTH in view.text
        assert map_canvas(view).get_attribute("aria-label").endswith(WORTH)
        choose_option(view, "Method", "grad-cam")
        wait_for_maps(card)
        assert "Grad-CAM for Effusion" in view.text
        assert "radiologists" not in view.text
