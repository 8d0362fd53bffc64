"""One scan of a JPEG file: its header, its place in the progression, and whether its data is complete."""

from dataclasses import dataclass, field

from sitegen_runtime.errors import DamagedImage
from sitegen_runtime.formats.inspected import TRUNCATED
from sitegen_runtime.formats.jpeg_cost import CheckingCost
from sitegen_runtime.formats.jpeg_entropy import Slot, block_counter
from sitegen_runtime.formats.jpeg_frame import Component, Frame
from sitegen_runtime.formats.jpeg_tables import HuffmanCode, HuffmanTree, huffman_tree

_DAMAGED = "The image data of the JPEG file is damaged or incomplete. Copy it again from its source."
_PART_MISSING = "A part of the JPEG file's image data is missing. Copy it again from its source."
_MAX_LOW_BITS = 13


@dataclass
class ScanTables:
    """What the segments so far have defined for the scans to come."""

    quantisation: set[int] = field(default_factory=set)
    """Numbers of the quantisation tables."""
    huffman: dict[tuple[int, int], HuffmanCode] = field(default_factory=dict)
    """Codes by class (0 DC, 1 AC) and number."""
    restart_interval: int = 0
    """MCUs between restart markers; 0 for none."""


@dataclass(frozen=True)
class _Scan:
    """A scan's header (T.81, B.2.3)."""

    components: list[Component]
    tables: list[int]
    """For each component the numbers of its DC and AC tables, four bits each."""
    first: int
    last: int
    high: int
    low: int


def check_scan(
    frame: Frame, tables: ScanTables, header: bytes, intervals: list[bytes], restarts: bytes, cost: CheckingCost
) -> bool:
    """Check one scan and note in `frame` what it brings; whether it held more than that, which no decoder looks at.

    `intervals` is its data between `restarts`, the codes of restart markers. It is left without byte stuffing and
    without what was too much: restart markers and other bytes behind the last block.

    Raises DamagedImage for a header that does not fit the frame, and for data that does not hold the right number of
    blocks, as far as can be told: scans that refine AC coefficients are only checked for not being empty. Raises what
    `cost` does.
    """
    scan = _read(frame, header)
    if frame.progressive:
        _note_progression(scan)
    else:
        _note_sequential(scan)
    if any(component.quantisation not in tables.quantisation for component in scan.components):
        raise DamagedImage(_DAMAGED)
    mcus = frame.mcus(scan.components)
    step = tables.restart_interval or mcus
    count = -(-mcus // step)
    surplus = len(intervals) > count
    if len(intervals) < count or any(intervals[count:]) or any(b"\xff\xff" in interval for interval in intervals):
        raise DamagedImage(_DAMAGED)
    if any(code != 0xD0 + number % 8 for number, code in enumerate(restarts[: count - 1])):
        raise DamagedImage(_PART_MISSING)
    del intervals[count:]
    slots = _slots(frame, tables, scan)
    for number, interval in enumerate(intervals):
        intervals[number] = interval.replace(b"\xff\x00", b"\xff")
    counts = [min(step, mcus - start) for start in range(0, mcus, step)]
    used = _check_intervals(scan, slots, intervals, counts, cost)
    surplus = surplus or used < len(intervals[-1])
    intervals[-1] = intervals[-1][:used]
    return surplus


def check_complete(frame: Frame) -> None:
    """Raise DamagedImage unless the scans brought every bit of every coefficient.

    Decoders smooth what is missing of a progressive file, each version in its own way.
    """
    if any(any(component.low_bits) for component in frame.components):
        raise DamagedImage(TRUNCATED)


def _read(frame: Frame, header: bytes) -> _Scan:
    """The scan's header; its components must be the frame's, in the frame's order."""
    count = header[0] if header else 0
    if not 1 <= count <= len(frame.components) or len(header) != 4 + 2 * count:
        raise DamagedImage(_DAMAGED)
    numbers = header[1 : 1 + 2 * count : 2]
    components = [component for component in frame.components if component.number in numbers]
    if bytes(component.number for component in components) != numbers:
        raise DamagedImage(_DAMAGED)
    first, last, bits = header[-3:]
    return _Scan(components, list(header[2 : 2 + 2 * count : 2]), first, last, bits >> 4, bits & 15)


def _note_sequential(scan: _Scan) -> None:
    """A component of a sequential file is whole after its one scan."""
    if (scan.first, scan.last, scan.high, scan.low) != (0, 63, 0, 0):
        raise DamagedImage(_DAMAGED)
    for component in scan.components:
        if component.low_bits[0] != -1:
            raise DamagedImage(_DAMAGED)
        component.low_bits = [0] * 64


def _note_progression(scan: _Scan) -> None:
    """Check the spectral band and the bits against what came before (T.81, G.1.1.1)."""
    alone = len(scan.components) == 1
    band = scan.last == 0 if scan.first == 0 else scan.first <= scan.last <= 63 and alone
    if not band or scan.low > _MAX_LOW_BITS or (scan.high and scan.high != scan.low + 1):
        raise DamagedImage(_DAMAGED)
    before = scan.high or -1
    for component in scan.components:
        if scan.first and component.low_bits[0] == -1:
            raise DamagedImage(_DAMAGED)
        for index in range(scan.first, scan.last + 1):
            if component.low_bits[index] != before:
                raise DamagedImage(_DAMAGED)
            component.low_bits[index] = scan.low


def _slots(frame: Frame, tables: ScanTables, scan: _Scan) -> list[Slot]:
    """The Huffman trees for each block of an MCU; raises DamagedImage where one was not defined."""
    slots = []
    for component, numbers in zip(scan.components, scan.tables, strict=True):
        dc = _tree(tables, 0, numbers >> 4) if scan.first == 0 and not scan.high else None
        ac = _tree(tables, 1, numbers & 15) if scan.last > 0 else None
        blocks = component.across * component.down if len(scan.components) > 1 else 1
        slots += [Slot(dc, ac)] * blocks
    return slots


def _tree(tables: ScanTables, kind: int, number: int) -> HuffmanTree:
    """The tree of a code that must be there."""
    code = tables.huffman.get((kind, number))
    if code is None:
        raise DamagedImage(_DAMAGED)
    return huffman_tree(code)


def _check_intervals(
    scan: _Scan, slots: list[Slot], intervals: list[bytes], mcus: list[int], cost: CheckingCost
) -> int:
    """The bytes that the last interval needs; raises DamagedImage unless each interval holds the blocks of its MCUs.

    Only the last may have bytes that it does not need: between others they tell of damage.
    """
    counter = block_counter(tuple(slots), scan.first, scan.last)
    if not scan.high:
        cost.begin(counter, intervals)
    used = 0
    for number, (data, count) in enumerate(zip(intervals, mcus, strict=True), 1):
        blocks = count * len(slots)
        if not scan.high:
            used = counter.used(data, blocks, cost)
        elif scan.first == 0:
            used = len(data) if len(data) == -(-blocks // 8) else 0
        else:
            used = len(data)
        if not used or (used < len(data) and number < len(intervals)):
            raise DamagedImage(_DAMAGED)
    return used
