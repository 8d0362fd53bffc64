"""Quantisation and Huffman tables of JPEG files, checked as libjpeg checks them (ITU-T T.81, annex B.2.4).

Where a platform counts the blocks of such codes faster than Python does, it is asked to: `worker/jpeg_blocks.js`.
It says how many whole blocks there are at the start, as far as nothing is odd. What blocks are, and the verdict on what
comes after them, is `BlockCounter`'s alone; where nobody counts, that begins at the first bit.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from sitegen_runtime.errors import DamagedImage

_DAMAGED = "A decoding table of the JPEG file is damaged. Copy the file again from its source."

NO_CODE = -1 << 16
"""In `HuffmanTree.children`: no code starts with these bits."""


@dataclass(frozen=True)
class HuffmanCode:
    """A prefix code as a file has it: how many code words of 1 to 16 bits there are, and what they stand for."""

    counts: bytes
    symbols: bytes


STANDARD_CODES = {
    (0, 0): HuffmanCode(  # K.3, luminance DC
        bytes.fromhex("00010501010101010100000000000000"),
        bytes.fromhex("000102030405060708090a0b"),
    ),
    (0, 1): HuffmanCode(  # K.4, chrominance DC
        bytes.fromhex("00030101010101010101010000000000"),
        bytes.fromhex("000102030405060708090a0b"),
    ),
    (1, 0): HuffmanCode(  # K.5, luminance AC
        bytes.fromhex("0002010303020403050504040000017d"),
        bytes.fromhex(
            "01020300041105122131410613516107227114328191a1082342b1c11552d1f02433627282090a161718191a"
            "25262728292a3435363738393a434445464748494a535455565758595a636465666768696a73747576777879"
            "7a838485868788898a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9"
            "cad2d3d4d5d6d7d8d9dae1e2e3e4e5e6e7e8e9eaf1f2f3f4f5f6f7f8f9fa"
        ),
    ),
    (1, 1): HuffmanCode(  # K.6, chrominance AC
        bytes.fromhex("00020102040403040705040400010277"),
        bytes.fromhex(
            "000102031104052131061241510761711322328108144291a1b1c109233352f0156272d10a162434e125f117"
            "18191a262728292a35363738393a434445464748494a535455565758595a636465666768696a737475767778"
            "797a82838485868788898a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7"
            "c8c9cad2d3d4d5d6d7d8d9dae2e3e4e5e6e7e8e9eaf2f3f4f5f6f7f8f9fa"
        ),
    ),
}
"""Codes of T.81, annex K.3, by class and number: libjpeg-turbo takes them where a sequential file lacks its own."""


def huffman_segment(kind: int, number: int, code: HuffmanCode) -> bytes:
    """The body of a DHT segment that defines one code."""
    return bytes((kind << 4 | number,)) + code.counts + code.symbols


@dataclass(frozen=True)
class HuffmanTree:
    """A code as a binary tree: `children[2 * node + bit]` is the next node, or ~symbol, or NO_CODE."""

    children: tuple[int, ...]
    code: HuffmanCode


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
    return HuffmanTree(tuple(children), code)


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
