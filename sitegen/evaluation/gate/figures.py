"""Figures of a comparison of gates: how scores are distributed, what stringency costs, how training went.

Each is an SVG element. They are the Chester papers' figures 5 and 6 (2019), and E.3 (2020).
"""

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from sitegen.evaluation.gate.detectors import DECISION
from sitegen.evaluation.report.drawing import FIRST, INK, LINE, QUIET, SECOND, figure
from sitegen_runtime.gate.metrics import ALIKE, METRICS

Part = Mapping[str, Any]
TITLES = {"inside": "training distribution", "near": "near it", "far": "far from it"}
_COLOURS = {"inside": FIRST, "near": SECOND, "far": SECOND}
_LONGEST = 30  # letters of a name
_ROW = 0.27  # inches
_HEIGHT = 0.92  # of a row: what the fullest bin of a set takes
_LINES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1, 1)), (0, (5, 1, 1, 1)), (0, (8, 2, 1, 2, 1, 2)))
_HISTORY_POINTS = 300


def distribution_figure(name: str, detector: Part) -> str:
    """Return the histograms of a detector's scores, a row for each set of images, with the detector's threshold."""
    distribution = detector["distribution"]
    rows = _rows(distribution["sets"])
    edges = np.array(distribution["edges"])
    with figure(name, 6.6, _ROW * len(rows) + 0.75) as drawn:
        axes = drawn.axes
        for height, row in zip(range(len(rows), 0, -1), rows, strict=True):
            if not isinstance(row, str):
                _ridge(axes, edges, row, height)
        if detector["threshold"] is not None:
            axes.axvline(detector["threshold"], color=INK, linewidth=1.1, linestyle=(0, (4, 2)), zorder=5)
        _named_rows(axes, [row if isinstance(row, str) else row["set"] for row in rows], rows)
        axes.set_xlim(edges[0], edges[-1])
        axes.set_xlabel(f"{_axis(detector['metric'])}; more unlike to the right")
        medians = [f"{row['set']} {row['median']:.3g}" for row in distribution["sets"]]
        return drawn.svg(f"Distribution of {detector['name']} by set of images. Medians: {'; '.join(medians)}.")


def stringency_figure(name: str, label: str, curves: Sequence[tuple[str, Part]]) -> str:
    """Return the classifier's AUC against the share of images that a gate retains, as (detector, curve)."""
    with figure(name, 5.6, 4.0) as drawn:
        axes, told = drawn.axes, []
        for (detector, curve), style in zip(curves, cycle(_styles()), strict=False):
            points = [pair for pair in zip(curve["retained"], curve["auc"], strict=True) if pair[1] is not None]
            if not points:
                continue
            shares, areas = zip(*points, strict=True)
            axes.plot([100 * share for share in shares], areas, label=detector, **style)
            told.append(f"{detector} from {areas[0]:.3f} to {areas[-1]:.3f} at {100 * shares[-1]:.0f} %")
        axes.set_xlim(100, 0)
        axes.set_xlabel("images that stay, in per cent: stricter to the right")
        axes.set_ylabel("AUC of the classifier")
        axes.grid(axis="y", color=LINE, linewidth=0.6)
        axes.set_axisbelow(True)
        axes.tick_params(color=QUIET, length=3)
        if told:
            axes.legend(loc="best", fontsize=8)
        return drawn.svg(f"AUC of {label} against the share of images retained: {'; '.join(told) or 'nothing'}.")


def history_figure(name: str, model: str, quantity: str, points: Sequence[tuple[float, float]]) -> str:
    """Return how a quantity went while a model was trained, as (step, value); long histories are thinned."""
    kept = np.unique(np.linspace(0, len(points) - 1, min(len(points), _HISTORY_POINTS)).astype(int))
    steps, values = zip(*(points[at] for at in kept), strict=True)
    with figure(name, 3.6, 2.5) as drawn:
        axes = drawn.axes
        axes.plot(steps, values, color=FIRST, linewidth=1.4, marker="o" if len(points) < 2 else None)
        axes.set_title(quantity, fontsize=9.5, color=INK, loc="left")
        axes.set_xlabel("step")
        axes.grid(axis="y", color=LINE, linewidth=0.6)
        axes.locator_params(axis="x", nbins=4)
        axes.tick_params(color=QUIET, length=3)
        return drawn.svg(
            f"{quantity} of {model} while it was trained: {values[0]:.4g} at step {steps[0]:g}, "
            f"{values[-1]:.4g} at step {steps[-1]:g}, between {min(values):.4g} and {max(values):.4g}."
        )


def _rows(sets: Sequence[Part]) -> list[str | Part]:
    """Sets under the titles of their groups."""
    rows: list[str | Part] = []
    for group, title in TITLES.items():
        members = [each for each in sets if each["group"] == group]
        rows += [title, *members] if members else []
    return rows


def _ridge(axes: Axes, edges: Any, row: Part, height: int) -> None:
    counts = np.array(row["counts"], np.float64)
    level = height - 0.5
    tops = level + _HEIGHT * counts / max(1.0, counts.max())
    colour = _COLOURS[row["group"]]
    axes.stairs(tops, edges, baseline=level, fill=True, color=colour, alpha=0.75, linewidth=0)
    axes.plot([edges[0], edges[-1]], [level, level], color=LINE, linewidth=0.6)


def _named_rows(axes: Axes, names: Sequence[str], rows: Sequence[str | Part]) -> None:
    heights = np.arange(len(rows), 0, -1) - 0.3
    axes.set_yticks(heights, [_short(each) for each in names])
    for tick, row in zip(axes.get_yticklabels(), rows, strict=True):
        tick.set_fontweight("bold" if isinstance(row, str) else "normal")
    axes.set_ylim(0.45, len(rows) + 0.6)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", color=QUIET, length=3)


def _styles() -> list[dict[str, Any]]:
    """Lines that differ in colour and, for those who do not see that, in their dashes."""
    return [{"color": colour, "linestyle": dashes} for dashes in _LINES for colour in (FIRST, SECOND, INK)]


def _axis(metric: str) -> str:
    if metric == DECISION:
        return "the decision's score"
    return f"−{metric}" if METRICS[metric].higher == ALIKE else metric


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST else name[: _LONGEST - 1] + "…"
