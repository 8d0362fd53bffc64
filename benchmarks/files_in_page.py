"""How long the page takes for radiographs of the sizes that detectors have, as JPEG and PNG.

    python benchmarks/files_in_page.py [--site dist] [--before DIR] [--browser chromium] [--rounds 6] [--json FILE]

In every round each file has its turn, in a fresh headless browser, over file:// and so with one thread; with `--before`
once in that site, too, right before or after. A visit is the first image, and the median of the three that follow it:
milliseconds from handing the file over to its result, measured in the page, and the stages that the document tells of.
Beside them stand the processor time of the page's process for each following image, which says more on a busy machine,
and the peak of its memory above a blank page (both on Linux only). Ratios are taken within a round. Pictures are
synthetic, with the noise of a detector, so that they compress as radiographs do.
"""

import argparse
import io
import json
import statistics
from pathlib import Path

import numpy as np
from handed_over import analysed, hand_over
from median_interval import median_interval
from numpy.typing import NDArray
from PIL import Image
from renderer_memory import renderer_memory, renderer_seconds, watched
from rich.box import MARKDOWN
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from samples import ratios, summarise

from sitegen.browser.engines import ENGINES
from sitegen.browser.page import SitePage, site_address
from sitegen.phantom import phantom

FOLLOWING = 3
STAGES = ("check", "pixels", "gate", "classifier")
COMPARED = ("following", "processor", "peak")
QUANTITIES = ("first", "following", *STAGES, "processor", "peak")
NOW, BEFORE = "now", "before"
Visit = dict[str, float]
Results = dict[str, dict[str, list[Visit]]]


def radiograph(side: int, bits: int) -> NDArray[np.integer]:
    """Return a square radiograph of 8 or 16 bits with noise of half a percent of full scale; of 16 bits, 12 differ."""
    small = Image.fromarray(phantom(seed=1, size=512)).resize((side, side), Image.Resampling.BICUBIC)
    noisy = np.asarray(small) + np.random.default_rng(0).normal(0, 1.3, (side, side))
    cells = np.clip(noisy * 16, 0, 4095).astype(np.uint16)
    return (cells >> 4).astype(np.uint8) if bits == 8 else cells << 4


def files() -> dict[str, bytes]:
    """Return a file of each kind by its name."""
    return {
        "JPEG 1024²": _saved(1024, 8, "JPEG"),
        "JPEG 2048²": _saved(2048, 8, "JPEG"),
        "JPEG 4000²": _saved(4000, 8, "JPEG"),
        "JPEG 2048², colour": _saved(2048, 8, "JPEG", mode="RGB"),
        "PNG 3000², 8 bits": _saved(3000, 8, "PNG"),
        "PNG 2500², 16 bits": _saved(2500, 16, "PNG"),
    }


def _saved(side: int, bits: int, kind: str, mode: str | None = None) -> bytes:
    image, out = Image.fromarray(radiograph(side, bits)), io.BytesIO()
    options = {"quality": 95} if kind == "JPEG" else {}
    (image.convert(mode) if mode else image).save(out, kind, **options)
    return out.getvalue()


def visit(site: Path, engine: str, data: bytes) -> Visit:
    """Open the site in a fresh browser, and the file several times in it."""
    with ENGINES[engine].start() as driver, site_address(site, "file") as url:
        blank = renderer_memory(driver)
        SitePage(driver, url).wait_until_ready()
        hand_over(driver, data)
        with watched(driver, seconds=0.05) as peak:
            first, begin = analysed(driver), renderer_seconds(driver)
            following = [analysed(driver) for _ in range(FOLLOWING)]
            end = renderer_seconds(driver)
        peak.see(renderer_memory(driver))
    found = {"first": first.milliseconds, "following": statistics.median(each.milliseconds for each in following)}
    for stage in STAGES:
        found[stage] = statistics.median(each.document["timings"].get(stage, 0.0) for each in following)
    if begin is not None and end is not None:
        found["processor"] = 1000 * (end - begin) / FOLLOWING
    return found | ({"peak": peak.megabytes - blank.resident} if blank else {})


def benchmark(sites: dict[str, Path], kinds: dict[str, bytes], engine: str, rounds: int) -> Results:
    """Return the visits by file and site, one a round, in turns that go forwards and backwards."""
    results: Results = {name: {site: [] for site in sites} for name in kinds}
    turns = [(name, site) for name in kinds for site in sites]
    with Progress(console=Console(stderr=True)) as progress:
        for number in progress.track(range(rounds), description="Measuring"):
            for name, site in turns if number % 2 == 0 else reversed(turns):
                results[name][site].append(visit(sites[site], engine, kinds[name]))
    return results


def table(results: Results, kinds: dict[str, bytes]) -> Table:
    """Return medians with ranges."""
    units = (f"{each}, MB" if each == "peak" else f"{each}, ms" for each in QUANTITIES)
    shown = Table("file", "MB", "site", *units, box=MARKDOWN)
    for name, by_site in results.items():
        for site, visits in by_site.items():
            columns = ([one.get(each) for one in visits] for each in QUANTITIES)
            texts = (summarise(column).text() if None not in column else "" for column in columns)
            shown.add_row(name, f"{len(kinds[name]) / 1e6:.1f}", site, *texts)
    return shown


def ratio_table(results: Results) -> Table:
    """Return what each file takes beside the site before: median of the rounds' ratios, and its interval."""
    shown = Table("file", *COMPARED, title="Ratio to the site before", box=MARKDOWN)
    for name, by_site in results.items():
        pairs = ([[one.get(each) for one in by_site[site]] for site in (NOW, BEFORE)] for each in COMPARED)
        shown.add_row(name, *(median_interval(found).text() if (found := ratios(*pair)) else "" for pair in pairs))
    return shown


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--site", type=Path, default=Path("dist"))
    parser.add_argument("--before", type=Path, help="a site of another version")
    parser.add_argument("--browser", choices=list(ENGINES), default="chromium")
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--file", action="append", help="only files whose name holds this; repeatable")
    parser.add_argument("--json", type=Path, help="also write all visits here")
    options = parser.parse_args()
    kinds = {name: data for name, data in files().items() if not options.file or any(p in name for p in options.file)}
    sites = {NOW: options.site} | ({BEFORE: options.before} if options.before else {})
    results = benchmark(sites, kinds, options.browser, options.rounds)
    console = Console(width=220)
    console.print(table(results, kinds))
    if options.before:
        console.print(ratio_table(results))
    if options.json:
        options.json.write_text(json.dumps(results, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
