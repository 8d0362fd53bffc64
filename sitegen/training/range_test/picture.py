"""The curves of the learning-rate range test, drawn and written down.

range_picture(curves)               an SVG: loss against rate, a line for each weight decay, suggestions marked
write_range_curves(curves, path)    a table (.csv) or a document (.json) of every point
"""

import csv
import json
from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from sitegen.errors import SettingsError
from sitegen.training.range_test.curve import RangeCurve

SCHEMA = "sitegen.range-test/1"
# Okabe and Ito 2008: told apart by the colour-blind. Lines differ in their dashes too, and marks in their shape.
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
_DASHES: tuple[Any, ...] = ("-", (0, (6, 2)), (0, (2, 1.5)), (0, (7, 2, 1.5, 2)))
_MARKS = ("o", "s", "^", "D", "v", "P")
_STYLE = {"svg.hashsalt": "sitegen", "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 11}
_COLUMNS = ("weight_decay", "rate", "loss", "smoothed")


def range_picture(curves: Sequence[RangeCurve]) -> str:
    """Return an SVG with a line for each curve: the losses of single batches faint, smoothed ones strong.

    The suggested rate of each is marked on its line and named in the legend. The scale of losses follows the smoothed
    ones and ends a little above the start, so that an explosion does not flatten the rest. Equal curves give equal
    files. Raises ValueError where there is no curve, or one of them is empty.
    """
    if not curves or not all(curve.losses for curve in curves):
        raise ValueError("a picture needs at least one curve, and a loss in each")
    with style.context(_STYLE):
        figure = Figure(figsize=(8, 5), layout="constrained")
        FigureCanvasSVG(figure)
        axes = figure.add_subplot()
        for number, curve in enumerate(curves):
            _draw(axes, curve, number)
        axes.set_xscale("log")
        axes.set_ylim(_limits(curves))
        axes.set_xlabel("learning rate")
        axes.set_ylabel("loss of the batch")
        axes.grid(color="#d8d8d8", linewidth=0.6)
        axes.set_axisbelow(True)
        axes.legend(title="weight decay", loc="upper left", fontsize=10)
        out = StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None, "Title": _told(curves)})
    return out.getvalue()


def draw_range_curves(curves: Sequence[RangeCurve], path: Path) -> None:
    """Write the picture to `path`. Raises SettingsError where nothing can be written there, or it is no .svg."""
    if path.suffix != ".svg":
        raise SettingsError(f"{path} should end with .svg, which is what the picture is written as")
    _write(range_picture(curves), path)


def range_document(curves: Sequence[RangeCurve]) -> dict[str, Any]:
    """Return every point of the curves, and what each suggests, as JSON can hold it."""
    return {
        "schema": SCHEMA,
        "curves": [
            {
                "weight_decay": curve.weight_decay,
                "suggestion": curve.suggestion,
                "rates": list(curve.rates),
                "losses": list(curve.losses),
                "smoothed": list(curve.smoothed),
            }
            for curve in curves
        ],
    }


def write_range_curves(curves: Sequence[RangeCurve], path: Path) -> None:
    """Write all points to `path`: a row for each as .csv, the document of `range_document` as .json.

    Raises SettingsError for another ending, or where nothing can be written there.
    """
    if path.suffix not in (".csv", ".json"):
        raise SettingsError(f"{path} should end with .csv or .json, which says how the curves are to be written")
    _write(_table(curves) if path.suffix == ".csv" else json.dumps(range_document(curves), indent=1), path)


def _write(text: str, path: Path) -> None:
    try:
        path.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise SettingsError(
            f"{path} cannot be written: {error.strerror}. Name a file in a folder that exists."
        ) from error


def _table(curves: Sequence[RangeCurve]) -> str:
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for curve in curves:
        for point in zip(curve.rates, curve.losses, curve.smoothed, strict=True):
            writer.writerow((curve.weight_decay, *point))
    return out.getvalue()


def _draw(axes: Axes, curve: RangeCurve, number: int) -> None:
    colour = _COLOURS[number % len(_COLOURS)]
    mark = _MARKS[number % len(_MARKS)]
    smoothed, suggestion = curve.smoothed, curve.suggestion
    axes.plot(curve.rates, curve.losses, color=colour, alpha=0.25, linewidth=0.9)
    axes.plot(
        curve.rates,
        smoothed,
        color=colour,
        linewidth=2,
        linestyle=_DASHES[number % len(_DASHES)],
        label=_name(curve),
        marker=mark,
        markersize=9,
        markeredgecolor="white",
        markevery=[curve.rates.index(suggestion)] if suggestion else [],
    )


def _name(curve: RangeCurve) -> str:
    suggested = f"suggests {curve.suggestion:.1e}" if curve.suggestion else "suggests nothing"
    return f"{curve.weight_decay:g}: {suggested}"


def _told(curves: Sequence[RangeCurve]) -> str:
    return "Loss against learning rate; by weight decay, " + "; ".join(_name(curve) for curve in curves)


def _limits(curves: Sequence[RangeCurve]) -> tuple[float, float]:
    smoothed = [np.asarray(curve.smoothed) for curve in curves]
    low, start = min(each.min() for each in smoothed), max(each[0] for each in smoothed)
    room = max(start - low, 0.1 * abs(start), 1e-6)
    return float(low - 0.15 * room), float(start + 0.6 * room)
