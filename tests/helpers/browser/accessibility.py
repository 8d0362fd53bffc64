"""What axe-core finds wrong with a page, in looks of several widths, colours and sizes of letters."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from sitegen.browser.chromium import Chromium
from sitegen.errors import AssetError
from tests.helpers.browser.holding import at_rest
from tests.javascript.check import install

RUN = """
const done = arguments[arguments.length - 1];
axe.run(document, {resultTypes: ["violations"]}).then(
  ({violations}) => done(violations.map(({id, help, nodes}) =>
    `${id} (${help}): ${nodes.map(({html}) => html.slice(0, 160)).slice(0, 3).join(" | ")}`)),
  (error) => done([String(error)]));
"""


@dataclass(frozen=True)
class Look:
    """How a person looks at a page: a window in CSS pixels, its colours, and letters so many times as large."""

    width: int
    height: int
    scheme: str = "light"
    letters: float = 1.0
    forced: bool = False

    def __str__(self) -> str:
        """Say it for a report."""
        letters = f", letters {self.letters:.0%}" if self.letters != 1 else ""
        return f"{self.width}x{self.height} {self.scheme}{letters}{', forced colours' if self.forced else ''}"


LOOKS = [
    Look(1280, 720),
    Look(1280, 720, "dark"),
    Look(768, 1024, "dark"),
    Look(360, 740),
    Look(320, 256, "dark"),  # 1280 x 1024 at 400 %
]


@contextlib.contextmanager
def looked_at(driver: Chromium, look: Look) -> Iterator[None]:
    """Show the page so, come to rest, and as it was afterwards."""
    size = {"width": look.width, "height": look.height, "deviceScaleFactor": 1, "mobile": look.width < 600}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    features = [
        {"name": "prefers-color-scheme", "value": look.scheme},
        {"name": "prefers-reduced-motion", "value": "reduce"},
        {"name": "forced-colors", "value": "active" if look.forced else "none"},
    ]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    driver.execute_script("document.documentElement.style.fontSize = arguments[0]", f"{100 * look.letters:.0f}%")
    try:
        at_rest(driver)
        yield
    finally:
        driver.execute_script("document.documentElement.style.fontSize = ''")
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
        driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def violations(driver: Chromium) -> list[str]:
    """What axe finds in the page as it is; the test is skipped where axe is not to be had."""
    if not driver.execute_script("return typeof axe === 'object'"):
        try:
            script = install() / "axe-core" / "axe.min.js"
        except AssetError as error:
            pytest.skip(f"axe-core is not to be had here: {error}")
        driver.execute_script(script.read_text("utf-8") + "\nwindow.axe = axe;")
    found: list[str] = driver.execute_async_script(RUN)
    return found
