"""How much memory a page takes in headless Chromium beyond a blank page, with much and with little of it (on Linux).

    python benchmarks/memory.py [--site dist] [--bundle DIR] [--before DIR] [--runs 5] [--json FILE]

Each visit is a fresh browser: the page is opened over file://, and the golden example analysed six times, then once
with three maps. The renderer's peak so far is taken when the page is ready, after the first image, after the sixth, and
after the maps. `--before` names a site of another version, which is visited in turns with the first; `--bundle` the
bundle of the site, where it is not the one that ships.
"""

import argparse
import json
import statistics
from collections.abc import Iterator
from pathlib import Path

from page import golden_image
from page_visit import choose
from renderer_memory import Memory, renderer_memory, watched
from rich.console import Console
from rich.progress import track
from rich.table import Table

from sitegen import resources
from sitegen.browser.chromium import Chromium, chromium
from sitegen.browser.page import SitePage, site_address
from sitegen.bundle import load_bundle

Visit = dict[str, float]
METHODS = ("grad-cam", "saliency", "guided-grad-cam")
IMAGES = 6


def visit(site: Path, memory: str, image: bytes, finding: str) -> Visit:
    """Open a site once in a fresh browser; return megabytes above the blank page."""
    with chromium() as driver, site_address(site, "file") as url:
        blank = measured(driver).resident
        choose(driver, memory=memory)
        with watched(driver) as peak:
            found = {"blank page": blank}
            for name in use(SitePage(driver, url), image, finding):
                peak.see(measured(driver))
                found[f"peak, {name}"] = peak.megabytes - blank
                found[f"then, {name}"] = measured(driver).resident - blank
    return found


def use(page: SitePage[Chromium], image: bytes, finding: str) -> Iterator[str]:
    """Do what a person does, and yield the name of each step that is done."""
    page.wait_until_ready()
    yield "ready"
    page.analyse(image, "golden.png", force=True)
    yield "first image"
    for _ in range(IMAGES - 1):
        page.analyse(image, "golden.png", force=True)
    yield "six images"
    page.analyse(image, "golden.png", force=True, explain=[{"finding": finding, "method": way} for way in METHODS])
    yield "maps"


def measured(driver: Chromium) -> Memory:
    """Return the renderer's memory. Raises SystemExit where the system does not tell."""
    memory = renderer_memory(driver)
    if memory is None:
        raise SystemExit("Memory can be measured on Linux only.")
    return memory


def benchmark(conditions: dict[str, tuple[Path, str]], folder: Path, runs: int) -> dict[str, list[Visit]]:
    """Return the visits of each condition: a site, and the setting of its memory. Conditions take turns."""
    bundle, image = load_bundle(folder), golden_image()
    finding = bundle.model.labels[0].name
    results: dict[str, list[Visit]] = {name: [] for name in conditions}
    for _ in track(range(runs), "Measuring", console=Console(stderr=True)):
        for name, (site, memory) in conditions.items():
            results[name].append(visit(site, memory, image, finding))
    return results


def table(results: dict[str, list[Visit]]) -> Table:
    """Return medians, with the range, of every quantity and condition."""
    shown = Table("MB", *results, title="Above the blank page: median (minimum to maximum)")
    for quantity in next(iter(results.values()))[0]:
        columns = [[one[quantity] for one in visits] for visits in results.values()]
        shown.add_row(quantity, *(f"{statistics.median(c):.0f} ({min(c):.0f} to {max(c):.0f})" for c in columns))
    return shown


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--site", type=Path, default=Path("dist"))
    parser.add_argument("--bundle", type=Path, default=resources.default_bundle())
    parser.add_argument("--before", type=Path, help="a site of another version")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", type=Path, help="also write all visits here")
    options = parser.parse_args()
    conditions = {"full": (options.site, "full"), "low": (options.site, "low")}
    if options.before:
        conditions = {"before": (options.before, "full")} | conditions
    results = benchmark(conditions, options.bundle, options.runs)
    Console(width=120).print(table(results))
    if options.json:
        options.json.write_text(json.dumps(results, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
