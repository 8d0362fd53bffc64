"""From cells to 8-bit luma: the rule, as one table, made in integers alone (PS3.3, C.7.6.3.1.2, C.11.1, C.11.2).

index of the table    the cell as it lies in the frame; what lies beside its stored bits, overlays as a rule, counts
                      for nothing
1. sign               of the stored bits the uppermost, where PixelRepresentation is 1
2. modality           the table of the Modality LUT Sequence, or slope * x + intercept
3. values of interest the first VOI table; else the first window (LINEAR, LINEAR_EXACT or SIGMOID); else, for 8 bits
                      without sign or modality, as they are; else from the least to the greatest value in the frame,
                      padding left out
4. MONOCHROME1        255 - v

Every share of the way from black to white is rounded half up: v = floor(255 * share + 1/2); in 16 bits, for those who
prepare data, v = floor(65535 * share + 1/2). All numbers of a header are
fractions, and no platform's floating point decides anything.
"""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, localcontext
from fractions import Fraction
from functools import cache

from sitegen_runtime.formats.dicom.lookup_tables import LookupTable

LINEAR, LINEAR_EXACT, SIGMOID = "LINEAR", "LINEAR_EXACT", "SIGMOID"
FUNCTIONS = (LINEAR, LINEAR_EXACT, SIGMOID)
WHITE = 255
"""The greatest grey of 8 bits. Whoever keeps more greys than a screen shows names another: the rule is the same."""


@dataclass(frozen=True)
class Stored:
    """Where a value lies in a cell of `cell_bits` bits: `bits` of them, above `shift` others."""

    cell_bits: int
    bits: int
    shift: int
    signed: bool

    def values(self) -> list[int]:
        """Return the value of each pattern of the stored bits."""
        size = 1 << self.bits
        return [x - size if self.signed and x >= size >> 1 else x for x in range(size)]

    def patterns(self, cells: Iterable[int]) -> set[int]:
        """Return the patterns of the stored bits in some cells."""
        mask = (1 << self.bits) - 1
        return {cell >> self.shift & mask for cell in cells}

    def spread(self, by_pattern: bytes) -> bytes:
        """Return a table by cells of one by the patterns of their stored bits."""
        wide = bytes(v for v in by_pattern for _ in range(1 << self.shift)) if self.shift else by_pattern
        return wide * (1 << self.cell_bits - self.bits - self.shift)


@dataclass(frozen=True)
class Line:
    """A rescale: slope * x + intercept."""

    slope: Fraction
    intercept: Fraction


@dataclass(frozen=True)
class Window:
    """A window on values: its centre, its width (at least 1 where it is LINEAR, else above 0), and its function."""

    centre: Fraction
    width: Fraction
    function: str


@dataclass(frozen=True)
class Padding:
    """Values that fill up the picture, from `low` to `high`, and the one pattern that the header's number leaves."""

    low: int
    high: int
    pattern: int | None = None


@dataclass(frozen=True)
class Shades:
    """The rule for the frames of one header."""

    stored: Stored
    modality: LookupTable | Line | None = None
    voi: LookupTable | Window | None = None
    padding: Padding | None = None
    inverted: bool = False

    @property
    def plain(self) -> bool:
        """Whether stored values are shades already."""
        whole_byte = self.stored.bits == 8 and not self.stored.signed
        return whole_byte and self.modality is None and self.voi is None

    @property
    def needs_cells(self) -> bool:
        """Whether the table depends on which cells the frame has."""
        return self.voi is None and not self.plain

    def table(self, cells: Iterable[int] = ()) -> bytes:
        """Return the luma of each cell there can be: 256 or 65,536 bytes.

        `cells` are all that the frame has, in any order and as often as one likes; they count where `needs_cells` says.
        """
        return self.stored.spread(bytes(self.greys(cells)))

    def greys(self, cells: Iterable[int] = (), top: int = WHITE) -> list[int]:
        """Return the grey, from 0 to `top`, of each pattern of the stored bits; `top` is a multiple of 255."""
        stored = self.stored.values()
        grey = [v * (top // WHITE) for v in stored] if self.plain else self._shown(stored, cells, top)
        return [top - v for v in grey] if self.inverted else grey

    def _shown(self, stored: list[int], cells: Iterable[int], top: int) -> list[int]:
        values, scale = _after_modality(stored, self.modality)
        if isinstance(self.voi, LookupTable):
            return _looked_up(self.voi, values, scale, top)
        if isinstance(self.voi, Window):
            return _windowed(self.voi, values, scale, top)
        present = self._without_padding(self.stored.patterns(cells), stored)
        found = [values[pattern] for pattern in present] or [0]
        return _stretched(values, 1, Fraction(min(found)), Fraction(max(found) - min(found)), top)

    def _without_padding(self, patterns: set[int], stored: list[int]) -> set[int]:
        padding = self.padding
        if padding is None:
            return patterns
        shown = {x for x in patterns if not padding.low <= stored[x] <= padding.high and x != padding.pattern}
        return shown or patterns


def _after_modality(stored: list[int], modality: LookupTable | Line | None) -> tuple[list[int], int]:
    """Return each value after the modality's change, times an integer, and that integer."""
    if modality is None:
        return stored, 1
    if isinstance(modality, LookupTable):
        return modality.of(stored), 1
    scale = modality.slope.denominator * modality.intercept.denominator
    a, b = int(modality.slope * scale), int(modality.intercept * scale)
    return [a * x + b for x in stored], scale


def _looked_up(table: LookupTable, values: list[int], scale: int, top: int) -> list[int]:
    full = (1 << table.depth) - 1
    entries = tuple((2 * top * entry + full) // (2 * full) for entry in table.entries)
    greys = LookupTable(table.first, top.bit_length(), entries)
    return greys.of(values if scale == 1 else [x // scale for x in values])


def _windowed(window: Window, values: list[int], scale: int, top: int) -> list[int]:
    centre, width = window.centre, window.width
    if window.function == SIGMOID:
        edges = [_least_integer(centre + width * t / 4, scale) for t in _logits(top)]
        return [bisect_right(edges, x) for x in values]
    if window.function == LINEAR:
        centre, width = centre - Fraction(1, 2), width - 1
    return _stretched(values, scale, centre - width / 2, width, top)


def _stretched(values: list[int], scale: int, low: Fraction, span: Fraction, top: int) -> list[int]:
    """Return top * (value / scale - low) / span, rounded and within 0..top; a step where there is no span."""
    if not span:
        step = low * scale
        return [top if x > step else 0 for x in values]
    slope, offset = Fraction(top, scale) / span, Fraction(1, 2) - top * low / span
    d = slope.denominator * offset.denominator
    a, b = int(slope * d), int(offset * d)
    return [min(top, max(0, (a * x + b) // d)) for x in values]


def _least_integer(edge: Fraction, scale: int) -> int:
    """Return the least integer x with x / scale >= edge."""
    return -((-edge * scale).__floor__())


@cache
def _logits(top: int) -> list[Fraction]:
    """Where top / (1 + e**-t) passes k - 1/2, for k = 1..top: held to 2**-60, so that nobody's exp matters."""
    with localcontext() as context:
        context.prec = 40
        shares = (Decimal(2 * k - 1) / Decimal(2 * top + 1 - 2 * k) for k in range(1, top + 1))
        return [Fraction(int(share.ln() * (1 << 60)), 1 << 60) for share in shares]
