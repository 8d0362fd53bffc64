"""Figures as SVG that a page can hold: no date, no foreign references, colours of the page, text that stays text.

    with figure("roc-1", 4.2, 4.0) as drawn:      a Matplotlib figure and its axes, in the report's style
        drawn.axes.plot(...)
    drawn.svg("what it shows, in words")

Colours are drawn as placeholders, which become the style sheet's variables: so a figure follows the reader's light or
dark setting. The same drawing gives the same bytes.
"""

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from io import StringIO
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

INK, QUIET, LINE, FIRST, SECOND, SURFACE = "#010203", "#020304", "#030405", "#040506", "#050607", "#060708"
_VARIABLES = {
    INK: "var(--ink)",
    QUIET: "var(--quiet)",
    LINE: "var(--line)",
    FIRST: "var(--first)",
    SECOND: "var(--second)",
    SURFACE: "var(--surface)",
}
_PIXELS = 115  # of an inch at most, on the page
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "text.parse_math": False,  # a label may hold dollars
    "font.family": "DejaVu Sans",
    "font.size": 9.5,
    "text.color": INK,
    "axes.edgecolor": QUIET,
    "axes.labelcolor": INK,
    "axes.labelsize": 9.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "lines.linewidth": 1.8,
    "legend.frameon": False,
    "legend.fontsize": 9,
}


@dataclass
class Drawn:
    """A figure with one pair of axes; `svg` is for when it is complete."""

    canvas: Figure
    axes: Axes
    name: str

    def svg(self, told: str) -> str:
        """Return the figure as an SVG element for a page; `told` says in words what it shows."""
        out = StringIO()
        with _style(self.name):
            self.canvas.savefig(out, format="svg", metadata={"Date": None})
        return _for_a_page(out.getvalue(), told, round(self.canvas.get_figwidth() * _PIXELS))


@contextmanager
def figure(name: str, width: float, height: float) -> Iterator[Drawn]:
    """Give a figure of `width` x `height` inches; `name` tells its parts from those of the page's other figures."""
    with _style(name):
        canvas = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasSVG(canvas)
        yield Drawn(canvas, canvas.add_subplot(), name)


@contextmanager
def _style(name: str) -> Iterator[None]:
    with mpl.rc_context({**_STYLE, "svg.hashsalt": name}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")  # text stays text: the reader's fonts have the letter
        yield


def _for_a_page(drawing: str, told: str, width: int) -> str:
    """Return the SVG element alone: without what belongs to files, without ids that other figures have too."""
    element = drawing[drawing.index("<svg") :]
    for pattern in (r"<metadata>.*?</metadata>", r"<!--.*?-->", r"<style.*?</style>", r"<defs>\s*</defs>"):
        element = re.sub(pattern, "", element, flags=re.DOTALL)
    element = re.sub(r'<g id="[^"]*"', "<g", element).replace("xlink:href", "href")
    element = element.replace("font-family: 'DejaVu Sans'; ", "")  # that measured the text; the page's font shows it
    element = re.sub(r'( d| x| y| width| height| transform)="([^"]*)"', _two_digits, element)
    for colour, variable in _VARIABLES.items():
        element = re.sub(rf"(fill|stroke): {colour}", rf"\1: {variable}", element)
    box = re.search(r'viewBox="([^"]*)"', element)
    if box is None:
        raise ValueError("the drawing has no viewBox")
    opening = f'<svg viewBox="{box[1]}" role="img" aria-label="{escape(told)}" style="max-width: {width}px">'
    return opening + re.sub(r"\s*\n\s*", "\n", element[element.index(">") + 1 :].strip())


def _two_digits(attribute: re.Match[str]) -> str:
    value = re.sub(r"(\.\d\d)\d+", r"\1", attribute[2])
    return f'{attribute[1]}="{value}"'
