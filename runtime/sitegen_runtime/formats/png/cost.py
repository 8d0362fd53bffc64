"""How long the runtime would need for a PNG's pixels, told from the filters of its rows before any is undone.

Undoing a filter takes Python as long as there are bytes, and some filters thirty times as long as others, so the
number of pixels alone says little. It counts work, not time: every machine, and the page, refuses the same files.
"""

from sitegen_runtime.errors import TooLarge
from sitegen_runtime.formats.png.layout import ALPHA_TYPES, PALETTE, Header, Pass

_NANOSECONDS = (2, 40, 4, 58, 113)
"""For a byte under filter 0 to 4 in CPython, on the machine that benchmarks/README.md describes."""

_LIMIT = 4_000_000_000
"""In the same unit. Pyodide needs 2.2 to 3 times as long as CPython: some ten seconds in the page."""

_MOST_INTERLACED = 400_000_000
"""Bytes of samples of an interlaced image, which has to be held whole."""

_PLAIN = "Save it as JPEG, as a grey or RGB PNG with 8 bits and without interlacing,"


def check_interlaced(header: Header) -> None:
    """Raise TooLarge where the samples of an interlaced image that the runtime decodes would take too much memory."""
    pixel = 3 if header.colour_type == PALETTE else _kept(header)
    if header.interlaced and header.width * header.height * pixel > _MOST_INTERLACED:
        raise TooLarge(
            f"The PNG is interlaced, and its {header.width:,} x {header.height:,} pixels do not fit into memory. "
            f"{_PLAIN} or at a smaller size."
        )


class DecodingCost:
    """Adds up what the rows of one image will cost the runtime."""

    def __init__(self, header: Header) -> None:
        self._header = header
        self._kept = _kept(header)
        self._cost = 0
        self._bytes = 0

    def add(self, part: Pass, kinds: bytes) -> None:
        """Count rows of a pass by their filter types, 0 to 4; raise TooLarge once all are more than the limit."""
        header = self._header
        row = part.row_bytes * self._kept // max(1, header.samples * header.bits // 8)
        self._cost += row * sum(cost * kinds.count(kind) for kind, cost in enumerate(_NANOSECONDS))
        self._bytes += len(kinds) * (part.row_bytes + 1)
        if self._cost > _LIMIT:
            fitting = header.width * header.height * self._bytes / header.inflated_size() * _LIMIT / self._cost
            raise TooLarge(
                f"Reading this PNG of {header.width:,} x {header.height:,} pixels, with its {header.bits} bits and its "
                f"filters, would take too long. {_PLAIN} or with at most {max(1, int(fitting / 1e6))} million pixels."
            )


def _kept(header: Header) -> int:
    """Bytes of a pixel that are decoded: all but alpha; 1 below 8 bits."""
    samples = header.samples - (header.colour_type in ALPHA_TYPES)
    return max(1, samples * header.bits // 8)
