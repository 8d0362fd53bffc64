"""How far the page's adversarial noise is from Python's, for the bundle that ships.

    python benchmarks/noise_in_page.py [--site dist] [--images 2]

One visit of a site over file:// in headless Chromium. Synthetic radiographs of 700 x 700 pixels are attacked in page
and Python by each method at both sizes that the page offers, with its default of 10 steps. Printed are the largest
differences, over findings and images, of a probability after the attack and of a change of a logit, of the gate's
score, and the mean losses after it, in nats.
"""

import argparse
import io
from pathlib import Path
from statistics import fmean
from typing import Any

from PIL import Image
from rich.box import MARKDOWN
from rich.console import Console
from rich.table import Table

from sitegen import resources
from sitegen.browser.chromium import chromium
from sitegen.browser.page import SitePage, site_address
from sitegen.bundle import load_bundle
from sitegen.phantom import phantom
from sitegen.prediction import Predictor
from sitegen_runtime.attacks.table import ATTACKS, SMALL, STRENGTH


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--site", type=Path, default=Path("dist"))
    parser.add_argument("--images", type=int, default=2)
    arguments = parser.parse_args()
    wanted = [
        {"attack": {"method": method, "strength": strength}} for method in ATTACKS for strength in (STRENGTH, SMALL)
    ]
    files = [_file(seed) for seed in range(1, arguments.images + 1)]
    predictor = Predictor(load_bundle(resources.default_bundle()))
    expected = [predictor.what_if(data, wanted, force=True).document["what_if"] for data in files]
    with site_address(arguments.site, "file") as url, chromium() as driver:
        page = SitePage(driver, url)
        page.wait_until_ready()
        given = [page.analyse(data, "a.png", whatIf=wanted, force=True)["what_if"] for data in files]
    table = Table("attack", "probability", "logit", "gate", "loss in the page", "in Python", box=MARKDOWN)
    for number, wish in enumerate(wanted):
        pairs = [(page[number], python[number]) for page, python in zip(given, expected, strict=True)]
        table.add_row(f"{wish['attack']['method']}, {wish['attack']['strength']:.2g}", *_compared(pairs))
    Console(width=120).print(table)


def _file(seed: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(phantom(seed, 700)).save(buffer, "PNG")
    return buffer.getvalue()


def _compared(pairs: list[tuple[Any, Any]]) -> list[str]:
    both = [found for page, python in pairs for found in zip(page["findings"], python["findings"], strict=True)]
    furthest = [max(abs(ours[key] - theirs[key]) for ours, theirs in both) for key in ("after", "logit_effect")]
    gates = max(abs(page["gate"]["score"] - python["gate"]["score"]) for page, python in pairs)
    losses = [fmean(pair[side]["loss"]["after"] for pair in pairs) for side in (0, 1)]
    return [*(f"{number:.1e}" for number in (*furthest, gates)), *(f"{loss:.2f}" for loss in losses)]


if __name__ == "__main__":
    main()
