"""Images that are cropped, squashed and padded, to squares and others: page and Python, and maps over pictures."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from selenium.webdriver.support.ui import WebDriverWait

from sitegen.browser.chromium import Chromium
from sitegen.browser.effects_parity import EffectsComparison, reference
from sitegen.browser.effects_parity import wishes as changed
from sitegen.browser.parity import Comparison
from sitegen.bundle import Bundle
from sitegen.prediction import Predictor
from sitegen.prediction.overlay import explained_image
from sitegen.site import build_site
from sitegen_runtime.maps.heat_map import Look
from tests.browser.viewer.test_what_if import answer
from tests.helpers.browser.map_support import (
    choose_option,
    coloured,
    map_canvas,
    open_map,
    pixels,
    resized,
    views,
    wait_for_maps,
)
from tests.helpers.browser.support import Standing
from tests.helpers.browser.viewer_support import DESK, act, canvas, opened_image, stored
from tests.helpers.bundles import LABELS, Side, make_bundle

pytestmark = pytest.mark.browser

CROP = {"mode": "centre", "fraction": 0.9}
SQUASH = {"mode": "squash", "fraction": 1.0}
PAD = {"mode": "pad", "fraction": 1.0, "fill": [0.2]}
CASES: dict[str, tuple[Side, dict[str, Any]]] = {
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
    """What the page shows of a turned file is what `sitegen explain` draws of it."""
    at.execute_script("document.querySelector(`input[value=${arguments[0]}]`).click()", name)
    data = stored(scene(300, 180), 6)
    card = opened_image(at, tmp_path, data)
    open_map(card, LABELS[0])
    (view,) = views(card)
    choose_option(view, "Method", "saliency")
    wait_for_maps(card)
    at.execute_script("document.querySelector('[data-action=seen][aria-pressed=true]')?.click()")
    shown = resized(pixels(map_canvas(view)), 100, 60)
    explained = Predictor(bundles[name]).explain(data, [{"finding": LABELS[0], "method": "saliency"}], force=True)
    grid = bundles[name].model.graphs["classifier"].images[0].grid
    drawn = explained_image(data, explained, explained.maps[0], grid, Look())
    wanted = resized(np.asarray(drawn, np.int16), 100, 60)
    assert coloured(wanted) > 0.05
    apart = np.abs(shown[8:] - wanted[8:]).mean()  # a badge is above
    assert apart < 1
    assert np.abs(shown[8:, ::-1] - wanted[8:]).mean() > 3 * apart  # which another place would show


def test_a_picture_with_noise_is_drawn_in_its_place(at: Chromium, tmp_path: Path) -> None:
    at.execute_script("document.querySelector('input[value=high-crop]').click()")
    card = opened_image(at, tmp_path, stored(scene(300, 180), 6))
    before = resized(pixels(canvas(card)), 100, 60)
    act(card, "what-if")
    act(card, "what-if-noise")
    card.find_element("css selector", "[data-action=what-if-add]").click()
    WebDriverWait(at, 60).until(lambda _: answer(card))
    after = resized(pixels(canvas(card)), 100, 60)
    columns = np.abs(after - before).max(axis=(0, 2)) > 8
    seen = np.nonzero(columns)[0] / before.shape[1]
    assert (seen.min(), seen.max()) == pytest.approx((0.365, 0.635), abs=0.03)  # 0.9 of 90 of 300 pixels
    noisy, plain = after[:, columns], before[:, columns]
    mirrored = (plain[:, ::-1], plain[::-1], plain[::-1, ::-1])
    alike, *others = (np.corrcoef(noisy.ravel(), each.ravel())[0, 1] for each in (plain, *mirrored))
    assert alike > max(others) + 0.05  # noise is nowhere and everywhere, and lies over the picture that it was made for
