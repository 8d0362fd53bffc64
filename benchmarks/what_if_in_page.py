"""How long the page takes to answer "What if…", beside a prediction of the same image.

    python benchmarks/what_if_in_page.py [--site dist] [--rounds 6] [--json FILE]

One visit of a site over file:// in headless Chromium, so with one thread. In every round the image, synthetic, of 768 x
768 pixels, is analysed once, and then each filling is asked for once in the what-if tool, with the region changed
meanwhile: milliseconds from handing the file over to its result, and from the change to the answer's table, both in the
page. Ratios are to the prediction of the same round.
"""

import argparse
import base64
import io
import json
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image
from rich.box import MARKDOWN
from rich.console import Console
from rich.table import Table
from samples import ratios, summarise
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

from sitegen.browser.chromium import Chromium, chromium
from sitegen.browser.page import SitePage, site_address
from sitegen.phantom import phantom

PREDICTION = "prediction"
FILLINGS = ("black", "mean", "blur", "reconstruction")
_ANALYSE = """
const [text, done] = arguments;
const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
const begin = performance.now();
sitegen.analyse(new Blob([bytes])).then(() => done(performance.now() - begin), (error) => done(String(error)));
"""
# Whatever makes the tool busy begins an answer; it ends with the first frame after the table is there.
_WATCH = """
window.answers = [];
const node = document.querySelector(".what-if");
let begin = 0;
new MutationObserver(() => {
  const isBusy = node.getAttribute("aria-busy") === "true";
  if (isBusy) begin ||= performance.now();
  else if (begin && node.querySelector(".changes-table")) {
    const started = begin;
    begin = 0;
    requestAnimationFrame(() => window.answers.push(performance.now() - started));
  }
}).observe(node, { attributes: true, childList: true, subtree: true });
"""


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--site", type=Path, default=Path("dist"))
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with site_address(options.site, "file") as url, chromium() as driver, tempfile.TemporaryDirectory() as folder:
        SitePage(driver, url).wait_until_ready()
        rounds = _visit(driver, Path(folder) / "image.png", options.rounds)
    if options.json:
        options.json.write_text(json.dumps(rounds, indent=2), encoding="utf-8")
    table = Table("", "ms", "of the prediction", box=MARKDOWN)
    for name in (PREDICTION, *FILLINGS):
        times = [each[name] for each in rounds]
        table.add_row(
            name, summarise(times).text(), summarise(ratios(times, [each[PREDICTION] for each in rounds])).text(2)
        )
    Console().print(table)


def _visit(driver: Chromium, file: Path, count: int) -> list[dict[str, float]]:
    buffer = io.BytesIO()
    Image.fromarray(phantom(seed=3, size=768)).save(buffer, "PNG")
    file.write_bytes(buffer.getvalue())
    driver.find_element(By.ID, "files").send_keys(str(file))
    WebDriverWait(driver, 60).until(lambda _: driver.find_elements(By.CSS_SELECTOR, ".card[aria-busy=false]"))
    driver.find_element(By.CSS_SELECTOR, "[data-action=what-if]").click()
    driver.execute_script(_WATCH)
    text = base64.b64encode(file.read_bytes()).decode()
    return [_round(driver, text) for _ in range(count + 1)][1:]  # the first one loads what later ones have


def _round(driver: Chromium, text: str) -> dict[str, float]:
    measured: dict[str, Any] = {PREDICTION: driver.execute_async_script(_ANALYSE, text)}
    stage = driver.find_element(By.CSS_SELECTOR, ".viewer-main .stage")
    stage.send_keys(Keys.ARROW_RIGHT, Keys.SPACE)
    for filling in FILLINGS:
        _answers(driver, 0)
        driver.execute_script("window.answers = []")
        Select(driver.find_element(By.CSS_SELECTOR, "[data-action=filling]")).select_by_value(filling)
        measured[filling] = _answers(driver, 1)[-1]
    return measured


def _answers(driver: Chromium, count: int) -> list[float]:
    """Wait until the tool is at rest and has given so many answers."""

    def at_rest(_: Chromium) -> bool:
        idle = driver.find_elements(By.CSS_SELECTOR, ".what-if[aria-busy=false] .changes-table")
        return bool(idle) and len(driver.execute_script("return window.answers")) >= count

    WebDriverWait(driver, 60).until(at_rest)
    answers: list[float] = driver.execute_script("return window.answers")
    return answers


if __name__ == "__main__":
    main()
