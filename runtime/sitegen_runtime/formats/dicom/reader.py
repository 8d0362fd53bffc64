"""Reads a DICOM file's header, and finds its pixel data: with or without preamble and file meta information.

What a file does counts, not what its transfer syntax says of it: whether representations are written, and in which
order bytes are. Only whether the data set is deflated is taken from there.
"""

import zlib
from collections.abc import Mapping

from sitegen_runtime.errors import DamagedImage
from sitegen_runtime.formats.dicom.elements import TRANSFER_SYNTAX, WANTED
from sitegen_runtime.formats.dicom.header import Header, as_uid
from sitegen_runtime.formats.dicom.syntaxes import DEFLATED
from sitegen_runtime.formats.dicom.walk import DAMAGED, UNDEFINED, Walk

PREAMBLE = 128
_HEADER_BYTES = 16 << 20
"""How much of a deflated data set is inflated to find its header; more than any radiograph has before its pixels."""


def read_header(data: bytes | memoryview, wanted: Mapping[int, str] = WANTED) -> Header:
    """Return what is wanted of a file's header, and its pixel data, without copying them.

    Raises DamagedImage for what is no data set. A file that ends early gives what came before its end, marked.
    """
    view = memoryview(data)
    header = Header()
    start = _read_meta(view, header)
    if header.syntax == DEFLATED:
        view, start = _inflated(view[start:], _HEADER_BYTES), 0
    _walk(view, start, header, wanted)
    return header


def inflate_pixels(data: bytes | memoryview, header: Header, size: int) -> Header:
    """Return the header of a deflated file with `size` bytes of pixel data, where there are as many.

    The first reading of it stopped at `_HEADER_BYTES`, whatever the file might inflate to.
    """
    if header.syntax != DEFLATED or header.pixels is None or len(header.pixels) >= size:
        return header
    view, whole = memoryview(data), Header()
    start = _read_meta(view, whole)
    _walk(_inflated(view[start:], _HEADER_BYTES + size), 0, whole, WANTED)
    return whole


def _walk(view: memoryview, start: int, header: Header, wanted: Mapping[int, str]) -> None:
    header.order = (
        ">" if bytes(view[start : start + 1]) == b"\0" and bytes(view[start + 1 : start + 2]) != b"\0" else "<"
    )
    Walk(view, header.order, _is_explicit(view, start)).data_set(header, wanted, start)


def _read_meta(view: memoryview, header: Header) -> int:
    """Enter the transfer syntax; return where the data set begins."""
    place = PREAMBLE + 4 if bytes(view[PREAMBLE : PREAMBLE + 4]) == b"DICM" else 0
    walk = Walk(view, "<", _is_explicit(view, place))
    while bytes(view[place : place + 2]) == b"\2\0":
        found = walk.element(place)
        if found.length == UNDEFINED or found.end > len(view):
            raise DamagedImage(DAMAGED.format("it ends within its first elements"))
        if found.tag == TRANSFER_SYNTAX:
            header.syntax = as_uid(bytes(view[found.start : found.end]).strip(b" \0"))
        place = found.end
    return place


def _is_explicit(view: memoryview, place: int) -> bool:
    """Whether the element at a place has its representation written: no length is as large as two capitals make it."""
    letters = bytes(view[place + 4 : place + 6])
    return letters.isalpha() and letters.isupper()


def _inflated(view: memoryview, most: int) -> memoryview:
    try:
        return memoryview(zlib.decompressobj(-zlib.MAX_WBITS).decompress(view, most))
    except zlib.error as error:
        raise DamagedImage(DAMAGED.format("what it has compressed cannot be read")) from error
