"""The figures of an evaluation document that are curves: ROC, precision–recall, reliability. Each is an SVG element."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from sitegen.evaluation.report.drawing import FIRST, LINE, QUIET, SECOND, SURFACE, figure
from sitegen.metrics.precision_recall import iso_f1

Part = Mapping[str, Any]
SIZE = (4.0, 4.0)
ISO_F1 = (0.2, 0.4, 0.6, 0.8)
STYLES: tuple[dict[str, Any], ...] = ({"color": FIRST}, {"color": SECOND, "linestyle": (0, (5, 2))})
MARKS: tuple[dict[str, Any], ...] = ({"color": FIRST, "marker": "o"}, {"color": SECOND, "marker": "s"})


def roc_figure(name: str, label: str, curves: Sequence[tuple[str, Part, Part | None]]) -> str:
    """Return ROC curves as (legend, `roc` entry, `decisions` or None); decisions are drawn as operating points."""
    with figure(name, *SIZE) as drawn:
        axes = drawn.axes
        axes.plot([0, 1], [0, 1], color=LINE, linewidth=1.2, linestyle=(0, (2, 2)))
        told: list[str] = []
        for (legend, roc, decisions), style, mark in zip(curves, STYLES, MARKS, strict=False):
            text = f"{legend} {roc['area']:.3f}"
            axes.plot(roc["false_positive_rate"], roc["true_positive_rate"], label=text, **style)
            told.append(text)
            if decisions:
                sensitivity, fall_out = _rates(decisions)
                _point(axes, fall_out, sensitivity, mark)
                told.append(f"operating point at sensitivity {sensitivity:.3f}, specificity {1 - fall_out:.3f}")
        _square(axes, "1 − specificity", "Sensitivity")
        axes.legend(loc="lower right")
        return drawn.svg(f"ROC curve of {label}. {'; '.join(told)}.")


def precision_recall_figure(
    name: str, label: str, curves: Sequence[tuple[str, Part, Part | None]], prevalence: float | None
) -> str:
    """Return precision–recall curves as (legend, `precision_recall` entry, `decisions` or None), on lines of equal F1.

    `prevalence` (0..1) is what a model without any skill reaches.
    """
    with figure(name, *SIZE) as drawn:
        axes = drawn.axes
        _iso_f1_lines(axes)
        told: list[str] = []
        if prevalence is not None:
            axes.axhline(prevalence, color=QUIET, linewidth=1.0, linestyle=(0, (2, 2)))
            told.append(f"Without skill {prevalence:.3f}")
        for (legend, curve, decisions), style, mark in zip(curves, STYLES, MARKS, strict=False):
            text = f"{legend} {curve['area']:.3f}"
            axes.step(curve["recall"], curve["precision"], where="pre", label=text, **style)
            told.append(text)
            if decisions:
                ratios = decisions["plain"]
                _point(axes, ratios["recall"], ratios["precision"], mark)
                told.append(f"operating point at precision {ratios['precision']:.3f}, recall {ratios['recall']:.3f}")
        _square(axes, "Recall (sensitivity)", "Precision")
        axes.legend(loc="lower left")
        return drawn.svg(f"Precision–recall curve of {label}. {'; '.join(told)}.")


def reliability_figure(name: str, label: str, reliability: Part) -> str:
    """Return the reliability diagram of an entry's `reliability`; the probability too, where calibration changes it."""
    shown = [("calibrated", reliability["calibrated"])]
    if reliability["probability"]["bins"] != reliability["calibrated"]["bins"]:
        shown.append(("uncalibrated", reliability["probability"]))
    else:
        shown = [("probability", reliability["probability"])]
    with figure(name, *SIZE) as drawn:
        axes = drawn.axes
        axes.plot([0, 1], [0, 1], color=LINE, linewidth=1.2, linestyle=(0, (2, 2)))
        told: list[str] = []
        for (legend, part), style, mark in zip(shown, STYLES, MARKS, strict=False):
            text = f"{legend}, error {part['calibration_error']:.3f}"
            _bins(axes, part["bins"], text, {**style, **mark}, bars=not told)
            told.append(text)
        _square(axes, "Predicted", "Observed share")
        axes.legend(loc="upper left")
        return drawn.svg(f"Reliability diagram of {label}. {'; '.join(told)}.")


def _bins(axes: Axes, bins: Sequence[Part], legend: str, style: dict[str, Any], bars: bool) -> None:
    """Bins as marks on a line; with their intervals where they come first, so that two do not hide each other."""
    predicted, observed, low, high = (
        np.array([part[name] for part in bins]) for name in ("predicted", "observed", "low", "high")
    )
    axes.plot(predicted, observed, label=legend, markersize=4.5, linewidth=1.2, zorder=3 if bars else 2, **_of(style))
    if bars:
        axes.vlines(predicted, low, high, color=style["color"], linewidth=1.0, alpha=0.6)


def _of(style: dict[str, Any]) -> dict[str, Any]:
    return {**style, "markeredgecolor": SURFACE, "markeredgewidth": 0.6}


def _rates(decisions: Part) -> tuple[float, float]:
    """Sensitivity and false positive rate of counts."""
    positives = decisions["true_positives"] + decisions["false_negatives"]
    negatives = decisions["true_negatives"] + decisions["false_positives"]
    return decisions["true_positives"] / positives, decisions["false_positives"] / negatives


def _point(axes: Axes, x: float, y: float, mark: dict[str, Any]) -> None:
    axes.plot([x], [y], markersize=8, markeredgecolor=SURFACE, markeredgewidth=1.4, zorder=5, clip_on=False, **mark)


def _iso_f1_lines(axes: Axes) -> None:
    for f1 in ISO_F1:
        recalls = np.linspace(f1 / (2 - f1), 1, 100)
        axes.plot(recalls, iso_f1(f1, recalls), color=LINE, linewidth=1.0)
        # Named at precision 1, above the axes, where no curve runs.
        place = f1 / (2 - f1), 1.01
        axes.annotate(f"F1 {f1:.1f}", place, (0, 3), textcoords="offset points", ha="center", color=QUIET, fontsize=8)


def _square(axes: Axes, across: str, up: str) -> None:
    axes.set(xlim=(0, 1), ylim=(0, 1.01), xlabel=across, ylabel=up, aspect="equal")
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "0.25", "0.5", "0.75", "1"])
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "0.25", "0.5", "0.75", "1"])
    axes.tick_params(color=QUIET, length=3)
