"""The figures of an evaluation of explanations. Each is an SVG element in the style of the page that holds it.

Lines are told apart by their strokes, not by colour alone.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from sitegen.evaluation.report.drawing import FIRST, INK, LINE, QUIET, SECOND, figure
from sitegen.evaluation.robustness.figure import cell_colours

Part = Mapping[str, Any]
SIZE = (5.6, 3.6)
_COLOURS = (FIRST, SECOND)
_STROKES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (2, 1.5)), (0, (6, 2, 1.5, 2)))
_BASELINE = {"color": QUIET, "linewidth": 1.2}
_CELL = 0.5  # inches


def curves_figure(name: str, told: str, methods: Sequence[Part], curve: str, shares: Sequence[float]) -> str:
    """Return the mean curves of all methods; `told` says what is done to the image as they go on."""
    drawn_methods = [each for each in methods if each["curves"][curve]]
    with figure(name, *SIZE) as drawn:
        axes = drawn.axes
        for at, method in enumerate(drawn_methods):
            axes.plot(shares, method["curves"][curve], label=method["name"], **_line(method, at))
        axes.set(xlim=(0, 1), ylim=(0, 1.01), xlabel=told, ylabel="mean probability")
        axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
        _grid(axes)
        ends = "; ".join(f"{each['name']} {_span(each['curves'][curve])}" for each in drawn_methods)
        return drawn.svg(f"Mean probability of the finding by {told}. From the first to the last point: {ends}.")


def sanity_figure(name: str, kind: str, sanity: Part, measure: str, told: str) -> str:
    """Return how alike maps remain, by stage, for each method, with the stage that the rule looks at."""
    stages = range(1, len(sanity["stages"]) + 1)
    with figure(name, *SIZE) as drawn:
        axes = drawn.axes
        axes.axhline(0, color=LINE, linewidth=1.0)
        if kind == "cascading":
            axes.axvline(sanity["read_at"] + 1, color=QUIET, linewidth=1.2, linestyle=(0, (2, 2)))
            axes.annotate("the rule", (sanity["read_at"] + 1, 1.0), (4, -2), textcoords="offset points", color=QUIET)
        for at, method in enumerate(sanity["methods"]):
            values = [stage[measure]["value"] for stage in method[kind]]
            axes.plot(stages, values, label=method["name"], marker="o", markersize=3.5, **_line(method, at))
        axes.set(ylim=(-1.02, 1.04), xlabel="group of layers, from the last (1)", ylabel=told)
        axes.set_xticks(list(stages))
        axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
        _grid(axes)
        ends = "; ".join(
            f"{each['name']} {_span([stage[measure]['value'] for stage in each[kind]])}" for each in sanity["methods"]
        )
        return drawn.svg(f"{told}, {kind}: {ends}.")


def matrix_figure(name: str, told: str, names: Sequence[str], cells: Sequence[Sequence[Part | None]]) -> str:
    """Return a matrix of agreements; colours rise from none (dark) to full agreement (light)."""
    with figure(name, _CELL * len(names) + 2.2, _CELL * 0.8 * len(names) + 1.6) as drawn:
        axes = drawn.axes
        for row, line in enumerate(cells):
            for column, cell in enumerate(line):
                value = cell["value"] if cell else 0.0
                fill, text = cell_colours(0.5 + max(0.0, value) / 2)
                axes.add_patch(Rectangle((column, row), 0.97, 0.95, facecolor=fill, edgecolor="none"))
                axes.text(column + 0.485, row + 0.475, f"{value:.2f}", ha="center", va="center", color=text, fontsize=8)
        places = [at + 0.5 for at in range(len(names))]
        axes.set_xticks(places, names, rotation=45, ha="right")
        axes.set_yticks(places, names)
        axes.set(xlim=(0, len(names)), ylim=(len(names), 0))
        axes.tick_params(length=0, labelsize=8.5, colors=INK)
        for side in axes.spines.values():
            side.set_visible(False)
        return drawn.svg(f"{told}, each of {len(names)} maps with each. The document has its numbers.")


def _line(method: Part, at: int) -> dict[str, Any]:
    stroke = _STROKES[at // len(_COLOURS) % len(_STROKES)]
    if method.get("kind") == "baseline":
        return {**_BASELINE, "linestyle": _STROKES[at % len(_STROKES)]}
    return {"color": _COLOURS[at % len(_COLOURS)], "linestyle": stroke}


def _grid(axes: Axes) -> None:
    axes.grid(color=LINE, linewidth=0.5)
    axes.set_axisbelow(True)
    axes.tick_params(color=QUIET, length=3)


def _span(values: Sequence[float]) -> str:
    return f"{values[0]:.2f} to {values[-1]:.2f}"
