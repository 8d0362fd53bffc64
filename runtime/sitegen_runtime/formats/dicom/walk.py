"""The walk from element to element (PS3.5, chapter 7): most are stepped over, and two kinds of sequences are entered.

Bounded for any bytes: in depth, and in the number of elements.
"""

import struct
from collections.abc import Mapping
from typing import NamedTuple

from sitegen_runtime.errors import DamagedImage
from sitegen_runtime.formats.dicom.elements import (
    FLOAT_PIXELS,
    IN_TABLES,
    ITEM,
    ITEM_END,
    MODALITY_LUT,
    PIXELS,
    SEQUENCE_END,
    SHORT_VRS,
    VOI_LUT,
)
from sitegen_runtime.formats.dicom.header import Header

UNDEFINED = 0xFFFFFFFF
MAX_DEPTH = 32
"""Sequences inside each other; radiographs have 3."""
MAX_ELEMENTS = 100_000
"""Elements, items and fragments of a file; radiographs have some hundreds."""

DAMAGED = "This DICOM file is damaged: {}. Copy it again from its source."


class Element(NamedTuple):
    """Where an element's value lies; `vr` is b"" where its representation is implied."""

    tag: int
    vr: bytes
    start: int
    length: int

    @property
    def end(self) -> int:
        """The place behind the value, where its length is known."""
        return self.start + self.length


class Walk:
    """One walk over a data set's bytes."""

    def __init__(self, view: memoryview, order: str, explicit: bool, budget: list[int] | None = None) -> None:
        self._view, self._order, self._explicit = view, order, explicit
        self._tag, self._short, self._long = (struct.Struct(order + kind) for kind in ("HH", "H", "I"))
        self._budget = [MAX_ELEMENTS] if budget is None else budget

    def element(self, place: int) -> Element:
        """Return the element at a place. Raises DamagedImage where it does not end, and after too many elements."""
        view = self._view
        if place + 8 > len(view):
            raise DamagedImage(DAMAGED.format("it ends within an element"))
        self._budget[0] -= 1
        if self._budget[0] < 0:
            raise DamagedImage(DAMAGED.format(f"it has more than {MAX_ELEMENTS:,} elements before its image"))
        group, number = self._tag.unpack_from(view, place)
        tag, vr = group << 16 | number, bytes(view[place + 4 : place + 6])
        if self._explicit and group != 0xFFFE:
            if vr in SHORT_VRS:
                return Element(tag, vr, place + 8, self._short.unpack_from(view, place + 6)[0])
            if vr.isalpha() and vr.isupper():
                if place + 12 > len(view):
                    raise DamagedImage(DAMAGED.format("it ends within an element"))
                return Element(tag, vr, place + 12, self._long.unpack_from(view, place + 8)[0])
        return Element(tag, b"", place + 8, self._long.unpack_from(view, place + 4)[0])

    def data_set(self, header: Header, wanted: Mapping[int, str], place: int) -> None:
        """Fill a header with the elements of the outermost level that are wanted, up to the pixel data."""
        end = len(self._view)
        while place < end:
            if end - place < 8:
                header.truncated = True
                return
            found = self.element(place)
            if found.tag == PIXELS:
                self._pixels(header, found)
                return
            header.directory |= found.tag >> 16 == 0x0004
            header.floating |= found.tag in FLOAT_PIXELS
            if found.tag in (MODALITY_LUT, VOI_LUT):
                items: list[Header] = []
                place = self._sequence(found, end, items, 1)
                if items and found.tag == MODALITY_LUT:
                    header.modality_lut = items[0]
                elif items:
                    header.voi_lut = items[0]
            elif found.length == UNDEFINED:
                place = self._sequence(found, end, None, 1)
            elif found.end > end:
                header.truncated = True
                return
            else:
                self._keep(header, wanted, found)
                place = found.end

    def _keep(self, header: Header, wanted: Mapping[int, str], found: Element) -> None:
        if found.tag in wanted:
            header.values.setdefault(wanted[found.tag], bytes(self._view[found.start : found.end]))

    def _sequence(self, found: Element, end: int, items: list[Header] | None, depth: int) -> int:
        """Step over a sequence, and return the place behind it; its first item goes into `items`, where they are."""
        if depth > MAX_DEPTH:
            raise DamagedImage(DAMAGED.format(f"its sequences are nested more than {MAX_DEPTH} deep"))
        # What is "unknown" is implied and little-endian inside (PS3.5, 6.2.2, note 4).
        walk = Walk(self._view, "<", False, self._budget) if found.vr == b"UN" else self
        if found.length == UNDEFINED:
            return walk._items(found.start, end, items, depth, closed=False)
        if found.end > end:
            raise DamagedImage(DAMAGED.format("a sequence ends behind the file"))
        if items is not None:
            walk._items(found.start, found.end, items, depth, closed=True)
        return found.end

    def _items(self, place: int, end: int, items: list[Header] | None, depth: int, *, closed: bool) -> int:
        while place < end:
            found = self.element(place)
            if found.tag == SEQUENCE_END:
                return found.start
            if found.tag != ITEM or (found.length != UNDEFINED and found.end > end):
                raise DamagedImage(DAMAGED.format("a sequence holds something else than items"))
            if items is not None and not items:
                items.append(Header(order=self._order))
                place = self._item(found, end, items[0], depth)
            elif found.length == UNDEFINED:
                place = self._item(found, end, None, depth)
            else:
                place = found.end
        if not closed:
            raise DamagedImage(DAMAGED.format("a sequence has no end"))
        return place

    def _item(self, item: Element, end: int, header: Header | None, depth: int) -> int:
        """Step over an item's elements, keeping those of a table where there is a header for them."""
        place, stop = item.start, end if item.length == UNDEFINED else item.end
        while place < stop:
            found = self.element(place)
            if found.tag == ITEM_END:
                return found.start
            if found.length == UNDEFINED:
                place = self._sequence(found, stop, None, depth + 1)
                continue
            if found.end > stop:
                raise DamagedImage(DAMAGED.format("an element ends behind what it is in"))
            if header is not None:
                self._keep(header, IN_TABLES, found)
            place = found.end
        if item.length == UNDEFINED:
            raise DamagedImage(DAMAGED.format("an item has no end"))
        return place

    def _pixels(self, header: Header, found: Element) -> None:
        end = len(self._view)
        if found.length == UNDEFINED:
            self._fragments(header, found.start, end)
            return
        header.truncated = found.end > end
        header.pixels = self._view[found.start : min(end, found.end)]
        header.pixel_words = found.vr != b"OB"

    def _fragments(self, header: Header, place: int, end: int) -> None:
        """Note the fragments of encapsulated pixel data (PS3.5, A.4), as far as the file goes."""
        pieces: list[memoryview] = []
        header.truncated = True  # until their end is found
        while end - place >= 8:
            found = self.element(place)
            if found.tag != ITEM or found.length == UNDEFINED:
                header.truncated = found.tag != SEQUENCE_END
                break
            pieces.append(self._view[found.start : min(end, found.end)])
            place = found.end
        header.fragments = pieces[1:]
        table = pieces[0] if pieces else memoryview(b"")
        header.offsets = struct.unpack_from(f"{self._order}{len(table) // 4}I", table)
