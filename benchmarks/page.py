"""How long a person waits for the page, and how much memory it takes, in headless Chromium.

    python benchmarks/page.py [--site dist] [--runs 5] [--json FILE]

For each transport (file://, http from a loopback server that does not compress), cold (an empty browser profile) and
warm (the profile of the run before): time to usable (`sitegen.ready`), to the first result after that, and for each
following image; then the renderer's memory beside that of a blank page (Linux only). The image is the bundle's golden
example. Medians are what to quote; on a busy machine the range tells how much they are worth.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from renderer_memory import renderer_memory
from rich.console import Console
from rich.progress import track
from rich.table import Table

from sitegen import resources
from sitegen.browser.chromium import chromium
from sitegen.browser.page import SitePage, site_address
from sitegen.bundle import load_bundle

FOLLOWING = 10
Run = dict[str, float]


def measure(site: Path, transport: str, profile: str, image: bytes) -> Run:
    """Open the site once in a browser with this profile; return milliseconds, and megabytes of memory."""
    with site_address(site, transport) as url, chromium(profile=profile) as driver:
        blank = renderer_memory(driver)
        page = SitePage(driver, url)
        run = {"usable": page.wait_until_ready()}
        run["first result"], stages = timed(page, image)
        run["following image"] = statistics.median(timed(page, image)[0] for _ in range(FOLLOWING))
        run |= {f"stage {stage}": milliseconds for stage, milliseconds in stages.items()}
        memory = renderer_memory(driver)
    if blank and memory:
        run |= {"blank page MB": blank.resident, "resident MB": memory.resident, "peak MB": memory.peak}
    return run


def timed(page: SitePage, image: bytes) -> tuple[float, dict[str, float]]:
    """Return the milliseconds from handing an image over to its result, as the caller sees them, and by stage."""
    start = time.perf_counter()
    document = page.analyse(image, "golden.png", force=True)
    return 1000 * (time.perf_counter() - start), document["timings"]


@contextmanager
def empty_profile() -> Iterator[str]:
    """Yield the folder of a browser profile that nothing was stored in yet."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        yield folder


def benchmark(site: Path, runs: int) -> dict[str, list[Run]]:
    """Return the runs of each condition. Conditions alternate, so that a drift of the machine meets all alike."""
    bundle = load_bundle(resources.default_bundle())
    assert bundle.description.golden, "the shipped bundle has a golden example"
    image = bundle.path(bundle.description.golden.image).read_bytes()
    results: dict[str, list[Run]] = {}
    for _ in track(range(runs), "Measuring", console=Console(stderr=True)):
        for transport in ("file", "http"):
            with empty_profile() as profile:
                for state in ("cold", "warm"):
                    results.setdefault(f"{transport}, {state}", []).append(measure(site, transport, profile, image))
    return results


def table(results: dict[str, list[Run]]) -> Table:
    """Return medians, with the range, of every quantity and condition."""
    shown = Table("quantity", *results, title="Median (minimum to maximum)")
    for quantity in next(iter(results.values()))[0]:
        cells = []
        for runs in results.values():
            values = [run[quantity] for run in runs]
            cells.append(f"{statistics.median(values):.0f} ({min(values):.0f} to {max(values):.0f})")
        shown.add_row(quantity if quantity.endswith("MB") else f"{quantity} ms", *cells)
    return shown


def site_facts(site: Path) -> dict[str, Any]:
    """Return how many bytes a first visit loads, and the largest file."""
    files = [path for path in site.rglob("*") if path.is_file()]
    loaded = [site / "index.html", *(site / "assets").rglob("*.js")]
    return {
        "cold load MB": sum(path.stat().st_size for path in loaded) / 1e6,
        "largest file MiB": max(path.stat().st_size for path in files) / 2**20,
    }


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--site", type=Path, default=Path("dist"))
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", type=Path, help="also write all runs here")
    options = parser.parse_args()
    results = benchmark(options.site, options.runs)
    facts = site_facts(options.site)
    console = Console(width=120)
    console.print(table(results))
    for name, value in facts.items():
        console.print(f"{name}: {value:.1f}")
    if options.json:
        options.json.write_text(json.dumps({"site": facts, "runs": results}, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
