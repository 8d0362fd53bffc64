"""Maps through the page's API, against Python's; what they cost in memory; controls by name, on a phone."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from sitegen.browser.chromium import Chromium
from sitegen.bundle import Bundle
from sitegen.prediction import Predictor
from sitegen_runtime.maps.methods import MANY_RUNS, METHODS
from tests.helpers.browser.map_support import explained, open_map, press, set_range, wait_for_maps
from tests.helpers.browser.support import Standing, cards, choose, encoded, noise, opened, relative, written

pytestmark = pytest.mark.browser


def same_head(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> bool:
    return all(ours[key] == theirs[key] for key in ("schema", "image", "bundle", "tensors", "notes"))


def test_a_network_without_kinks_gives_pythons_maps(
    standing: Standing, gradient_site: Path, gradient_bundle: Bundle
) -> None:
    methods = [method for method in METHODS if METHODS[method].runs < MANY_RUNS]
    wanted = [{"finding": finding, "method": method} for finding in ("Effusion", "all") for method in methods]
    wanted += [{"finding": "Effusion", "method": "cem"}]
    data = encoded("JPEG", seed=1)
    driver = standing(gradient_site).driver
    ours = explained(driver, data, name="a.jpg", explain=wanted, values=True)
    theirs = Predictor(gradient_bundle).explain(data, wanted, name="a.jpg", values=True).document
    assert same_head(ours, theirs)
    assert set(ours) == set(theirs)
    assert ours["timings"].keys() == theirs["timings"].keys()
    for mine, expected in zip(ours["explanations"], theirs["explanations"], strict=True):
        assert mine.keys() == expected.keys()
        if "error" in expected:
            assert mine == expected
        else:
            assert mine["shape"] == expected["shape"]
            assert relative(mine["values"], expected["values"]) <= 1e-5, (mine["finding"], mine["method"])
            if "runs" in expected:
                assert mine["runs"] == expected["runs"] == 500
                apart = np.abs(np.array(mine["values"]) - expected["values"])
                assert apart.max() <= 1e-4


def test_the_shipped_model_gives_pythons_maps(standing: Standing, shipped_site: Path, shipped_bundle: Bundle) -> None:
    """Where the input of a rectifier is within a rounding error of zero, the engines may decide differently.

    Methods that run a network dozens of times, and so average over what it decides, have one image.
    """
    once = [method for method in METHODS if METHODS[method].runs < MANY_RUNS]
    errors: dict[str, list[float]] = {method: [] for method in once}
    predictor = Predictor(shipped_bundle)
    driver = standing(shipped_site).driver
    for seed in range(3):
        methods = [method for method in once if seed == 0 or METHODS[method].runs == 1]
        wanted = [{"finding": "Pneumonia", "method": method} for method in methods]
        data = encoded(seed=seed, size=512)
        ours = explained(driver, data, explain=wanted, values=True, force=True)
        theirs = predictor.explain(data, wanted, values=True, force=True).document
        for mine, expected in zip(ours["explanations"], theirs["explanations"], strict=True):
            errors[mine["method"]].append(relative(mine["values"], expected["values"]))
    assert {method: np.median(found) <= 1e-2 for method, found in errors.items()} == dict.fromkeys(once, True)
    assert max(errors["cam"]) <= 1e-4


def test_values_are_left_out_unless_asked_for(standing: Standing, gradient_site: Path) -> None:
    wanted = [{"finding": "Effusion", "method": "saliency"}]
    driver = standing(gradient_site).driver
    (entry,) = explained(driver, encoded(), explain=wanted)["explanations"]
    assert set(entry) == {"finding", "method", "shape", "min", "max", "sha256"}
    assert "explanations" not in explained(driver, encoded())
    refused = explained(driver, noise(), explain=wanted)
    assert refused["gate"]["accepted"] is False
    assert refused["explanations"] == []
    forced = explained(driver, noise(), explain=wanted, force=True)
    assert forced["forced"] is True
    assert len(forced["explanations"]) == 1


def test_what_cannot_be_explained_says_why_and_the_rest_stays(standing: Standing, gradient_site: Path) -> None:
    wanted = [
        {"finding": "Effusion", "method": "cam"},
        {"finding": "Mass", "method": "saliency"},
        {"finding": "Effusion", "method": "guesswork"},
        {"finding": "Effusion", "method": "saliency"},
    ]
    driver = standing(gradient_site).driver
    document = explained(driver, encoded(), explain=wanted)
    *failed, good = document["explanations"]
    assert [entry["error"]["code"] for entry in failed] == [
        "undefined-method",
        "bad-explanation",
        "bad-explanation",
    ]
    assert good["max"] > 0
    assert document["findings"]
    answer = explained(driver, encoded(), explain="saliency")
    assert answer["code"] == "bad-explanation"


def resident(driver: Chromium) -> int:
    """Bytes of memory that the browser's processes hold by themselves; Linux alone tells."""
    parents = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                parents[int(folder.name)] = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except OSError:
                continue
    family = {driver.service.process.pid}
    while more := {child for child, parent in parents.items() if parent in family} - family:
        family |= more
    total = 0
    for process in family:
        try:
            lines = Path(f"/proc/{process}/status").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("RssAnon"))
    return 1024 * total


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells what processes hold")
def test_memory_stays_flat_over_thirty_maps(driver: Chromium, gradient_site: Path, tmp_path: Path) -> None:
    findings = ["Effusion", "Atelectasis", "Pneumonia"]
    with opened(driver, gradient_site):
        choose(driver, written(tmp_path, "a.png", encoded(size=800)))
        (card,) = cards(driver, 1)
        held = []
        for turn in range(3):
            for number in range(15):
                open_map(card, findings[number % 3])
                if number % 5 == 4:
                    press(card, "Close the maps")
            driver.execute_cdp_cmd("HeapProfiler.collectGarbage", {})
            held.append(resident(driver))
            assert turn == 0 or driver.execute_script("return document.querySelectorAll('canvas').length") < 6
    assert max(held[1:]) - held[0] < 40e6  # one picture of this image is 2.5 MB, and thirty are 77 MB


