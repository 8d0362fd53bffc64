"""Where something is changed: rectangles on the image, and the cells of a network's input that they cover.

A mask has a byte for each cell of an input, row-major: 1 where the cell is changed, 0 where it stays.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, isfinite
from typing import Any, cast

from sitegen_runtime.attacks.table import STEPS, STRENGTH
from sitegen_runtime.document_types import AttackDocument
from sitegen_runtime.errors import BadIntervention
from sitegen_runtime.pixels.geometry import Place, orient, upright_size
from sitegen_runtime.pixels.grids import Shape

Rectangle = tuple[float, float, float, float]  # left, top, width, height

MOST_INTERVENTIONS = 100  # that are asked for at once: each costs a prediction
MOST_REGIONS = 4096  # of one intervention: a long stroke of a brush
_KEYS = {"regions", "filling"}
_FORM = '{"regions": [[left, top, width, height], …], "filling": …}'
_NOISE = '{"attack": {"method": …, "strength": …, "steps": …, "finding": …, "seed": …}}'
_NOISE_KEYS: Mapping[str, tuple[type, ...]] = {
    "method": (str,),
    "strength": (int, float),
    "steps": (int,),
    "finding": (str, type(None)),
    "seed": (int,),
}


@dataclass(frozen=True)
class Intervention:
    """Regions, in pixels of the upright image, and the name, known or not, of what stands in them afterwards."""

    regions: tuple[Rectangle, ...]
    filling: str


@dataclass(frozen=True)
class Noise:
    """Adversarial noise in place of regions; whether there is such an attack, finding or strength is told later."""

    attack: AttackDocument


def read_interventions(wanted: Any) -> tuple[Intervention | Noise, ...]:
    """Read a list of {"regions", "filling"} or {"attack"}, or a mapping whose only key `interventions` holds it.

    Raises BadIntervention where it is no such list. Whether regions and fillings are any that can be had is told for
    each later, where the image is known.
    """
    if isinstance(wanted, Mapping) and set(wanted) == {"interventions"}:
        wanted = wanted["interventions"]
    if not isinstance(wanted, Sequence) or isinstance(wanted, str | bytes):
        raise BadIntervention(f'What to change must be {{"interventions": [{_FORM}, …]}}.')
    if len(wanted) > MOST_INTERVENTIONS:
        raise BadIntervention(
            f"There are {len(wanted)} interventions, and at most {MOST_INTERVENTIONS} are tried at once. Ask for fewer."
        )
    return tuple(_read(entry, number) for number, entry in enumerate(wanted, 1))


def _read(entry: Any, number: int) -> Intervention | Noise:
    if isinstance(entry, Mapping) and set(entry) == {"attack"}:
        return _noise(entry["attack"], number)
    if not isinstance(entry, Mapping) or set(entry) != _KEYS:
        raise BadIntervention(f"Intervention {number} must be {_FORM}, and nothing more: {_short(entry)}.")
    regions = entry["regions"]
    if not isinstance(regions, Sequence) or isinstance(regions, str | bytes) or not regions:
        raise BadIntervention(f"Intervention {number} must have a list of regions, one at least: {_short(regions)}.")
    if len(regions) > MOST_REGIONS:
        raise BadIntervention(
            f"Intervention {number} has {len(regions)} regions; at most {MOST_REGIONS} are taken. Draw larger ones."
        )
    if not isinstance(entry["filling"], str):
        raise BadIntervention(
            f'The filling of intervention {number} must be a name such as "black", not {_short(entry["filling"])}.'
        )
    return Intervention(tuple(_rectangle(region, number) for region in regions), entry["filling"])


def _noise(wish: Any, number: int) -> Noise:
    if not isinstance(wish, Mapping) or not {"method"} <= set(wish) <= set(_NOISE_KEYS):
        raise BadIntervention(f"Intervention {number} must be {_NOISE}, and nothing more: {_short(wish)}.")
    for key, value in wish.items():
        if isinstance(value, bool) or not isinstance(value, _NOISE_KEYS[key]):
            raise BadIntervention(f"The {key} of the attack {number} cannot be {_short(value)}; see docs/attacks.md.")
    usual: AttackDocument = {"method": "", "strength": STRENGTH, "steps": STEPS, "finding": None, "seed": 0}
    return Noise(cast(AttackDocument, {**usual, **wish}))


def _rectangle(region: Any, number: int) -> Rectangle:
    if not isinstance(region, Sequence) or isinstance(region, str | bytes) or len(region) != 4:
        raise BadIntervention(
            f"A region of intervention {number} must be [left, top, width, height], not {_short(region)}."
        )
    if not all(map(_is_number, region)):
        raise BadIntervention(f"A region of intervention {number} must have finite numbers: {_short(region)}.")
    left, top, width, height = map(float, region)
    if width <= 0 or height <= 0:
        raise BadIntervention(
            f"A region of intervention {number} must have a width and a height above 0: {_short(region)}."
        )
    return left, top, width, height


def _is_number(value: Any) -> bool:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    return abs(value) < 1e9 and isfinite(value)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:79]}…"


def mask_of(regions: Sequence[Rectangle], place: Place, grid: Shape, orientation: int = 1) -> bytes:
    """Return which cells of a network's input have their centre in one of the regions, edges of low numbers included.

    `place` is where the input lies, in the pixels that the regions are in; `orientation` is how the image was turned
    afterwards, before the network saw it; `grid` are the input's rows and columns, as the network has them.
    """
    columns, rows = upright_size(grid[1], grid[0], orientation)  # before it was turned
    mask = bytearray(rows * columns)
    for x, y, width, height in regions:
        first, end = _span(x - place.left, width, place.width, columns)
        upper, lower = _span(y - place.top, height, place.height, rows)
        if first < end:
            for row in range(upper, lower):
                mask[row * columns + first : row * columns + end] = b"\1" * (end - first)
    return bytes(mask if orientation == 1 else orient(mask, columns, orientation))


def _span(start: float, length: float, side: float, cells: int) -> tuple[int, int]:
    """The cells (first, end) whose centres, (i + 0.5) · side / cells, lie from `start` to less than start + length."""
    first, end = (ceil(edge * cells / side - 0.5) for edge in (start, start + length))
    return min(max(first, 0), cells), min(max(end, 0), cells)


def check_mask(mask: bytes, regions: Sequence[Rectangle], square: Sequence[int], whole: bytes) -> None:
    """Raise BadIntervention where regions change nothing that a network sees, or all of it.

    `square` is [left, top, width, height] of what it sees, and `whole` the mask of the whole image.
    """
    changed = sum(mask)
    left, top, width, height = square
    seen = f"[{left}, {top}, {width}, {height}]"
    if changed == 0:
        outside = all(
            x >= left + width or y >= top + height or x + across <= left or y + down <= top
            for x, y, across, down in regions
        )
        lies = "lies outside of what the model sees" if outside else "holds the centre of no cell of the model's input"
        raise BadIntervention(
            f"The region {_short(list(map(list, regions)))} {lies}. The model sees {seen} of the image "
            "(left, top, width, height), and a region must hold a part of it."
        )
    if changed == sum(whole):
        raise BadIntervention(
            f"The region covers all that the model sees, {seen} of the image: nothing of it would be left. "
            "Leave a part of it out."
        )
