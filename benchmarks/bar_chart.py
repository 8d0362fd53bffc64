"""A bar chart as an SVG file that is legible on light and on dark pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH = 860
_LABELS = 240  # width of the column of labels
_VALUES = 120  # width that is kept for the value at the end of the longest bar
_ROW, _BAR = 26, 16  # heights
_TOP = 76
_COLOURS = ("#3b7dd8", "#d9822b", "#7a7f87", "#4a9d5b")  # told apart on white and on black, also by the colour-blind
_STYLE = """
  text { font: 13px system-ui, sans-serif; fill: #24292f; }
  .title { font-size: 16px; font-weight: 600; }
  .range, .cut { stroke: #24292f; stroke-width: 1.5; fill: none; }
  .cut { stroke: #ffffff; stroke-width: 3; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .range { stroke: #e6edf3; }
    .cut { stroke: #0d1117; }
  }
"""


@dataclass(frozen=True)
class Bar:
    """A value with its range. `group` picks the colour, and is explained above the bars."""

    label: str
    value: float
    least: float
    most: float
    group: str


def bar_chart(title: str, description: str, bars: Sequence[Bar], limit: float | None = None, unit: str = "ms") -> str:
    """Return an SVG file with horizontal bars on one linear scale that begins at zero.

    Bars longer than `limit` are cut there, and say so by a gap; their values are written at their ends all the same.
    Raises ValueError without bars.
    """
    if not bars:
        raise ValueError("a chart needs at least one bar")
    longest = min(limit or float("inf"), max(bar.most for bar in bars))
    groups = list(dict.fromkeys(bar.group for bar in bars))
    height = _TOP + _ROW * len(bars) + 12
    rows = [
        _row(bar, _TOP + _ROW * index, longest, _COLOURS[groups.index(bar.group) % len(_COLOURS)], unit)
        for index, bar in enumerate(bars)
    ]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
            ' role="img" aria-labelledby="title description">',
            f'<title id="title">{escape(title)}</title>',
            f'<desc id="description">{escape(description)}</desc>',
            f"<style>{_STYLE}</style>",
            f'<text class="title" x="12" y="26">{escape(title)}</text>',
            *_legend(groups),
            *rows,
            "</svg>\n",
        ]
    )


def _legend(groups: Sequence[str]) -> list[str]:
    parts, left = [], 12
    for index, group in enumerate(groups):
        colour = _COLOURS[index % len(_COLOURS)]
        parts.append(f'<rect x="{left}" y="42" width="12" height="12" fill="{colour}"/>')
        parts.append(f'<text x="{left + 18}" y="53">{escape(group)}</text>')
        left += 46 + 7 * len(group)
    return parts


def _row(bar: Bar, top: int, longest: float, colour: str, unit: str) -> str:
    scale = (WIDTH - _LABELS - _VALUES) / longest
    cut = bar.value > longest
    width = min(bar.value, longest) * scale
    middle = top + _BAR / 2
    end = _LABELS + width
    parts = [
        f'<text x="{_LABELS - 10}" y="{top + 13}" text-anchor="end">{escape(bar.label)}</text>',
        f'<rect x="{_LABELS}" y="{top}" width="{width:.1f}" height="{_BAR}" fill="{colour}"/>',
    ]
    if cut:
        parts.append(f'<path class="cut" d="M{end - 22:.1f} {top + _BAR + 2}l8 {-_BAR - 4}"/>')
    else:
        least, most = (_LABELS + min(value, longest) * scale for value in (bar.least, bar.most))
        parts.append(f'<path class="range" d="M{least:.1f} {middle}H{most:.1f}"/>')
        end = max(end, most)
    parts.append(f'<text x="{end + 8:.1f}" y="{top + 13}">{bar.value:,.0f} {escape(unit)}</text>')
    return "".join(parts)
