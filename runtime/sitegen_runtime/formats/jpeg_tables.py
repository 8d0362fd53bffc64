"""Quantisation and Huffman tables of JPEG files, checked as libjpeg checks them (ITU-T T.81, annex B.2.4)."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from sitegen_runtime.errors import DamagedImage

_DAMAGED = "A decoding table of the JPEG file is damaged. Copy the file again from its source."

NO_CODE = -1 << 16
"""In `HuffmanTree.children`: no code starts with these bits."""


@dataclass(frozen=True)
class HuffmanCode:
    """A prefix code as a file has it: how many code words of 1 to 16 bits there are, and what they stand for."""

    counts: bytes
    symbols: bytes


@dataclass(frozen=True)
class HuffmanTree:
    """A code as a binary tree: `children[2 * node + bit]` is the next node, or ~symbol, or NO_CODE."""

    children: tuple[int, ...]


def quantisation_tables(body: bytes) -> Iterator[int]:
    """The numbers (0 to 3) of the tables that a DQT segment defines.

    Raises DamagedImage where the segment does not hold whole tables, or a divisor is zero.
    """
    position = 0
    while position < len(body):
        precision, number = body[position] >> 4, body[position] & 15
        size = 128 if precision else 64
        table = body[position + 1 : position + 1 + size]
        if precision > 1 or number > 3 or len(table) < size:
            raise DamagedImage(_DAMAGED)
        if 0 in (memoryview(table).cast("H") if precision else table):
            raise DamagedImage(_DAMAGED)
        position += 1 + size
        yield number


def huffman_tables(body: bytes) -> Iterator[tuple[int, int, HuffmanCode]]:
    """Class (0 DC, 1 AC), number (0 to 3) and code of each table that a DHT segment defines.

    Raises DamagedImage where the segment does not hold whole tables, or a table is no prefix code: has too
    many code words, or one of all ones, which T.81 forbids and libjpeg refuses.
    """
    position = 0
    while position < len(body):
        kind, number = body[position] >> 4, body[position] & 15
        counts = body[position + 1 : position + 17]
        total = sum(counts)
        symbols = body[position + 17 : position + 17 + total]
        if kind > 1 or number > 3 or len(counts) < 16 or not 1 <= total <= 256 or len(symbols) < total:
            raise DamagedImage(_DAMAGED)
        if kind == 0 and max(symbols) > 15:
            raise DamagedImage(_DAMAGED)
        position += 17 + total
        if not _is_prefix_code(counts):
            raise DamagedImage(_DAMAGED)
        yield kind, number, HuffmanCode(counts, symbols)


def _is_prefix_code(counts: bytes) -> bool:
    """Whether canonical code words of these lengths exist, none of them all ones (T.81, C.2)."""
    code = 0
    for length, count in enumerate(counts, 1):
        code = (code << 1) + count
        if count and code >= 1 << length:
            return False
    return True


@lru_cache(maxsize=16)
def huffman_tree(code: HuffmanCode) -> HuffmanTree:
    """The canonical code with `counts[i]` code words of i + 1 bits (T.81, C.2), which `huffman_tables` found right.

    Made when a scan asks for it: a file may define any number of codes that none uses.
    """
    children = [NO_CODE, NO_CODE]
    word, used = 0, 0
    for length, count in enumerate(code.counts, 1):
        for symbol in code.symbols[used : used + count]:
            _insert(children, word, length, symbol)
            word += 1
        used += count
        word <<= 1
    return HuffmanTree(tuple(children))


def _insert(children: list[int], code: int, length: int, symbol: int) -> None:
    """Add one code word to a tree in the making."""
    node = 0
    for shift in range(length - 1, 0, -1):
        branch = 2 * node + (code >> shift & 1)
        if children[branch] == NO_CODE:
            children[branch] = len(children) // 2
            children += [NO_CODE, NO_CODE]
        node = children[branch]
    children[2 * node + (code & 1)] = ~symbol
