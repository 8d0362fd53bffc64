"""Causal effect maps in the built page: when the first picture comes, when the last, and whether the map is Python's.

    python benchmarks/causal_effects.py [--site dist] [--bundle DIR] [--rounds 3]

Headless Chromium, one thread of WebAssembly. Times go from choosing the method in a card to the first picture, and to
the end of all runs; the time that the classifier takes in the same page stands beside them. The map of the same image
that `window.sitegen` gives is compared with Python's, cell by cell; so is a "what if" of the same square. How much the
first picture tells is its rank correlation with the last one, in Python, over the same masks.
"""

import argparse
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np
from explanations_in_page import classifier_time, open_example
from scipy.stats import spearmanr

from sitegen.browser.chromium import Chromium, chromium
from sitegen.browser.page import SitePage, site_address
from sitegen.bundle import Bundle, load_bundle
from sitegen.prediction import Predictor
from sitegen.resources import default_bundle
from sitegen_runtime.maps import masked_runs
from sitegen_runtime.maps.causal_effect import FIRST_SKETCH, RUNS

_CLICK = """
const [view, method, done] = arguments;
const select = view.querySelectorAll("select")[1];
const start = performance.now();
let first = null;
const seen = () => {
  if (first === null && view.querySelector(".legend:not([hidden])")) first = performance.now() - start;
  if (first === null || view.getAttribute("aria-busy") !== "false") return;
  observer.disconnect();
  requestAnimationFrame(() => done([first, performance.now() - start]));
};
const observer = new MutationObserver(seen);
observer.observe(view, {attributes: true, subtree: true, attributeFilter: ["aria-busy", "hidden"]});
select.value = method;
select.dispatchEvent(new Event("change"));
"""


def told(page: SitePage[Chromium], rounds: int) -> None:
    """Print how long the map takes in the page."""
    view = open_example(page)
    times = [page.driver.execute_async_script(_CLICK, view, "cem") for _ in range(rounds)]
    for what, values in zip(("first picture", f"all {RUNS} runs"), zip(*times, strict=True), strict=True):
        print(
            f"{what}: {statistics.median(values) / 1000:.2f} s ({min(values) / 1000:.2f} to {max(values) / 1000:.2f})"
        )


def compared(page: SitePage[Chromium], bundle: Bundle, finding: str) -> None:
    """Print how far the page's map is from Python's, and how much its first picture tells."""
    image, wanted = bundle.path("golden.png").read_bytes(), [{"finding": finding, "method": "cem"}]
    start = time.process_time()
    whole = _values(Predictor(bundle), image, wanted)
    print(f"Python: {time.process_time() - start:.1f} s of CPU time")
    theirs = page.analyse(image, "golden.png", explain=wanted, values=True)["explanations"][0]["values"]
    print(f"page and Python: at most {np.abs(np.array(theirs) - whole).max():.1e} apart in a cell")
    masked_runs.__dict__["RUNS"] = FIRST_SKETCH  # the way to a map of fewer runs
    early = _values(Predictor(bundle), image, wanted)
    print(f"rank correlation of {FIRST_SKETCH} runs with {RUNS}: {spearmanr(early, whole).statistic:.2f}")


def _values(predictor: Predictor, image: bytes, wanted: list[dict[str, str]]) -> Any:
    return np.array(predictor.explain(image, wanted).maps[0].values)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--site", type=Path, default=Path("dist"))
    parser.add_argument("--bundle", type=Path, default=default_bundle())
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    bundle = load_bundle(given.bundle)
    with site_address(given.site, "file") as url, chromium() as driver:
        driver.set_script_timeout(600)
        page = SitePage(driver, url)
        page.wait_until_ready()
        forward = classifier_time(page, bundle.path("golden.png").read_bytes(), 5)
        print(f"classifier: {statistics.median(forward):.0f} ms")
        told(page, given.rounds)
        compared(page, bundle, bundle.description.labels[0].name)


if __name__ == "__main__":
    main()
