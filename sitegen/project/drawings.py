"""Whether a file is a drawing in SVG: told by how it begins, in one pass, whatever it holds."""

import re

_BLANK = re.compile(rb"\s*")
_OPENS = re.compile(rb"<svg[\s>/]")
# What may stand before the root of an XML document (XML 1.0, "prolog"): how it begins, and how it ends.
_BEFORE_ROOT = ((b"<?", b"?>"), (b"<!--", b"-->"), (b"<!DOCTYPE", b">"))
_MARK = b"\xef\xbb\xbf"  # of UTF-8, which some editors write first


def is_drawing(content: bytes) -> bool:
    """Return whether bytes begin as an SVG document does. Takes time in proportion to their number."""
    place = len(_MARK) if content.startswith(_MARK) else 0
    while True:
        place = _after_blanks(content, place)
        end = next((last for first, last in _BEFORE_ROOT if content.startswith(first, place)), None)
        if end is None:
            return _OPENS.match(content, place) is not None
        found = content.find(end, place)
        if found < 0:
            return False
        place = found + len(end)


def _after_blanks(content: bytes, place: int) -> int:
    blanks = _BLANK.match(content, place)
    return blanks.end() if blanks else place