@pytest.fixture
def at(standing: Standing, gradient_site: Path) -> Iterator[Chromium]:
    yield standing(gradient_site).driver
    standing.clear()


@pytest.mark.parametrize("width", [390, 1280])
def test_maps_fit_the_screen_and_every_control_has_a_name(at: Chromium, tmp_path: Path, width: int) -> None:
    metrics = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 600}
    at.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        name = "a-very-long-name-without-any-space-in-it" * 4 + ".png"
        choose(at, written(tmp_path, name, encoded()))
        (card,) = cards(at, 1)
        section = open_map(card)
        press(section, "Compare")
        wait_for_maps(card)
        section.find_element(By.CSS_SELECTOR, ".reasons summary").click()
        assert at.execute_script("return document.documentElement.scrollWidth") <= width
        first, second = section.find_elements(By.CLASS_NAME, "map-view")
        assert (first.rect["y"] < second.rect["y"]) == (width == 390)
    finally:
        at.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    nodes = at.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    shown = [node for node in nodes if not node["ignored"]]
    roles = {"button", "image", "img", "combobox", "slider", "region", "progressbar", "meter"}
    unnamed = [
        node["role"]["value"]
        for node in shown
        if node["role"]["value"] in roles and not node.get("name", {}).get("value")
    ]
    assert unnamed == []
    sliders = [node["name"]["value"] for node in shown if node["role"]["value"] == "slider"]
    assert len(sliders) == 2


def test_the_keyboard_reaches_the_maps(at: Chromium, tmp_path: Path) -> None:
    choose(at, written(tmp_path, "a.png", encoded()))
    (card,) = cards(at, 1)
    at.execute_script("arguments[0].focus()", card.find_element(By.CLASS_NAME, "finding-open"))
    ActionChains(at).send_keys(Keys.ENTER).perform()
    wait_for_maps(card)
    assert "finding-open" in (at.switch_to.active_element.get_attribute("class") or "")
    reached = []
    for _ in range(60):
        ActionChains(at).send_keys(Keys.TAB).perform()
        active = at.switch_to.active_element
        reached.append(active.get_attribute("name") or active.text.split("\n")[0])
        if reached[-1] == "Close the maps":
            break
    assert [name for name in reached if name in ("opacity", "threshold", "colour_map")] == [
        "opacity",
        "threshold",
        "colour_map",
    ]
    assert {"Save as PNG", "Compare with another map"} <= set(reached)
    slider = card.find_element(By.CSS_SELECTOR, "input[name=opacity]")
    slider.send_keys(Keys.ARROW_LEFT)
    assert slider.get_attribute("aria-valuetext") == "70 %"
    set_range(card, "opacity", 30)
    WebDriverWait(at, 30).until(lambda _: "30 %" in card.find_element(By.CLASS_NAME, "look").text)
