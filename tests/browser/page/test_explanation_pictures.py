"""Pictures of maps in the page: the right place and colours, other looks, marks, saved, in full size."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from sitegen.browser.chromium import Chromium
from sitegen.bundle import Bundle
from sitegen.phantom import phantom
from sitegen.prediction import Predictor
from sitegen_runtime.maps.colour_maps import colours
from tests.helpers.browser.map_support import (
    LISTEN,
    allow_downloads,
    choose_option,
    coloured,
    example,
    image,
    map_canvas,
    open_map,
    pixels,
    press,
    saved_file,
    set_range,
    settled,
    stage_pixels,
    views,
    wait_for_maps,
)
from tests.helpers.browser.support import Standing, cards, choose, noise, written
from tests.helpers.browser.viewer_support import act, canvas, zoom

pytestmark = pytest.mark.browser


@pytest.fixture
def at(standing_catching: Standing, shipped_site: Path) -> Iterator[Chromium]:
    yield standing_catching(shipped_site).driver
    standing_catching.clear()


def test_the_strongest_place_of_the_picture_is_that_of_pythons_map(
    at: Chromium, shipped_bundle: Bundle, tmp_path: Path
) -> None:
    """Also where the network sees the middle of a wide image only."""
    grey = np.pad(phantom(5, 400), ((0, 0), (60, 200)))
    data = tmp_path / "wide.png"
    Image.fromarray(grey).save(data)
    choose(at, data)
    card = cards(at, 1)[0]
    if card.get_attribute("data-outcome") == "refused":
        press(card, "Analyse anyway")
        press(card, "Yes")
        card = cards(at, 1)[0]
    open_map(card, "Pneumonia")
    (view,) = views(card)
    act(card, "seen")  # the frame has a colour, too
    before = pixels(map_canvas(view))
    set_range(card, "threshold", 90)
    picture = settled(view, before)
    wanted = [{"finding": "Pneumonia", "method": "grad-cam"}]
    (found,) = Predictor(shipped_bundle).explain(data, wanted, force=True).maps
    row, column = divmod(int(np.argmax(found.values)), found.shape[1])
    strip = picture.shape[0] // 8  # a badge may be there
    rest = picture[strip:]
    rows, columns = np.nonzero(rest.max(axis=2) - rest.min(axis=2) > 30)
    scale = picture.shape[1] / grey.shape[1]
    assert (rows.mean() + strip) / scale == pytest.approx(400 * (row + 0.5) / found.shape[0], abs=45)
    assert columns.mean() / scale == pytest.approx(130 + 400 * (column + 0.5) / found.shape[1], abs=45)


def test_another_look_is_drawn_without_the_network(at: Chromium) -> None:
    card = example(at)
    open_map(card, "Pneumonia")
    (view,) = views(card)
    first = pixels(map_canvas(view))
    at.execute_script(LISTEN)
    set_range(card, "opacity", 30)
    faint = settled(view, first)
    assert coloured(faint) < coloured(first)
    set_range(card, "opacity", 75)
    assert np.array_equal(settled(view, faint), first)
    set_range(card, "threshold", 90)
    peaks = settled(view, first)
    assert 0 < coloured(peaks) < coloured(first) / 2
    choose_option(card, "Colours", "inferno")
    settled(view, peaks)
    strongest = pixels(view.find_element(By.CLASS_NAME, "legend-colours"))[6, -1]
    expected = 0.75 * np.array([part[-1] for part in colours("inferno")]) + 0.25 * np.array([16, 20, 24])
    assert np.abs(strongest - expected).max() <= 2
    heard = at.execute_script("return heard.map(({kind, stage}) => stage ?? kind)")
    assert set(heard) == {"accepted", "result"}
    assert 4 <= heard.count("result") <= 8


def test_maps_end_with_the_analysis_that_they_explain(at: Chromium, tmp_path: Path) -> None:
    choose(at, written(tmp_path, "noise.png", noise(300)))
    (card,) = cards(at, 1)
    assert not card.find_elements(By.CLASS_NAME, "finding-open")  # refused: nothing to explain
    press(card, "Analyse anyway")
    press(card, "Yes")
    (card,) = cards(at, 1)
    allow_downloads(at, tmp_path)
    open_map(card, "Pneumonia")
    (view,) = views(card)
    assert "Forced" in view.find_element(By.CLASS_NAME, "badge").text
    assert "Forced: the gate refused this image" in (map_canvas(view).get_attribute("aria-label") or "")
    corner = pixels(map_canvas(view))[2, 2]
    assert tuple(corner) == (163, 34, 15)  # the badge on the picture itself
    press(view, "Save as PNG")
    with Image.open(saved_file(at, tmp_path, "noise.png.grad-cam.Pneumonia.forced.png")) as saved:
        assert saved.convert("RGB").getpixel((2, 2)) == (163, 34, 15)


def test_a_corrected_image_has_a_map_of_its_own(at: Chromium, tmp_path: Path) -> None:
    allow_downloads(at, tmp_path)
    inverted = tmp_path / "inverted.png"
    Image.fromarray(255 - phantom(seed=4, size=768)).save(inverted)
    choose(at, inverted)
    (card,) = cards(at, 1)
    press(card, "Invert and analyse")
    (card,) = cards(at, 1)
    open_map(card, "Pneumonia")
    (view,) = views(card)
    press(view, "Save as PNG")
    with Image.open(saved_file(at, tmp_path, "inverted.png.grad-cam.Pneumonia.invert.png")) as saved:
        picture = np.array(saved.convert("RGB"), np.int16)[:768]
    grey = picture.max(axis=2) - picture.min(axis=2) == 0
    assert grey.mean() > 0.1
    assert np.abs(picture[..., 0] - phantom(seed=4, size=768))[grey].mean() < 0.1  # black and white as they should be


@pytest.mark.parametrize("size", [300, 1400])
def test_the_saved_picture_has_the_image_map_and_legend(
    at: Chromium, shipped_bundle: Bundle, tmp_path: Path, size: int
) -> None:
    allow_downloads(at, tmp_path)
    card = image(at, tmp_path, "chest.png", seed=5, size=size)
    open_map(card, "Pneumonia")
    (view,) = views(card)
    choose_option(view, "Method", "saliency")
    wait_for_maps(card)
    before = pixels(map_canvas(view))
    set_range(card, "opacity", 100)
    settled(view, before)
    press(view, "Save as PNG")
    with Image.open(saved_file(at, tmp_path, "chest.png.saliency.Pneumonia.png")) as saved:
        assert saved.format == "PNG"
        picture = np.array(saved.convert("RGB"), np.int16)
    width = max(size, 512)  # all pixels of the image; small ones are enlarged
    assert picture.shape[1] == width
    assert width * 1.1 < picture.shape[0] < width * 1.6
    assert coloured(picture[:width]) > 0.001
    table = np.stack([np.frombuffer(part, np.uint8) for part in colours("viridis")], axis=1).astype(np.int16)
    unit = max(14, round(width / 45))
    legend = picture[width + unit + unit // 2, unit : width - unit]
    assert np.abs(legend[-2] - table[-1]).max() <= 6
    middle = legend[len(legend) // 2]
    share = (127 / 255 - 0.1) / 0.9
    expected = share * table[127] + (1 - share) * np.array([16, 20, 24])
    assert np.abs(middle - expected).max() <= 6
    written_below = picture[width + 4 * unit :]
    assert (written_below.min(axis=2) < 100).mean() > 0.01  # there are letters


def test_a_map_can_be_looked_into(at: Chromium, tmp_path: Path) -> None:
    """Through the same lens as the image, in all the image's pixels; two maps move together."""
    card = image(at, tmp_path, "large.png", seed=5, size=1400)
    open_map(card, "Pneumonia")
    press(card, "Compare")
    wait_for_maps(card)
    first, second = (map_canvas(view) for view in views(card))
    act(card, "actual")
    WebDriverWait(at, 20).until(lambda _: first.get_attribute("data-source") == "1400 1400")
    assert zoom(card) == 100
    assert stage_pixels(first)[1][2:] == stage_pixels(second)[1][2:] == (1400, 1400)
    before = stage_pixels(first)[1]
    views(card)[1].find_element(By.CLASS_NAME, "stage").send_keys(Keys.ARROW_RIGHT)
    assert stage_pixels(first)[1][0] < before[0]
    press(card, "Close the maps")
    assert stage_pixels(canvas(card))[1][2] > 1400  # the plain image, as close, in more room
    assert at.execute_script("return document.documentElement.scrollWidth <= innerWidth")


