"""Histograms of a score by group, as SVG of the page's own colours."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray

BINS = 40
_WIDTH, _ROW, _LABEL = 640, 34, 170
Values = NDArray[np.float64]


@dataclass(frozen=True)
class Group:
    """The values of one group, which may be fewer than its images."""

    name: str
    images: int
    values: Values


def histograms(told: str, groups: Sequence[Group], limit: float | None = None) -> str:
    """Return a row for each group, all over one range, with a line at `limit`; heights are shares of each group.

    `told` says in words what is shown. Groups without values have an empty row.
    """
    everything = np.concatenate([group.values for group in groups]) if groups else np.empty(0)
    if not len(everything):
        return ""
    low, high = float(everything.min()), float(everything.max())
    span = high - low or 1.0
    parts = [_row(at, group, low, span) for at, group in enumerate(groups)]
    height = _ROW * len(groups) + 24
    if limit is not None and low <= limit <= high:
        x = _LABEL + (limit - low) / span * _WIDTH
        parts.append(f'<line class="limit" x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{height - 20}"/>')
    ends = f'<text x="{_LABEL}" y="{height - 4}">{low:.3g}</text>'
    ends += f'<text x="{_LABEL + _WIDTH}" y="{height - 4}" text-anchor="end">{high:.3g}</text>'
    words = escape(f"{told} {'; '.join(_words(group) for group in groups)}.")
    box = f'viewBox="0 0 {_LABEL + _WIDTH + 8} {height}"'
    return f'<svg class="histogram" {box} role="img" aria-label="{words}">{"".join(parts)}{ends}</svg>'


def _row(at: int, group: Group, low: float, span: float) -> str:
    base = _ROW * (at + 1) - 4
    name = group.name if len(group.name) <= 18 else group.name[:17] + "…"
    parts = [f'<text x="0" y="{base}">{escape(name)} ({group.images:,})</text>']
    counts = np.bincount(np.minimum(((group.values - low) / span * BINS).astype(int), BINS - 1), minlength=BINS)
    tallest = counts.max()
    step = _WIDTH / BINS
    for number in np.flatnonzero(counts):
        height = counts[number] / tallest * (_ROW - 8)
        x, y = _LABEL + number * step, base - height
        parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{step - 1:.1f}" height="{height:.1f}"/>')
    return "".join(parts)


def _words(group: Group) -> str:
    if not len(group.values):
        return f"{group.name}: {group.images} images, no values"
    low, middle, high = np.quantile(group.values, [0.05, 0.5, 0.95])
    return f"{group.name}: {group.images} images, median {middle:.3g}, from {low:.3g} to {high:.3g} in nine of ten"
