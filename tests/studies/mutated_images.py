"""Damages image files at random and asks Python and a page of each: python -m tests.studies.mutated_images

They are PNG, JPEG, WebP and DICOM. Both have to give the same numbers, or the same code. It tells what became of the
files, the slowest of either side (Python in seconds of CPU, the page in seconds), and the most memory that Python took.
A file on which they differ, or for which a side takes longer than `--slow` seconds, is kept in a folder. A page that
does not answer any more ends the run; its files are kept.
"""

import argparse
import base64
import resource
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from sitegen.browser.driver import Driver
from sitegen.browser.engines import ENGINES
from sitegen.browser.page import SitePage, site_address
from sitegen.browser.parity import Comparison
from sitegen.bundle import Bundle
from sitegen.errors import BrowserError
from sitegen.prediction import Predictor
from sitegen.site import build_site
from tests.helpers.bundles import make_bundle
from tests.helpers.runtime.dicom_mutations import altered_frames, altered_headers
from tests.helpers.runtime.mutated_images import mutated

_AT_ONCE = 25
_ASK = """
const [files, done] = arguments;
(async () => {
  const answers = [];
  for (const [name, text] of files) {
    const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    const start = performance.now();
    const asked = window.sitegen.analyse(new Blob([bytes]), {name, force: true});
    const document = await asked.catch((error) => error.result);
    answers.push([document, performance.now() - start]);
  }
  done(answers);
})();
"""
Named = tuple[str, bytes]


@dataclass
class Course:
    """What was seen so far."""

    comparison: Comparison
    kept: Path
    slow: float
    outcomes: Counter[str] = field(default_factory=Counter)
    slowest: dict[str, tuple[float, str]] = field(default_factory=dict)

    def add(self, file: Named, page: Any, reference: Any, seconds: dict[str, float]) -> None:
        """Count a file; keep it where something is wrong with it."""
        name, before = file[0], len(self.comparison.failures)
        self.comparison.add(name, page, reference)
        self.outcomes[reference["error"]["code"] if "error" in reference else "a result"] += 1
        for side, took in seconds.items():
            self.slowest[side] = max(self.slowest.get(side, (0.0, "")), (took, name))
        wrong = len(self.comparison.failures) > before or reference.get("error", {}).get("code") == "internal-error"
        if wrong or max(seconds.values()) > self.slow:
            keep(self.kept, [file])

    def told(self) -> str:
        """One line."""
        outcomes = ", ".join(f"{count:,} {what}" for what, count in self.outcomes.most_common())
        slowest = ", ".join(f"{side} {took:.2f} s ({name})" for side, (took, name) in self.slowest.items())
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        failures = len(self.comparison.failures)
        said = f"{self.comparison.images:,} files: {outcomes}; {failures} differ; slowest {slowest}"
        return f"{said}; Python's peak {memory:.2f} GiB"


def keep(folder: Path, files: Iterable[Named]) -> None:
    """Write files under names that say what they are."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files:
        (folder / name.replace(" ", "-").replace(",", "")).write_bytes(data)


def damaged(seed: int, count: int, dicom: int) -> Iterator[Named]:
    """Pictures first, then DICOM files."""
    yield from mutated(seed, count)
    yield from ((f"{number} dicom header", data) for number, data in enumerate(altered_headers(seed, dicom * 3 // 4)))
    yield from ((f"{number} dicom frame", data) for number, data in enumerate(altered_frames(seed, dicom // 4)))


def ask(driver: Driver, predictor: Predictor, files: list[Named], course: Course) -> None:
    """Ask both sides of some files."""
    try:
        answers = driver.execute_async_script(_ASK, [[name, base64.b64encode(data).decode()] for name, data in files])
    except Exception:
        keep(course.kept / "no-answer", files)
        raise
    for file, (page, milliseconds) in zip(files, answers, strict=True):
        start = time.process_time()
        reference = predictor.analyse(file[1], file[0], force=True).document
        course.add(file, page, reference, {"Python": time.process_time() - start, "page": milliseconds / 1000})


def started(driver: Driver, address: str, attempts: int = 5) -> None:
    """Open the page; a machine that is busy with something else may take longer than is waited for."""
    for attempt in range(attempts):
        try:
            SitePage(driver, address).wait_until_ready()
            return
        except BrowserError:
            if attempt == attempts - 1:
                raise


def run(bundle: Bundle, site: Path, browser: str, files: Iterator[Named], course: Course) -> None:
    """Ask of all files in one browser, and tell every thousand of them."""
    predictor = Predictor(bundle)
    with ENGINES[browser].start() as driver, site_address(site, "http") as address:
        driver.set_script_timeout(600)
        started(driver, address)
        while some := list(islice(files, _AT_ONCE)):
            ask(driver, predictor, some, course)
            if course.comparison.images % 1000 < len(some):
                print(course.told(), flush=True)


def main() -> None:
    """Ask in the browser that was named, and say what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--browser", choices=list(ENGINES), default="chromium")
    parser.add_argument("--images", type=int, default=1_000)
    parser.add_argument("--dicom", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--slow", type=float, default=10.0)
    parser.add_argument("--keep", type=Path, default=Path("failed"))
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bundle = make_bundle(Path(folder) / "model")
        site = build_site(bundle, Path(folder) / "dist").folder
        course = Course(Comparison(bundle.model.labels), asked.keep, asked.slow)
        run(bundle, site, asked.browser, damaged(asked.seed, asked.images, asked.dicom), course)
    print(f"In {asked.browser}: {course.told()}", *course.comparison.failures[:50], sep="\n")
    raise SystemExit(bool(course.comparison.failures or course.outcomes["internal-error"]))


if __name__ == "__main__":
    main()
