"""Which findings come together: a table, and its picture as an SVG that needs nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray

from sitegen.data.records import Record, label_matrix, label_names

_CELL, _FONT = 44, 12
_INK = "#1b1b1b"


@dataclass(frozen=True)
class CoOccurrence:
    """Pairs of findings. `together[i, j]` counts the images that have both, `judged[i, j]` those with `i` present
    and `j` known; int64 [names, names], so that `together`'s diagonal counts the images with each finding.
    """

    names: list[str]
    together: NDArray[np.int64]
    judged: NDArray[np.int64]

    @property
    def shares(self) -> NDArray[np.float64]:
        """Of the images with finding i in which j is known, the share that has j: [i, j]; NaN where there are none."""
        with np.errstate(invalid="ignore"):
            shares: NDArray[np.float64] = self.together / self.judged
        return shares


def co_occurrence(records: Sequence[Record], names: Sequence[str] = ()) -> CoOccurrence:
    """Count pairs of findings, of all that the records know where none are named."""
    chosen = list(names) or label_names(records)
    values = label_matrix(records, chosen)
    present, known = (values == 1).astype(np.int64), (~np.isnan(values)).astype(np.int64)
    return CoOccurrence(chosen, present.T @ present, present.T @ known)


def as_svg(pairs: CoOccurrence) -> str:
    """Return the picture: a row for each finding, a column for each that comes with it, the darker the more often.

    Cells show the share in per cent, and the count when pointed at; the diagonal shows how many images have each.
    """
    width = max([len(name) for name in pairs.names], default=0) * 7 + 20
    size = width + _CELL * len(pairs.names) + 10
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}" role="img" '
        f'font-family="sans-serif" font-size="{_FONT}" fill="{_INK}">',
        "<title>Which findings come together</title>",
        "<desc>Of the images with the finding of the row, the share that also has the finding of the column.</desc>",
        f'<rect width="{size}" height="{size}" fill="#ffffff"/>',
    ]
    for index, name in enumerate(pairs.names):
        at = width + _CELL * index + _CELL // 2
        label = escape(name)
        parts.append(f'<text x="{width - 8}" y="{at + 4}" text-anchor="end">{label}</text>')
        parts.append(f'<text transform="translate({at + 4} {width - 8}) rotate(-90)">{label}</text>')
    parts += [_cell(pairs, i, j, width) for i in range(len(pairs.names)) for j in range(len(pairs.names))]
    return "\n".join([*parts, "</svg>", ""])


def _cell(pairs: CoOccurrence, row: int, column: int, start: int) -> str:
    x, y = start + _CELL * column, start + _CELL * row
    count, judged, share = pairs.together[row, column], pairs.judged[row, column], pairs.shares[row, column]
    if row == column:
        colour, text = "#e9e9e9", f"{count}"
        told = f"{pairs.names[row]}: {count} images"
    elif judged == 0:
        colour, text, told = "#ffffff", "–", f"{pairs.names[row]}: nothing known of {pairs.names[column]}"
    else:
        # White to a blue on which black text still has a contrast of 4.5.
        colour = "#{:02x}{:02x}{:02x}".format(*(round(255 - share * (255 - end)) for end in (88, 150, 214)))
        text = f"{100 * share:.0f}" if count == 0 or share >= 0.005 else "<1"
        told = f"{pairs.names[row]} with {pairs.names[column]}: {count} of {judged} images"
    middle = x + _CELL // 2
    return (
        f'<g><title>{escape(told)}</title><rect x="{x}" y="{y}" width="{_CELL}" height="{_CELL}" fill="{colour}" '
        f'stroke="#ffffff"/><text x="{middle}" y="{y + _CELL // 2 + 4}" text-anchor="middle">{escape(text)}</text></g>'
    )
