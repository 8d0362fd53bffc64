"""Images that are cropped, squashed and padded, to squares and to other forms: page and Python, and maps over pictures."""

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from selenium.webdriver.remote.webelement import WebElement

from sitegen.browser.chromium import Chromium
from sitegen.browser.effects_parity import EffectsComparison, reference
from sitegen.browser.effects_parity import wishes as changed
from sitegen.browser.parity import Comparison
from sitegen.bundle import Bundle
from sitegen.prediction import Predictor
from sitegen.site import build_site
from tests.helpers.browser.map_support import map_canvas, open_map, pixels, resized, views
from tests.helpers.browser.support import Standing
from tests.helpers.browser.viewer_support import DESK, act, opened_image, stored
from tests.helpers.bundles import LABELS, make_bundle

pytestmark = pytest.mark.browser

CROP = {"mode": "centre", "fraction": 0.9}
SQUASH = {"mode": "squash", "fraction": 1.0}
PAD = {"mode": "pad", "fraction": 1.0, "fill": [0.2]}
CASES = {
    "wide-crop": ((32, 64), CROP),
    "high-crop": ((64, 32), CROP),
    "wide-pad": ((32, 64), PAD),
    "high-squash": ((64, 32), SQUASH),
    "square-squash": (48, SQUASH),
    "square-pad": (48, PAD),
}
METHODS = ("saliency", "grad-cam", "guided-grad-cam", "cam")


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Bundle]:
    folder = tmp_path_factory.mktemp("forms")
    return {
        name: make_bundle(folder / name, side=side, crop=crop, explained=True, threshold=-1, name=name)
        for name, (side, crop) in CASES.items()
    }


@pytest.fixture(scope="module")
def forms(bundles: dict[str, Bundle], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_site(list(bundles.values()), tmp_path_factory.mktemp("forms-site") / "dist").folder


def scene(width: int, height: int) -> np.ndarray:
    """Smooth greys with a bright spot on the right of the middle."""
    coarse = np.random.default_rng(width).integers(0, 120, (5, 5)).astype(np.uint8)
    grey = np.array(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))
    grey[height // 2 - 9 : height // 2 + 1, width // 2 + 6 : width // 2 + 18] = 250
    return grey


def files(folder: Path) -> list[Path]:
    """A turned landscape, which Python decodes in the page, and a portrait that the browser does."""
    (folder / "wide.png").write_bytes(stored(scene(151, 80), 6))
    Image.fromarray(scene(83, 140)).save(folder / "high.jpg", quality=92)
    return [folder / "wide.png", folder / "high.jpg"]


def test_page_and_python_agree(standing: Standing, forms: Path, bundles: dict[str, Bundle], tmp_path: Path) -> None:
    page = standing(forms)
    for name, bundle in bundles.items():
        predictor, compared, effects = Predictor(bundle), Comparison(bundle.model.labels), EffectsComparison()
        for path in files(tmp_path):
            document = predictor.predict(path, force=True)
            maps, tries = changed(bundle.model, document)
            plain = [{"finding": LABELS[0], "method": method} for method in METHODS]
            options = {"force": True, "bundle": name, "values": True}
            ours = page.analyse(path.read_bytes(), path.name, explain=maps, whatIf=tries, **options)
            compared.add(path.name, ours, document)
            effects.add(path.name, ours, reference(predictor, path, document))
            drawn = page.analyse(path.read_bytes(), path.name, explain=plain, **options)["explanations"]
            for theirs, found in zip(drawn, predictor.explain(path, plain, force=True).maps, strict=True):
                assert theirs["shape"] == list(found.shape), (name, found.method)
                furthest = np.abs(np.array(theirs["values"]) - found.values).max()
                assert furthest <= 1e-4 * max(1, np.abs(found.values).max()), (name, found.method)
        assert compared.failures + effects.failures == [], name
        assert compared.images == effects.images == 2


@pytest.fixture
def at(standing: Standing, forms: Path) -> Iterator[Chromium]:
    driver = standing(forms).driver
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", DESK)
    yield driver
    standing.clear()
    driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@pytest.mark.parametrize("name", ["high-crop", "wide-pad", "square-pad"])
def test_a_map_lies_over_its_picture(at: Chromium, bundles: dict[str, Bundle], tmp_path: Path, name: str) -> None:
    at.execute_script(f"document.querySelector('input[value={name}]').click()")
    data = stored(scene(300, 180), 6)
    card = opened_image(at, tmp_path, data)
    assert picture_of(card).shape[1] > picture_of(card).shape[0]
    open_map(card, LABELS[0])
    (view,) = views(card)
    act(card, "seen")  # the frame around what was seen lies over the map, too
    (found,) = [each for each in [map_canvas(view)]]
    shown = resized(pixels(found), 100, 60)
    predictor = Predictor(bundles[name])
    method = view.find_element("css selector", "select").get_attribute("value") or "grad-cam"
    explained = predictor.explain(data, [{"finding": LABELS[0], "method": method}], force=True)
    from sitegen.prediction.overlay import explained_image
    from sitegen_runtime.maps.heat_map import Look

    grid = bundles[name].model.graphs["classifier"].images[0].grid
    wanted = explained_image(data, explained, explained.maps[0], grid, Look())
    buffer = io.BytesIO()
    wanted.save(buffer, "PNG")
    expected = resized(np.asarray(wanted, np.int16), 100, 60)
    Image.fromarray(shown.astype(np.uint8)).resize((500, 300)).save(f"/tmp/ns_{name}_page.png")
    Image.fromarray(expected.astype(np.uint8)).resize((500, 300)).save(f"/tmp/ns_{name}_python.png")
    assert np.abs(shown[8:] - expected[8:]).mean() < 4  # a badge may be above


def picture_of(card: WebElement) -> np.ndarray:
    from tests.helpers.browser.viewer_support import canvas

    return pixels(canvas(card))
