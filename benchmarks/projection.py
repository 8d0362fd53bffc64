"""How long a projection takes in the page, and how near it comes to PyTorch's from the same start.

    python benchmarks/projection.py --generator generator.safetensors --site dist [--steps 200] [--json FILE]

The site must be built of a bundle that was given the same generator (sitegen attach). One visit over file:// in
headless Chromium, so with one thread: a synthetic image of 512 x 512 pixels is analysed, then reconstructed; a first
time with few steps, for the network is made ready then, and then twice as asked. Seconds are from the button to the
result in the page, and the processor time of the page's process meanwhile, which other work does not change; memory is
what that process has resident, after each. Then PyTorch projects the same image, from the same seed, on one thread.
"""

import argparse
import io
import json
import tempfile
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from renderer_memory import renderer_memory, renderer_seconds
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select, WebDriverWait

from sitegen.browser.chromium import Chromium, chromium
from sitegen.browser.page import SitePage, site_address
from sitegen.data.tensors.cache import image_tensors
from sitegen.generation.projection.of_generator import drawn_of, image_of
from sitegen.generation.projection.torch_engine import fit
from sitegen.generation.reading import open_generator
from sitegen.phantom import phantom
from sitegen_runtime.projection.schedule import Wish

LONGEST = 600
_RANGE = 4.0
_WATCH = """
const node = document.querySelector(".closer");
window.projected = null;
window.sketches = 0;
const begin = performance.now();
new MutationObserver((_, observer) => {
  window.sketches += node.querySelectorAll(".closer-shown canvas").length > 0 ? 1 : 0;
  if (node.getAttribute("aria-busy") !== "false") return;
  window.projected = performance.now() - begin;
  observer.disconnect();
}).observe(node, { attributes: true, attributeFilter: ["aria-busy"], childList: true, subtree: true });
"""


def main() -> None:
    """Measure, and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--generator", type=Path, required=True)
    parser.add_argument("--site", type=Path, default=Path("dist"))
    parser.add_argument("--steps", type=int, default=200, choices=(100, 200, 500, 1000))
    parser.add_argument("--image", type=Path, help="An image file, instead of a synthetic one.")
    parser.add_argument("--picture", type=Path, help="Save what the page shows, on the way and at the end.")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = options.image or Path(folder) / "image.png"
        if options.image is None:
            file.write_bytes(_synthetic())
        with site_address(options.site, "file") as url, chromium() as driver:
            SitePage(driver, url).wait_until_ready()
            runs = _visit(driver, file.absolute(), options.steps, options.picture)
        there = _by_torch(options.generator, file.read_bytes(), options.steps)
    found = {"steps": options.steps, "page": runs, "torch_error": there}
    if options.json:
        options.json.write_text(json.dumps(found, indent=2), encoding="utf-8")
    for run in runs:
        took = f"{run['seconds']:.1f} s, {run['processor']:.1f} s of processor"
        print(f"page: {run['steps']} steps: {took}; {run['resident']:.0f} MB resident afterwards")
    last = runs[-1]["distance"]
    print(f"final mean squared error: page {last:.8f}, PyTorch {there:.8f}: {100 * abs(last / there - 1):.4f} % apart")


def _synthetic() -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(phantom(seed=3, size=512)).save(buffer, "PNG")
    return buffer.getvalue()


def _visit(driver: Chromium, file: Path, steps: int, picture: Path | None) -> list[dict[str, Any]]:
    driver.find_element(By.ID, "files").send_keys(str(file))
    WebDriverWait(driver, LONGEST).until(lambda _: driver.find_elements(By.CSS_SELECTOR, ".card[aria-busy=false]"))
    driver.find_element(By.CSS_SELECTOR, ".closer summary").click()
    Select(driver.find_element(By.CSS_SELECTOR, "[data-action=project-seconds]")).select_by_value("300")
    return [_project(driver, each, picture) for each in (100, steps, steps)]


def _project(driver: Chromium, steps: int, picture: Path | None) -> dict[str, Any]:
    Select(driver.find_element(By.CSS_SELECTOR, "[data-action=project-steps]")).select_by_value(str(steps))
    before = renderer_seconds(driver) or 0.0
    driver.execute_script(_WATCH)
    driver.find_element(By.CSS_SELECTOR, "[data-action=project]").click()
    if picture:
        WebDriverWait(driver, LONGEST).until(lambda _: driver.execute_script("return window.sketches > 5"))
        _photograph(driver, picture.with_name(f"{picture.stem}-on-its-way.png"))
    WebDriverWait(driver, LONGEST).until(lambda _: driver.execute_script("return window.projected !== null"))
    if picture:
        _photograph(driver, picture)
    saved = driver.execute_script(_SAVED)
    entry = json.loads(saved)["projection"]
    memory = renderer_memory(driver)
    return {
        "seconds": driver.execute_script("return window.projected") / 1000,
        "processor": (renderer_seconds(driver) or 0.0) - before,
        "resident": memory.resident if memory else 0.0,
        "steps": entry["steps"],
        "distance": entry["distances"][-1][1],
    }


# What the button that saves the result would write.
_SAVED = """
let text = "";
const create = URL.createObjectURL;
const stringify = JSON.stringify;
JSON.stringify = (...given) => (text = stringify(...given));
URL.createObjectURL = () => "about:blank#";
const click = HTMLAnchorElement.prototype.click;
HTMLAnchorElement.prototype.click = () => {};
try {
  document.querySelector("[data-action=save]").click();
} finally {
  JSON.stringify = stringify;
  URL.createObjectURL = create;
  HTMLAnchorElement.prototype.click = click;
}
return text;
"""


def _photograph(driver: Chromium, path: Path) -> None:
    driver.execute_script('document.querySelector(".closer").scrollIntoView({ block: "start" })')
    driver.save_screenshot(str(path))


def _by_torch(generator: Path, data: bytes, steps: int) -> float:
    """PyTorch's final distance, as a share of the range's square."""
    torch.set_num_threads(1)
    drawn = drawn_of(open_generator(generator))
    image = image_tensors(data, {"generator": image_of(drawn)})["generator"]
    return float(fit(drawn, image, Wish(steps)).distances[-1, 0]) / _RANGE


if __name__ == "__main__":
    main()
