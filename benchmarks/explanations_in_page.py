"""Explanations in the built page: how long from the click to the map, whether memory grows, whether they are Python's.

    python benchmarks/explanations_in_page.py [--site dist] [--bundle DIR] [--images DIR] [--count 50] [--rounds 10]

A click's time goes from choosing a method in a card to the map on the screen, in headless Chromium on one thread; it is
compared with the time that the classifier takes for the same image in the same page. Maps of images in a folder are
compared with those that Python makes: the length of their difference as a share of the length of Python's map.
"""

import argparse
import statistics
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from median_interval import median_interval
from renderer_memory import renderer_memory
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from sitegen.browser.chromium import Chromium, chromium
from sitegen.browser.page import SitePage, site_address
from sitegen.bundle import load_bundle
from sitegen.prediction import Predictor
from sitegen.resources import default_bundle

QUICK = ("saliency", "grad-cam", "cam", "guided-grad-cam")
SLOW = ("smoothgrad", "integrated-gradients")
EXPLANATIONS = 200
_CLICK = """
const [view, method, done] = arguments;
const select = view.querySelectorAll("select")[1];
const start = performance.now();
new MutationObserver((_, observer) => {
  if (view.getAttribute("aria-busy") !== "false") return;
  observer.disconnect();
  requestAnimationFrame(() => done(performance.now() - start));
}).observe(view, {attributes: true, attributeFilter: ["aria-busy"]});
select.value = method;
select.dispatchEvent(new Event("change"));
"""


def open_example(page: SitePage[Chromium]) -> Any:
    """Analyse the example image, open its first finding's map, and return the element that shows it."""
    driver = page.driver
    driver.find_element("id", "example").click()
    wait = WebDriverWait(driver, 60)
    wait.until(lambda _: driver.find_elements(By.CSS_SELECTOR, ".card[aria-busy=false] .finding-open"))
    driver.find_element(By.CSS_SELECTOR, ".finding-open").click()
    wait.until(lambda _: driver.find_elements(By.CSS_SELECTOR, ".map-view[aria-busy=false]"))
    return driver.find_element(By.CSS_SELECTOR, ".map-view")


def click_times(page: SitePage[Chromium], view: Any, rounds: int) -> dict[str, list[float]]:
    """Return milliseconds from click to map, by method; each round has every method once."""
    click = page.driver.execute_async_script
    for method in QUICK:
        click(_CLICK, view, method)  # the first use of a graph makes its session
    times: dict[str, list[float]] = {method: [] for method in (*QUICK, *SLOW)}
    for number in range(rounds):
        for method in (*QUICK, *(SLOW if number < 3 else ())):
            times[method].append(click(_CLICK, view, method))
    return times


def classifier_time(page: SitePage[Chromium], image: bytes, rounds: int) -> list[float]:
    """Return the milliseconds that the classifier takes, from the documents of the page."""
    documents = [page.analyse(image, "golden.png") for _ in range(rounds + 1)]
    return [document["timings"]["classifier"] for document in documents[1:]]


def growth(page: SitePage[Chromium], view: Any) -> float:
    """Return by how many megabytes the renderer grows over the second half of many explanations."""
    sizes = []
    for number in range(EXPLANATIONS):
        page.driver.execute_async_script(_CLICK, view, QUICK[number % len(QUICK)])
        memory = renderer_memory(page.driver)
        sizes.append(memory.resident if memory else float("nan"))
    half = EXPLANATIONS // 2
    return statistics.median(sizes[-20:]) - statistics.median(sizes[half : half + 20])


def differences(
    page: SitePage[Chromium], predictor: Predictor, images: list[Path], finding: str
) -> dict[str, list[float]]:
    """Return, by method, how far the page's map of each image is from Python's."""
    wanted = [{"finding": finding, "method": method} for method in (*QUICK, *SLOW)]
    found: dict[str, list[float]] = {method: [] for method in (*QUICK, *SLOW)}
    for number, path in enumerate(images):
        asked = wanted if number < 5 else wanted[: len(QUICK)]
        ours = predictor.explain(path, asked, force=True).maps
        theirs = page.analyse(path.read_bytes(), path.name, force=True, explain=asked, values=True)["explanations"]
        for mine, entry in zip(ours, theirs, strict=True):
            expected = np.asarray(mine.values, np.float64)
            length = float(np.linalg.norm(expected))
            apart = float(np.linalg.norm(np.asarray(entry["values"]) - expected))
            found[mine.method].append(apart / length if length else apart)
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--site", type=Path, default=Path("dist"))
    parser.add_argument("--bundle", type=Path, default=default_bundle())
    parser.add_argument("--images", type=Path)
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=10)
    given = parser.parse_args()
    bundle = load_bundle(given.bundle)
    with site_address(given.site, "file") as url, chromium() as driver:
        page = SitePage(driver, url)
        page.wait_until_ready()
        view = open_example(page)
        forward = statistics.median(classifier_time(page, bundle.path("golden.png").read_bytes(), given.rounds))
        print(f"classifier {forward:.0f} ms")
        for method, times in click_times(page, view, given.rounds).items():
            ratio = median_interval([time / forward for time in times]).text()
            print(f"{method}: {statistics.median(times):.0f} ms, {ratio} predictions")
        if given.images:
            files = sorted(path for path in given.images.iterdir() if path.suffix in (".png", ".jpg", ".jpeg"))
            step = max(1, len(files) // given.count)
            chosen = list(islice(files[::step], given.count))
            found = differences(page, Predictor(bundle), chosen, bundle.description.labels[0].name)
            for method, values in found.items():
                middle = statistics.median(values)
                print(f"{method}: {len(values)} images, relative L2 median {middle:.1e}, worst {max(values):.1e}")
        print(f"renderer: {growth(page, view):+.1f} MB over the second half of {EXPLANATIONS} explanations")


if __name__ == "__main__":
    main()
