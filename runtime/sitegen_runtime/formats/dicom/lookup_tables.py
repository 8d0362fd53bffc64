"""The tables that headers hold, of modality and of values of interest (PS3.3, C.11.1 and C.11.2)."""

from collections.abc import Iterable
from dataclasses import dataclass

from sitegen_runtime.formats.dicom.header import Header


@dataclass(frozen=True)
class LookupTable:
    """What values become: the entry at `value - first`, or the nearest entry there is. `depth` is an entry's bits."""

    first: int
    depth: int
    entries: tuple[int, ...]

    def of(self, values: Iterable[int]) -> list[int]:
        """Return the entry of each value."""
        first, entries, last = self.first, self.entries, self.first + len(self.entries) - 1
        least, greatest = entries[0], entries[-1]
        return [least if x <= first else greatest if x >= last else entries[x - first] for x in values]

    @property
    def half_empty(self) -> bool:
        """Whether no entry reaches half of what the depth has room for: some writers state 16 bits for 12."""
        return max(self.entries) < 1 << self.depth - 1


def read_table(item: Header | None, signed: bool) -> LookupTable | None:
    """Return the table in an item of a sequence; None where there is none, or none that can be used.

    `signed` says whether the values that are looked up, and so the first one, can be below 0.
    """
    described = item.numbers("LUTDescriptor") if item else []
    if item is None or len(described) != 3:
        return None
    count, first, depth = described[0] or 1 << 16, described[1], described[2]
    raw = item.values.get("LUTData", b"")
    packed = depth <= 8 and len(raw) in (count, count + count % 2)
    entries = raw[:count] if packed else item.numbers("LUTData")[:count]
    if not entries or not 8 <= depth <= 16:
        return None
    top = (1 << depth) - 1
    if signed and first >= 1 << 15:
        first -= 1 << 16
    return LookupTable(first, depth, tuple(min(entry, top) for entry in entries))
