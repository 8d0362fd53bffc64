"""Forest plots: a row for each group or finding, with its value and interval. Each is an SVG element."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sitegen.evaluation.report.drawing import FIRST, LINE, QUIET, SURFACE, figure

ROW, MARGIN, WIDTH = 0.24, 0.6, 4.6  # inches
LONGEST = 22  # letters of a name; the table beside the figure has all of it


@dataclass(frozen=True)
class Row:
    """A row: its name, and an interval (`value`, `low`, `high`), None where there is none or for a heading."""

    name: str
    interval: Mapping[str, Any] | None = None
    heading: bool = False


def forest_figure(name: str, told: str, rows: Sequence[Row], across: str, reference: float | None = None) -> str:
    """Return the rows from the top down, with a line at `reference`; `across` names what is measured.

    `told` says what the figure shows; the values of all rows are added to it.
    """
    with figure(name, WIDTH, ROW * len(rows) + MARGIN) as drawn:
        axes = drawn.axes
        heights = list(range(len(rows), 0, -1))
        if reference is not None:
            axes.axvline(reference, color=LINE, linewidth=1.2, linestyle=(0, (2, 2)))
        for height, row in zip(heights, rows, strict=True):
            if row.interval:
                axes.plot([row.interval["low"], row.interval["high"]], [height, height], color=FIRST, linewidth=1.6)
                axes.plot([row.interval["value"]], [height], "o", color=FIRST, markersize=6.5, markeredgecolor=SURFACE)
        axes.set_yticks(heights, [_short(row) for row in rows])
        for tick, row in zip(axes.get_yticklabels(), rows, strict=True):
            tick.set_fontweight("bold" if row.heading else "normal")
        axes.set_ylim(0.4, len(rows) + 0.6)
        axes.set_xlabel(across)
        axes.locator_params(axis="x", nbins=6)
        axes.grid(axis="x", color=LINE, linewidth=0.6)
        axes.set_axisbelow(True)
        axes.spines["left"].set_visible(False)
        axes.tick_params(axis="y", length=0)
        axes.tick_params(axis="x", color=QUIET, length=3)
        return drawn.svg(f"{told} {'; '.join(_told(row) for row in rows if not row.heading)}.")


def _short(row: Row) -> str:
    return row.name if len(row.name) <= LONGEST else row.name[: LONGEST - 1] + "…"


def _told(row: Row) -> str:
    if row.interval is None:
        return f"{row.name} not measurable"
    return f"{row.name} {row.interval['value']:.3f} ({row.interval['low']:.3f} to {row.interval['high']:.3f})"
