"""Takes the picture of docs/python.md: results as a Jupyter notebook frames them, on light or dark.

python docs/notebook_picture.py [--dark] [--width 900] [--out docs/notebook.png]
"""

import argparse
import base64
import tempfile
from pathlib import Path
from typing import Protocol

import sitegen
from sitegen.browser.chromium import chromium

PAGE = """<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width"><style>
body {{ margin: 0; padding: 8px 0; background: {background}; color: {text}; font: 14px/1.5 system-ui, sans-serif; }}
.cell {{ display: flex; padding: 4px 8px; }}
.number {{ flex: 0 0 48px; font: 12px/1.8 monospace; color: {number}; text-align: right; padding-right: 8px; }}
.output {{ flex: 1; min-width: 0; }}
</style>{cells}"""
LIGHT = {"background": "#fff", "text": "rgba(0, 0, 0, 0.87)", "number": "#bf3a0f"}
DARK = {"background": "#111", "text": "#fff", "number": "#ff8a65"}


class Drawn(Protocol):
    """What draws itself in a notebook."""

    def _repr_html_(self) -> str: ...


def results() -> list[Drawn]:
    """Return a finding, a refused image, a file that is none, and a map."""
    predictor, cells = sitegen.Predictor(), sitegen.phantom.phantom(0, 384)
    return [
        predictor.predict(cells, name="radiograph.png"),
        predictor.predict(255 - cells, name="inverted.png"),
        predictor.predict(b"This is no image.", name="notes.png"),
        predictor.explain(cells, "Pneumonia", name="radiograph.png"),
    ]


def page(shown: list[Drawn], colours: dict[str, str]) -> str:
    """Return a page of the outputs of a notebook."""
    frame = '<div class="cell"><div class="number">[{}]:</div><div class="output">{}</div></div>'
    cells = [frame.format(number, each._repr_html_()) for number, each in enumerate(shown, 1)]
    return PAGE.format(cells="".join(cells), **colours)


def main() -> None:
    """Take the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("--width", type=int, default=900)
    parser.add_argument("--out", type=Path, default=Path("docs/notebook.png"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, chromium(width=options.width) as driver:
        file = Path(folder) / "page.html"
        file.write_text(page(results(), DARK if options.dark else LIGHT), encoding="utf-8")
        metrics = {"width": options.width, "height": 900, "deviceScaleFactor": 1, "mobile": options.width < 600}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        driver.get(file.as_uri())
        height = driver.execute_script("return document.documentElement.scrollHeight")
        clip = {"x": 0, "y": 0, "width": options.width, "height": height, "scale": 1}
        shot = driver.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip})
        options.out.write_bytes(base64.b64decode(shot["data"]))


if __name__ == "__main__":
    main()
