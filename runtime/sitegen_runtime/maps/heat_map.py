"""Numbers as pixels: explanations and errors over an image (which colour, how transparent), and a reconstruction.

An explanation's picture is made here alone, for the page and for `sitegen explain`: values below 0 count as 0, the map
is brought to the picture's size and smoothed, the largest becomes 1, and the weaker a place is, the more transparent.
The picture is small, because people wait for it; whoever lays it over the image enlarges it smoothly.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from sitegen_runtime.errors import BadExplanation
from sitegen_runtime.maps.colour_maps import COLOUR_MAPS, colours
from sitegen_runtime.pixels.grids import Shape, enlarged, halved, smoothed

ERROR_COLOUR = (213, 43, 30)  # a red that stands out on grey for the common kinds of colour blindness too
SMALLEST_FULL_SCALE = 0.1  # so that the noise of a good reconstruction does not look like an error
LARGEST_OPACITY = 217  # of 255: the image shows through even at the worst place
FINE_BLUR = 1  # for maps that are not enlarged, which are too grainy to be seen beside the image
CELL = 8  # pixels of the picture along a side of a coarse map's cell: as smooth as more of them, once enlarged
LEVELS = 256  # of strength, and so of colour and opacity


@dataclass(frozen=True)
class Look:
    """How an explanation is drawn.

    `opacity`, above 0 and up to 1, is that of the strongest place. Up to the share `threshold` (0 to less than 1) of
    its strength places are transparent; from there on opacity grows in proportion. `colour_map` is one of COLOUR_MAPS.
    `blur` is the radius of `grids.smoothed` in pixels of the picture (`picture_size`), up to 50; None: FINE_BLUR for
    maps that are not enlarged, 0 for others.
    """

    opacity: float = 0.75
    colour_map: str = COLOUR_MAPS[0]
    threshold: float = 0.1
    blur: int | None = None

    def __post_init__(self) -> None:
        """Raise BadExplanation where a part is out of range."""
        if not _lies(self.opacity, 0, 1) or self.opacity == 0:
            raise BadExplanation(f"The opacity must be above 0 and at most 1, not {self.opacity!r}.")
        if not _lies(self.threshold, 0, 1) or self.threshold == 1:
            raise BadExplanation(f"The threshold must be from 0 to less than 1, not {self.threshold!r}.")
        if self.colour_map not in COLOUR_MAPS:
            known = ", ".join(map(repr, COLOUR_MAPS))
            raise BadExplanation(f"There is no colour map {self.colour_map!r}. There are {known}.")
        if self.blur is not None and (not isinstance(self.blur, int) or not _lies(self.blur, 0, 50)):
            raise BadExplanation(f"The blur must be a whole number of pixels from 0 to 50, not {self.blur!r}.")

    @classmethod
    def read(cls, fields: Mapping[str, Any] | None) -> "Look":
        """Return the look with these fields, and the defaults of all others. Raises BadExplanation."""
        given = dict(fields or {})
        if unknown := set(given) - set(cls.__dataclass_fields__):
            raise BadExplanation(f"A look has no {sorted(unknown)}. It has {sorted(cls.__dataclass_fields__)}.")
        return cls(**given)


def _lies(value: Any, low: float, high: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value) and low <= value <= high


def picture_size(shape: Shape, grid: Shape) -> Shape:
    """Return how many rows and columns of pixels a map's picture has, for a classifier that sees a `grid` of cells.

    Half as many as a map of even sides that is as fine as what the classifier sees; along the longer side, CELL for
    each cell of a coarser one, and never more than the grid has. The picture has the grid's form.
    """
    if shape == grid:
        return grid if grid[0] % 2 or grid[1] % 2 else (grid[0] // 2, grid[1] // 2)
    longest = max(grid)
    length = min(longest, CELL * max(shape))
    rows, columns = (max(1, (2 * length * cells + longest) // (2 * longest)) for cells in grid)
    return rows, columns


def shares(values: Sequence[float], shape: Shape, size: Shape, blur: int | None = None) -> list[float]:
    """Return how strong a map is at each place of so many rows and columns: from 0 to 1, which the strongest has.

    `values` has `shape` (rows, columns) cells; those below 0 count as 0. Where none is above 0, all are 0. A map of
    twice the size has the mean of four cells at each place.
    """
    risen = values if min(values) >= 0.0 else [value if value > 0.0 else 0.0 for value in values]
    is_fine = shape in (size, _twice(size))
    radius = (FINE_BLUR if is_fine else 0) if blur is None else blur
    drawn = smoothed(_at_size(risen, shape, size), size, radius)
    largest = max(drawn)
    if largest <= 0.0:
        return [0.0] * len(drawn)
    return [value / largest if value > 0.0 else 0.0 for value in drawn]  # running totals may end a hair below 0


def _twice(size: Shape) -> Shape:
    return 2 * size[0], 2 * size[1]


def _at_size(values: Sequence[float], shape: Shape, size: Shape) -> Sequence[float]:
    if shape == size:
        return values
    return halved(values, shape) if shape == _twice(size) else enlarged(values, shape, size)


def picture(values: Sequence[float], shape: Shape, size: Shape, look: Look | None = None) -> bytes:
    """Return a map's RGBA bytes (8 bits a sample, not premultiplied), to be laid over the image: rows x columns pixels.

    `values` are as in `shares`. A map with nothing above 0 is transparent everywhere.
    """
    look = look or Look()
    return coloured(levels(values, shape, size, look.blur), look)


def levels(values: Sequence[float], shape: Shape, size: Shape, blur: int | None = None) -> bytes:
    """Return how strong a map is, as in `shares`, in LEVELS steps from 0 to 255, a byte for each place.

    This is what takes time in `picture`: another colour map, opacity or threshold needs `coloured` alone.
    """
    return bytes([int(share * (LEVELS - 1) + 0.5) for share in shares(values, shape, size, blur)])


def legend(look: Look | None = None) -> bytes:
    """Return the RGBA bytes of LEVELS pixels, from no strength to the largest, as `picture` colours them."""
    return coloured(bytes(range(LEVELS)), look or Look())


def coloured(strengths: bytes, look: Look) -> bytes:
    """Return the RGBA bytes of strengths that `levels` gave."""
    pixels = bytearray(4 * len(strengths))
    for place, table in enumerate((*colours(look.colour_map), _opacities(look))):
        pixels[place::4] = strengths.translate(table)
    return bytes(pixels)


def _opacities(look: Look) -> bytes:
    """Of each level: nothing up to the threshold, then in proportion; the strongest is never transparent."""
    shares_of_rise = [(level / (LEVELS - 1) - look.threshold) / (1 - look.threshold) for level in range(LEVELS)]
    opacities = [int(255 * look.opacity * min(max(share, 0.0), 1.0) + 0.5) for share in shares_of_rise]
    return bytes([*opacities[:-1], max(1, opacities[-1])])


def error_overlay(errors: Sequence[float]) -> bytes:
    """Return RGBA bytes (8 bits a sample, not premultiplied), one pixel an error.

    Opacity grows in proportion to the error (0..1), so that what is rebuilt well is transparent and the largest error,
    or SMALLEST_FULL_SCALE where all are smaller, has LARGEST_OPACITY.
    """
    full_scale = max(SMALLEST_FULL_SCALE, *errors)
    overlay = bytearray(bytes((*ERROR_COLOUR, 0)) * len(errors))
    overlay[3::4] = bytes(int(error / full_scale * LARGEST_OPACITY + 0.5) for error in errors)
    return bytes(overlay)


def drawn(shares: Sequence[float], channels: int) -> bytes:
    """Return the opaque RGBA bytes (8 bits a sample) of an image.

    `shares` has the values of one channel after the other (1: grey, 3: red, green, blue), each row-major and as a share
    of the range, 0 (black) to 1. What lies outside, as a network may give it, is drawn as the nearest that lies inside.
    """
    samples = bytes(int(min(max(share, 0.0), 1.0) * 255 + 0.5) for share in shares)
    cells = len(samples) // channels
    picture = bytearray(b"\xff" * (4 * cells))
    for place in range(3):
        start = place % channels * cells
        picture[place::4] = samples[start : start + cells]
    return bytes(picture)
