"""One finding's matrix as a heat map: models from top to bottom, distortion at test time from left to right.

The halves are the data that the models come from and, where there is some, data that training never saw.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle

from sitegen.evaluation.report.drawing import INK, QUIET, figure

ROLES = ("internal", "external")
LOWEST, HIGHEST = 0.5, 1.0  # of the colours, the same for all findings
_COLOURS = colormaps["cividis"]  # rises evenly in lightness, for the colour-blind too
_GAP = 0.35  # cells between the halves
_LONGEST = 28  # letters of a name; the table beside the figure has all of it
_CELL_WIDTH, _CELL_HEIGHT = 0.62, 0.42  # inches


def heat_map(document: Mapping[str, Any], finding: Mapping[str, Any], name: str) -> str:
    """Return the SVG element of one finding's matrix; `name` tells it from the page's other figures."""
    roles = [role for role in ROLES if role in document["data"]]
    levels, models = list(document["levels"]), [model["name"] for model in document["models"]]
    width = len(levels) * len(roles) + _GAP * (len(roles) - 1)
    longest = max(len(_short(model)) for model in models)
    with figure(name, _CELL_WIDTH * width + 0.085 * longest + 0.7, _CELL_HEIGHT * len(models) + 1.25) as drawn:
        axes = drawn.axes
        for half, role in enumerate(roles):
            start = half * (len(levels) + _GAP)
            _draw_half(axes, finding[role]["cells"], start)
            middle = start + len(levels) / 2
            axes.text(middle, -0.15, _short(document["data"][role]["name"]), ha="center", va="bottom", color=INK)
        places = [half * (len(levels) + _GAP) + at + 0.5 for half in range(len(roles)) for at in range(len(levels))]
        axes.set_xticks(places, [level.replace(" / ", "\n") for level in levels] * len(roles))
        axes.set_yticks([row + 0.5 for row in range(len(models))], [_short(model) for model in models])
        axes.set_xlim(0, width)
        axes.set_ylim(len(models), -0.55)
        axes.set_xlabel("distortion at test time: rotation, translation, scaling")
        axes.set_ylabel("in training")
        axes.tick_params(length=0, labelsize=8)
        for side in axes.spines.values():
            side.set_visible(False)
        return drawn.svg(
            f"Heat map of the AUC of {finding['label']}: {len(models)} models against {len(levels)} levels of "
            f"distortion, on {' and on '.join(document['data'][role]['name'] for role in roles)}. "
            "The table that follows has its numbers."
        )


def cell_colours(area: float) -> tuple[str, str]:
    """Return the colours of a cell and of the text in it; they have a contrast of 4.5 at least."""
    share = min(max((area - LOWEST) / (HIGHEST - LOWEST), 0), 1)
    colour = _COLOURS(share)
    light = _luminance(colour[:3])
    return to_hex(colour), "#000000" if (light + 0.05) / 0.05 >= 1.05 / (light + 0.05) else "#ffffff"


def _draw_half(axes: Axes, cells: Sequence[Sequence[Mapping[str, Any] | None]], start: float) -> None:
    for row, line in enumerate(cells):
        for column, cell in enumerate(line):
            fill, text = cell_colours(cell["auc"]) if cell else ("none", QUIET)
            axes.add_patch(Rectangle((start + column, row), 0.97, 0.95, facecolor=fill, edgecolor="none"))
            words = f"{cell['auc']:.2f}" if cell else "–"
            axes.text(start + column + 0.485, row + 0.475, words, ha="center", va="center", color=text)


def _luminance(colour: Sequence[float]) -> float:
    """The relative luminance of sRGB values 0..1, as WCAG 2.2 defines it."""
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _short(name: str) -> str:
    """The end of a long name: files differ there."""
    return name if len(name) <= _LONGEST else "…" + name[1 - _LONGEST :]