def test_a_saved_result_tells_of_the_maps_that_are_shown(at: Chromium, tmp_path: Path) -> None:
    allow_downloads(at, tmp_path)
    card = example(at)
    open_map(card, "Pneumonia")
    press(card, "Save result")
    document = json.loads(saved_file(at, tmp_path, "golden.png.sitegen.json").read_text("utf-8"))
    (entry,) = document["explanations"]
    assert (entry["finding"], entry["method"]) == ("Pneumonia", "grad-cam")


SAVED_REPORT = """
const done = arguments[0];
const save = URL.createObjectURL;
URL.createObjectURL = (blob) => {
  URL.createObjectURL = save;
  blob.text().then(done);
  return save(blob);
};
document.querySelector("dialog.report-dialogue [data-action=save]").click();
"""


def test_a_report_has_the_maps_that_are_open(at: Chromium, tmp_path: Path) -> None:
    """Also of an image that was put away meanwhile; of others none."""
    allow_downloads(at, tmp_path)
    card = image(at, tmp_path, "first.png", seed=1)
    open_map(card, "Pneumonia")
    choose_option(views(card)[0], "Method", "saliency")
    wait_for_maps(card)
    for seed in (2, 3, 4):
        image(at, tmp_path, f"{seed}.png", seed=seed)
    at.find_element(By.ID, "report").click()
    html = at.execute_async_script(SAVED_REPORT)
    at.find_element(By.CSS_SELECTOR, "dialog[open]").send_keys(Keys.ESCAPE)
    sheets = html.split('<article class="sheet">')[2:]
    titles = [re.findall(r"<figcaption>([^<]*)</figcaption>", sheet) for sheet in sheets]
    assert titles == [["Saliency for Pneumonia"], [], [], []]
