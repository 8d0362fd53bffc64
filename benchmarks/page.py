"""How long a person waits for the page, and how much memory it takes, in each way to open it.

    python benchmarks/page.py [--site dist] [--before DIR] [--rounds 6] [--slow-rounds 1] [--browser NAME]
        [--pause SECONDS] [--json FILE]

In every round each way has its turn: from a disk, from a server that isolates the page, from a plain one; with one
thread and with two; in Chromium, Firefox and WebKitGTK where they are installed; and for `--slow-rounds` rounds in
Chromium with WebGPU in software. `--before` names a site of another version, which takes turns with the first. A visit
is a fresh browser, with nothing stored (cold) or with what the visit before stored (warm): time to usable
(`sitegen.ready`), to the first result after that, or after `--pause` seconds more, in which a person looks for a file,
and for each following image; the peak of the renderer's memory above that of a blank page (Linux only). The image is
the bundle's golden example. Ratios are taken within a round.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path

from median_interval import median_interval
from page_visit import Visit, Way, visits
from rich.box import MARKDOWN
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from samples import ratios, summarise

from sitegen import resources
from sitegen.browser.engines import ENGINES
from sitegen.bundle import load_bundle

QUANTITIES = ("usable", "first result", "following image", "peak above blank")
Rounds = list[Visit | None]


def ways(site: Path, before: Path | None, engines: list[str], pause: float = 0.0) -> list[Way]:
    """Return every way to open the site in these engines, and those in which the one before it can be opened too."""
    found: list[Way] = []
    for engine in engines:
        for host in ("file", "http"):
            found += [Way("before", before, host, engine)] if before else []
            found.append(Way("now", site, host, engine))
    more = [Way("now", site, "plain http"), Way("now", site, "http", threads=2)]
    return [replace(way, pause=pause) for way in (*found, *(more if "chromium" in engines else []))]


def slow_ways(site: Path, engines: list[str]) -> list[Way]:
    """Return the ways that take minutes."""
    return [Way("now", site, "file", provider="webgpu", following=2)] if "chromium" in engines else []


def benchmark(usual: list[Way], slow: list[Way], rounds: int, slow_rounds: int) -> dict[str, Rounds]:
    """Return the visits of each way and state, one a round, None where it sat out."""
    image = golden_image()
    results: dict[str, Rounds] = {}
    with Progress(console=Console(stderr=True)) as progress:
        for number in progress.track(range(rounds), description="Measuring"):
            turns = [*usual, *(slow if number < slow_rounds else [])]
            for way in turns if number % 2 == 0 else reversed(turns):
                for state, visit in visits(way, image).items():
                    results.setdefault(f"{way.name}, {state}", [None] * rounds)[number] = visit
    return results


def golden_image() -> bytes:
    """Return the bytes of the shipped bundle's golden example."""
    bundle = load_bundle(resources.default_bundle())
    assert bundle.description.golden, "the shipped bundle has a golden example"
    return bundle.path(bundle.description.golden.image).read_bytes()


def values(rounds: Rounds, quantity: str) -> list[float | None]:
    """Return one quantity of a way, None where the way sat out or the system does not tell."""
    return [visit.get(quantity) if visit else None for visit in rounds]


def table(results: dict[str, Rounds]) -> Table:
    """Return medians, with the range, of every way and quantity."""
    units = [f"{quantity}, {'MB' if 'blank' in quantity else 'ms'}" for quantity in QUANTITIES]
    shown = Table("way", *units, title="Median (minimum to maximum)", box=MARKDOWN)
    for name in sorted(results):
        columns = [values(results[name], quantity) for quantity in QUANTITIES]
        shown.add_row(name, *(summarise(c).text() if any(v is not None for v in c) else "" for c in columns))
    return shown


def reference_of(name: str) -> str:
    """Return what a way is compared with: of several threads one, else the site before."""
    return name.replace(", 2 threads", "") if ", 2 threads" in name else name.replace("now,", "before,")


def ratio_table(results: dict[str, Rounds]) -> Table:
    """Return what each way takes beside its reference: the site before, or one thread."""
    shown = Table("way", "beside", *QUANTITIES, title="Ratio within a round, median (its interval)", box=MARKDOWN)
    for name in sorted(results):
        reference = reference_of(name)
        if reference == name or reference not in results:
            continue
        columns = [ratios(values(results[name], q), values(results[reference], q)) for q in QUANTITIES]
        shown.add_row(name, reference, *(median_interval(c).text() if c else "" for c in columns))
    return shown


def site_facts(site: Path) -> dict[str, float]:
    """Return the largest file's size; `sitegen build` says what a first visit loads."""
    sizes = [path.stat().st_size for path in site.rglob("*") if path.is_file()]
    return {"largest file MiB": max(sizes) / 2**20, "all files MB": sum(sizes) / 1e6}


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--site", type=Path, default=Path("dist"))
    parser.add_argument("--before", type=Path, help="a site of another version")
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--slow-rounds", type=int, default=1)
    parser.add_argument("--browser", action="append", choices=list(ENGINES), help="all that are installed, without it")
    parser.add_argument("--pause", type=float, default=0.0, help="seconds before the first image")
    parser.add_argument("--json", type=Path, help="also write all visits here")
    options = parser.parse_args()
    engines = options.browser or [name for name, engine in ENGINES.items() if engine.missing() is None]
    usual, slow = ways(options.site, options.before, engines, options.pause), slow_ways(options.site, engines)
    results = benchmark(usual, slow, options.rounds, options.slow_rounds)
    facts = site_facts(options.site)
    console = Console(width=160)
    console.print(table(results), ratio_table(results))
    for name, value in facts.items():
        console.print(f"{name}: {value:.1f}")
    if options.json:
        options.json.write_text(json.dumps({"site": facts, "rounds": results}, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
