"""Where a platform counts blocks of a JPEG scan faster than Python does, it is asked to: `worker/jpeg_blocks.js`.

It says how many whole blocks there are at the start, as far as nothing is odd. What blocks are, and the verdict on what
comes after them, is `BlockCounter`'s alone; where nobody counts, that begins at the first bit.
"""

import json
from collections.abc import Callable, Sequence
from typing import TypeAlias

from sitegen_runtime.formats.jpeg_tables import HuffmanCode

Count: TypeAlias = Callable[[bytes, str], str]
_LEAST_BYTES = 256
"""Fewer are counted before another was asked."""

_count: Count | None = None


def count_by(count: Count | None) -> None:
    """Have whole blocks be counted by a function of the data and a scan in JSON; by None, not any more.

    The scan is {"codes", each as hexadecimal: 16 counts, then symbols; "slots", for each block of an MCU the places of
    its DC and AC codes among these; "first" and "last", its coefficients; "most", how many blocks to count at most}.
    The answer is [blocks, bits], in JSON: how many whole blocks the data begin with, and how many bits they have.
    """
    global _count
    _count = count


def whole_blocks(
    data: bytes, slots: Sequence[tuple[HuffmanCode | None, HuffmanCode | None]], first: int, last: int, most: int
) -> tuple[int, int]:
    """Return a number of blocks, at most `most`, that `data` begin with, and their bits; (0, 0) where nobody counts."""
    if _count is None or len(data) < _LEAST_BYTES:
        return 0, 0
    codes = list(dict.fromkeys(code for slot in slots for code in slot))
    scan = {
        "codes": ["" if code is None else (code.counts + code.symbols).hex() for code in codes],
        "slots": [[codes.index(dc), codes.index(ac)] for dc, ac in slots],
        "first": first,
        "last": last,
        "most": most,
    }
    blocks, bits = json.loads(_count(data, json.dumps(scan)))
    return blocks, bits
