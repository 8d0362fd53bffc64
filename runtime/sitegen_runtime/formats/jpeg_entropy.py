"""Whether the entropy-coded data of a JPEG scan holds exactly the blocks that the scan should have.

A truncated or damaged scan still "decodes" in libjpeg, with a warning that browsers and Pillow swallow. Decoding the
Huffman codes bit by bit would find it out, but takes seconds in Python. Here the code is turned into an automaton that
eats whole bytes: its state is where in a block and in a code word a byte ends, its transitions are found when they
are first met, and the walk over known ones runs in C (`itertools.accumulate`). The values of coefficients are
skipped, only blocks are counted. A page counts most of them in its own way first (`whole_blocks`).

What it cannot see: changed bits that leave the number of blocks right (in values, or where codes fall back in step).
In trials on whole files, losses of 200 bytes or more were nearly always found, single flipped bits half the time.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from operator import attrgetter, getitem

from sitegen_runtime.formats.jpeg_cost import CheckingCost
from sitegen_runtime.formats.jpeg_tables import NO_CODE, HuffmanCode, HuffmanTree, whole_blocks

_MAX_TRANSITIONS = 200_000
"""Transitions after which an automaton is forgotten and built anew, so that it stays within some 20 MB."""

_STRETCH = 1 << 16
"""Bytes walked over at a time."""

_IN_STEP = 64
"""Bytes that hold several blocks: what can be read for so long is hardly read by chance."""

_END_OF_BAND = -1
"""The index in a state while the length of a run of blocks without further coefficients is read (T.81, G.1.2.2)."""

State = tuple[int, int, int, int]
"""Between two bits of a scan: which block of the MCU; which coefficient comes next (0 for DC, or _END_OF_BAND);
which node of its tree (or what is known of a run's length); how many bits of a value are still to come."""

_IMPOSSIBLE: State = (-1, 0, 0, 0)
"""After bits that are no code word, or coefficients beyond the block's end."""


@dataclass(frozen=True)
class Slot:
    """The trees for one block among those of an MCU: `dc` where the scan has DC codes, `ac` where it has AC codes."""

    dc: HuffmanTree | None
    ac: HuffmanTree | None


class _Row(dict[int, "_Row"]):
    """A state with the transitions known so far; `blocks` is how many blocks were completed on the way to it."""

    __slots__ = ("blocks", "counter", "state")

    def __init__(self, counter: "BlockCounter", state: State, blocks: int) -> None:
        super().__init__()
        self.counter = counter
        self.state = state
        self.blocks = blocks

    def __missing__(self, byte: int) -> "_Row":
        """Find the transition for a byte that was not met in this state before."""
        row = self[byte] = self.counter.row(*self.counter.advance(self.state, byte, 8))
        self.counter.transitions += 1
        self.counter.made += 1
        return row


class BlockCounter:
    """Counts blocks in the entropy-coded data of one scan; the intervals between restart markers one by one."""

    def __init__(self, slots: tuple[Slot, ...], first: int, last: int) -> None:
        """`slots` has the blocks of an MCU in order; coefficients `first` to `last` are coded, 1 or more without DC."""
        self.transitions = 0
        """How many are known."""
        self.made = 0
        """How many were found out, in all: also those that were forgotten."""
        self._trees = [[() if tree is None else tree.children for tree in (slot.dc, slot.ac)] for slot in slots]
        self._codes = [(_code(slot.dc), _code(slot.ac)) for slot in slots]
        self._first = first
        self._end = last + 1
        self._rows: dict[tuple[State, int], _Row] = {}

    def row(self, state: State, blocks: int) -> _Row:
        """The row for a state, made when it is first met."""
        key = (state, blocks)
        found = self._rows.get(key)
        if found is None:
            found = self._rows[key] = _Row(self, state, blocks)
        return found

    def used(self, data: bytes, blocks: int, cost: CheckingCost) -> int:
        """How many bytes of `data`, free of byte stuffing, code exactly `blocks` blocks; 0 where it does not.

        That is all of them, where the blocks and what fills their last byte up are followed by nothing but zeros: some
        encoders pad, and no decoder looks at them. Others may follow where they are no blocks: see `_surplus`.
        Raises what `cost` does.
        """
        if not data:
            return 0
        row, left, start = self._after_whole_blocks(data, blocks) if cost.is_sure_to_fit else (self._start(), blocks, 0)
        for position in range(start, len(data) - 1, _STRETCH):
            stretch = data[position : min(position + _STRETCH, len(data) - 1)]
            walk = list(accumulate(stretch, getitem, initial=row))
            cost.made(self, len(stretch))
            done = sum(map(attrgetter("blocks"), walk)) - row.blocks
            if done >= left or walk[-1].state == _IMPOSSIBLE:
                return self._ends_early(data, position, row, left)
            row, left = self._bounded(walk[-1]), left - done
        return len(data) if self._end_of(row.state, data[-1], left) else 0

    def _after_whole_blocks(self, data: bytes, blocks: int) -> tuple[_Row, int, int]:
        """The row, the blocks left and the position after those that the platform counts, and the rest of their byte.

        Where that byte completes all blocks, or none can follow, everything is read here.
        """
        counted, bits = whole_blocks(data, self._codes, self._first, self._end - 1, blocks - 1)
        position, rest = bits // 8, -bits % 8
        state: State = (counted % len(self._trees), self._first, 0, 0)
        if rest:
            state, more = self.advance(state, data[position], rest)
            counted, position = counted + more, position + 1
        if state == _IMPOSSIBLE or counted >= blocks:
            return self._start(), blocks, 0
        return self._bounded(self.row(state, 0)), blocks - counted, position

    def _start(self) -> _Row:
        """The row before the first bit of an interval."""
        return self._bounded(self.row((0, self._first, 0, 0), 0))

    def _bounded(self, row: _Row) -> _Row:
        """The same row, after all others were dropped where there are too many transitions."""
        if self.transitions <= _MAX_TRANSITIONS:
            return row
        for other in self._rows.values():
            other.clear()  # breaks the circles of references, so that the memory is free at once
        self._rows = {}
        self.transitions = 0
        return self.row(row.state, row.blocks)

    def _end_of(self, state: State, byte: int, blocks: int) -> tuple[State, int] | None:
        """The state and the bits left after the bit of the byte that completes the outstanding blocks, exactly."""
        for bit in range(7, -1, -1):
            state, more = self.advance(state, byte >> bit & 1, 1)
            blocks -= more
            if blocks <= 0 or state == _IMPOSSIBLE:
                return (state, bit) if blocks == 0 else None
        return None

    def _ends_early(self, data: bytes, start: int, row: _Row, blocks: int) -> int:
        """As `used`, for data whose blocks are there, or become impossible, between `start` and the last byte."""
        for position in range(start, len(data)):
            byte = data[position]
            after = row[byte]
            if after.blocks >= blocks or after.state == _IMPOSSIBLE:
                end = self._end_of(row.state, byte, blocks)
                if end is None:
                    return 0
                rest = data[position + 1 :]
                if not rest.strip(b"\0"):
                    return len(data)
                return position + 1 if self._surplus(*end, byte, rest) else 0
            blocks -= after.blocks
            row = self._bounded(after)
        return 0

    def _surplus(self, state: State, bits: int, byte: int, rest: bytes) -> bool:
        """Whether what follows the last block is none of the image's: its byte is filled up with ones (T.81, F.1.2.3).

        Where bytes were lost or changed, the count of blocks slips; then the rest of the true blocks is left over, and
        can be read up to the last byte, if need be from a later one on: Huffman codes fall back in step by themselves.
        """
        ones = (1 << bits) - 1
        if byte & ones != ones:
            return False
        row = self.row(*self.advance(state, ones, bits))
        since = -_IN_STEP
        if len(rest) > _STRETCH:
            row, rest = self._start(), rest[-_STRETCH:]
        for position, each in enumerate(rest[:-1]):
            row = self._bounded(row[each])
            if row.state == _IMPOSSIBLE:
                row, since = self._start(), position
        return len(rest) - since < _IN_STEP or not self._may_end(row.state, rest[-1])

    def _may_end(self, state: State, byte: int) -> bool:
        """Whether a block ends within the byte, and ones fill it up."""
        for bit in range(7, -1, -1):
            state, _ = self.advance(state, byte >> bit & 1, 1)
            ones = (1 << bit) - 1
            if state[1:] == (self._first, 0, 0) and byte & ones == ones:
                return True
        return False

    def advance(self, state: State, value: int, bits: int) -> tuple[State, int]:
        """The state after the low `bits` bits of `value`, and the blocks they completed (T.81, F.2.2 and G.2.2)."""
        slot, index, node, skip = state
        if slot < 0:
            return state, 0
        blocks = 0
        while bits:
            if skip:
                taken = min(skip, bits)
                bits -= taken
                skip -= taken
                if index == _END_OF_BAND:
                    node = node << taken | (value >> bits & (1 << taken) - 1)
                    if not skip:
                        blocks += node
                        index, node = self._first, 0
            else:
                bits -= 1
                node = self._trees[slot][index > 0][2 * node + (value >> bits & 1)]
                if node > 0:
                    continue
                if node == NO_CODE:
                    return _IMPOSSIBLE, blocks
                index, node, skip = self._after_symbol(index, ~node)
                if index > self._end:
                    return _IMPOSSIBLE, blocks
            if index == self._end and not skip:
                blocks += 1
                index = self._first
                slot = (slot + 1) % len(self._trees)
        return (slot, index, node, skip), blocks

    def _after_symbol(self, index: int, symbol: int) -> tuple[int, int, int]:
        """Index, node and bits to skip after a code word; an index beyond the block's end where it has no meaning."""
        run, size = symbol >> 4, symbol & 15
        if index == 0:
            return 1, 0, symbol
        if size:
            return index + run + 1, 0, size
        if run == 15:
            return index + 16, 0, 0
        if run == 0:
            return self._end, 0, 0
        if self._first > 0:
            return _END_OF_BAND, 1, run
        return self._end + 1, 0, 0


def _code(tree: HuffmanTree | None) -> HuffmanCode | None:
    return None if tree is None else tree.code


@lru_cache(maxsize=2)
def block_counter(slots: tuple[Slot, ...], first: int, last: int) -> BlockCounter:
    """A counter for such a scan: the one used before where possible, as many files share their tables."""
    return BlockCounter(slots, first, last)
