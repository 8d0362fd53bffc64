"""The report's figures as SVG elements: a histogram for each finding, and a curve over shares of the image.

They are drawn here by hand, because the package that draws those of other reports is not part of the core install.
Colours are the page's variables, so that a figure follows the reader's light or dark setting.
"""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

WIDTH, HEIGHT = 360, 180
_LEFT, _RIGHT, _TOP, _BOTTOM = 40, 16, 12, 44
_SIZE = 13  # of letters
_GAP = 1  # between bars


def histogram(entry: Mapping[str, Any]) -> str:
    """Return a finding's histogram of differences in percentage points; `entry` is one of the document's findings."""
    edges, counts = entry["histogram"]["edges"], entry["histogram"]["counts"]
    most, bars = max(counts), []
    for low, high, count in zip(edges, edges[1:], counts, strict=False):
        if count:
            left, right = (_across(value, edges[0], edges[-1]) for value in (low, high))
            top = _up(count, most)
            bars.append(
                f'<rect x="{left + _GAP / 2:.1f}" y="{top:.1f}" width="{right - left - _GAP:.1f}" '
                f'height="{_up(0, most) - top:.1f}" fill="var(--first)"/>'
            )
    zero = _across(0, edges[0], edges[-1])
    line = (
        f'<path d="M{zero:.1f} {_TOP}V{HEIGHT - _BOTTOM}" stroke="var(--second)" stroke-width="1" '
        'stroke-dasharray="2 3" fill="none"/>'
    )
    labels = [
        _text(_LEFT - 6, _up(most, most) + _SIZE / 2, str(most), "end"),
        *(
            _text(_across(value, edges[0], edges[-1]), HEIGHT - _BOTTOM + _SIZE + 4, f"{value:+g}" if value else "0")
            for value in (edges[0], 0, edges[-1])
        ),
        _text((WIDTH + _LEFT - _RIGHT) / 2, HEIGHT - 8, "percentage points, sitegen less source"),
    ]
    return _svg(_told(entry), [*bars, line, _axis(), *labels])


def fraction_curve(fractions: Sequence[Mapping[str, float]], present: float, suggested: float | None) -> str:
    """Return the difference of tensors over shares of the centred square; marked are the present and the best one."""
    low, high = fractions[0]["fraction"], fractions[-1]["fraction"]
    most = max(entry["tensor"] for entry in fractions) or 1.0
    points = {
        entry["fraction"]: (_across(entry["fraction"], low, high), _up(entry["tensor"], most)) for entry in fractions
    }
    drawn = " ".join(f"{x:.1f},{y:.1f}" for x, y in points.values())
    parts = [f'<polyline points="{drawn}" fill="none" stroke="var(--first)" stroke-width="2"/>']
    parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="var(--first)"/>' for x, y in points.values()]
    parts += _marked(points[present], "var(--ink)")
    parts += _marked(points[suggested], "var(--second)") if suggested is not None else []
    parts += [
        _text(_LEFT - 6, _TOP + _SIZE / 2, f"{100 * most:.2g}", "end"),
        _text(_LEFT - 6, HEIGHT - _BOTTOM, "0", "end"),
        *(_text(_across(value, low, high), HEIGHT - _BOTTOM + _SIZE + 4, f"{value:g}") for value in (low, high)),
        _text((WIDTH + _LEFT - _RIGHT) / 2, HEIGHT - 8, "fraction; upwards: difference of tensors, %"),
    ]
    best = f" The best of them is {suggested:g}." if suggested is not None else ""
    return _svg(
        f"Difference of tensors over fractions from {low:g} to {high:g}; {present:g} is set now.{best}",
        [_axis(), *parts],
    )


def _marked(place: tuple[float, float], colour: str) -> list[str]:
    return [f'<circle cx="{place[0]:.1f}" cy="{place[1]:.1f}" r="6" fill="none" stroke="{colour}" stroke-width="2"/>']


def _told(entry: Mapping[str, Any]) -> str:
    return (
        f"Histogram of how the probability of {entry['label']} differs: {entry['mean']:.2f} percentage points on "
        f"average, {entry['largest']:.2f} at most, over {sum(entry['histogram']['counts'])} images."
    )


def _across(value: float, low: float, high: float) -> float:
    return _LEFT + (value - low) / ((high - low) or 1) * (WIDTH - _LEFT - _RIGHT)


def _up(value: float, most: float) -> float:
    return HEIGHT - _BOTTOM - value / most * (HEIGHT - _BOTTOM - _TOP)


def _axis() -> str:
    return f'<path d="M{_LEFT} {HEIGHT - _BOTTOM}H{WIDTH - _RIGHT}" stroke="var(--quiet)" fill="none"/>'


def _text(x: float, y: float, words: str, anchor: str = "middle") -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text {place} font-size="{_SIZE}" fill="var(--quiet)">{escape(words)}</text>'


def _svg(told: str, parts: Sequence[str]) -> str:
    opening = f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(told)}" style="max-width: 460px">'
    return "\n".join([opening, *parts, "</svg>"])
