"""Hundreds of images in one go: whether all are done, how long the page is deaf meanwhile, and what memory it keeps.

    python benchmarks/work_list.py [--site dist] [--before DIR] [--images 500] [--memory-at 20] [--json FILE]

Synthetic radiographs (`sitegen.phantom`) are chosen at once in headless Chromium, on one thread, from a disk. Reported
are the images that got a result; the seconds until the last; the longest task of the page's main thread from the choice
on (the browser's own `longtask` entries: what is shorter than 50 ms counts as 0), and the number of such tasks; and
what the page's process holds, after a collection, when `--memory-at` images are done and when all are (Linux only).
`--before` names a site of another version, which is measured after the first.
"""

import argparse
import json
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from PIL import Image
from renderer_memory import renderer_memory
from rich.console import Console
from rich.progress import Progress

from sitegen.browser.chromium import Chromium, chromium
from sitegen.browser.page import SitePage, site_address
from sitegen.phantom import phantom

KINDS = 8  # phantoms that differ; the others are copies under another name
SIDE = 768
OBSERVE = """
window.tasks = [];
window.ended = 0;
new PerformanceObserver((list) => { for (const {duration} of list.getEntries()) tasks.push(duration); })
  .observe({type: "longtask"});
"""
# Of a list: what it says of itself. Of cards, as the page had before: those that are no longer busy.
DONE = """
const count = document.querySelector(".list-count")?.textContent.match(/^(\\d+) of/);
return count ? Number(count[1]) : document.querySelectorAll(".card[aria-busy=false]").length;
"""


@dataclass
class Run:
    """What one site did; milliseconds, seconds, megabytes."""

    site: str
    done: int
    seconds: float
    longest_task: float
    long_tasks: int
    memory_early: float | None
    memory_late: float | None

    def lines(self, early: int) -> list[str]:
        """Return the run in words."""
        memory = []
        if self.memory_early and self.memory_late:
            ratio = self.memory_late / self.memory_early
            memory = [
                f"  memory {self.memory_early:.0f} MB after {early}, {self.memory_late:.0f} MB at the end ({ratio:.2f})"
            ]
        return [
            f"{self.site}: {self.done} images in {self.seconds:.0f} s",
            f"  longest task {self.longest_task:.0f} ms, {self.long_tasks} of 50 ms or more",
            *memory,
        ]


def measure(site: Path, images: list[Path], early: int, progress: Progress) -> Run:
    """Return what a site does with all images."""
    task = progress.add_task(str(site), total=len(images))
    with site_address(site, "file") as url, chromium() as driver:
        page = SitePage(driver, url)
        page.wait_until_ready()
        driver.execute_script(OBSERVE)
        began = time.perf_counter()
        driver.find_element("id", "files").send_keys("\n".join(map(str, images)))
        memory_early = None
        done, moved = 0, began
        while done < len(images) and time.perf_counter() - moved < 120:
            time.sleep(0.5)
            now = int(driver.execute_script(DONE))
            if now > done:
                done, moved = now, time.perf_counter()
                progress.update(task, completed=done)
            if memory_early is None and done >= early:
                memory_early = resident(driver)
        seconds = moved - began
        tasks: list[float] = driver.execute_script("return window.tasks")
        return Run(str(site), done, seconds, max(tasks, default=0.0), len(tasks), memory_early, resident(driver))


def resident(driver: Chromium) -> float | None:
    """Return what the page's process holds, after a collection."""
    driver.execute_cdp_cmd("HeapProfiler.collectGarbage", {})
    time.sleep(0.5)
    memory = renderer_memory(driver)
    return memory.resident if memory else None


def write_images(folder: Path, count: int) -> list[Path]:
    """Write the files of so many images."""
    contents = []
    for seed in range(min(KINDS, count)):
        path = folder / f"phantom {seed}.png"
        Image.fromarray(phantom(seed, SIDE)).save(path)
        contents.append(path.read_bytes())
    paths = [folder / f"{number:04}.png" for number in range(count)]
    for number, path in enumerate(paths):
        path.write_bytes(contents[number % len(contents)])
    return paths


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--site", type=Path, default=Path("dist"))
    parser.add_argument("--before", type=Path, help="a site of another version")
    parser.add_argument("--images", type=int, default=500)
    parser.add_argument("--memory-at", type=int, default=20)
    parser.add_argument("--json", type=Path, help="also write the figures here")
    options = parser.parse_args()
    sites = [options.site, *([options.before] if options.before else [])]
    with tempfile.TemporaryDirectory() as folder, Progress(console=Console(stderr=True)) as progress:
        images = write_images(Path(folder), options.images)
        runs = [measure(site, images, options.memory_at, progress) for site in sites]
    for run in runs:
        print("\n".join(run.lines(options.memory_at)))
    if options.json:
        options.json.write_text(json.dumps([asdict(run) for run in runs], indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
