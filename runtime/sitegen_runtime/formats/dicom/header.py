"""What was read of a DICOM header, as bytes, and the few kinds of values that are made of them."""

import re
import struct
from dataclasses import dataclass, field
from fractions import Fraction

_DECIMAL = re.compile(rb"[+-]?(?:\d+[.,]?\d*|[.,]\d+)(?:[eE][+-]?\d{1,2})?")
_LONGEST = 64
"""Characters of a number. The standard has 16; an exponent of more than two digits would fill the memory."""
_GROUPED = re.compile(rb"[+-]?\d{1,3},\d{3}")
"""A comma that may stand between thousands."""
_WHOLE = re.compile(rb"\d{1,9}")
_CODE = re.compile(rb"[A-Z0-9 _]{1,16}")
_DIRECTIONS = re.compile(rb"([RLAPHF])[RLAPHF]{0,2} *\\ *([RLAPHF])[RLAPHF]{0,2}")
_UID = re.compile(rb"[0-9.]{1,64}")


@dataclass
class Header:
    """Elements by their names, and what lies in the pixel data; `order` is that of bytes, "<" or ">"."""

    order: str = "<"
    syntax: str = ""
    """The transfer syntax's UID; "" where the file has none, or one that is no UID."""
    values: dict[str, bytes] = field(default_factory=dict)
    modality_lut: "Header | None" = None
    voi_lut: "Header | None" = None
    pixels: memoryview | None = None
    """Native pixel data, as much as there is of it."""
    pixel_words: bool = False
    """Whether native pixel data are words, whose bytes big-endian files exchange, whatever a cell has."""
    fragments: list[memoryview] | None = None
    """The fragments of encapsulated pixel data, without the table before them."""
    offsets: tuple[int, ...] = ()
    """That table: where frames begin, from the first fragment's item on."""
    truncated: bool = False
    """Whether the file ends within an element."""
    floating: bool = False
    """Whether there are pixels in floating point."""
    directory: bool = False
    """Whether it is a directory of other files, a DICOMDIR."""

    def first(self, name: str) -> bytes:
        """Return an element's first value, without blanks; b"" where there is none."""
        return self.values.get(name, b"").split(b"\\")[0].strip(b" \0\t\r\n")

    def code(self, name: str) -> str:
        """Return a code string (CS), in capitals; "" for what has other characters than such a string may have."""
        value = self.first(name).upper()
        return value.decode("ascii") if _CODE.fullmatch(value) else ""

    def directions(self, name: str) -> tuple[str, str]:
        """Return the first letters of two values that are directions, such as L of "L" or "LF"; "" for others."""
        found = _DIRECTIONS.fullmatch(self.values.get(name, b"").strip(b" \0"))
        return (found[1].decode("ascii"), found[2].decode("ascii")) if found else ("", "")

    def uid(self, name: str) -> str:
        """Return a UID; "" for what is none."""
        return as_uid(self.first(name))

    def decimal(self, name: str) -> Fraction | None:
        """Return a decimal string's first value, exactly; None where there is none, or none that can be read.

        A comma is taken for a decimal point, but where it may as well stand between thousands.
        """
        return as_decimal(self.first(name))

    def whole(self, name: str) -> int | None:
        """Return an integer string's first value, from 0 to 999,999,999; None for all else."""
        value = self.first(name)
        return int(value) if _WHOLE.fullmatch(value) else None

    def ratio(self, name: str) -> tuple[int, int] | None:
        """Return two integers above 0; None where there are not both."""
        parts = [part.strip(b" \0") for part in self.values.get(name, b"").split(b"\\")]
        if len(parts) != 2 or not all(_WHOLE.fullmatch(part) and int(part) for part in parts):
            return None
        return int(parts[0]), int(parts[1])

    def numbers(self, name: str) -> list[int]:
        """Return an element's 16-bit numbers, as if they had no sign."""
        raw = self.values.get(name, b"")
        count = len(raw) // 2
        return list(struct.unpack_from(f"{self.order}{count}H", raw))

    def number(self, name: str) -> int | None:
        """Return the first of them; None where there is none."""
        found = self.numbers(name)
        return found[0] if found else None


def as_decimal(value: bytes) -> Fraction | None:
    """Return the number that a decimal string says; None where it says none, or where it may mean two."""
    if len(value) > _LONGEST or not _DECIMAL.fullmatch(value) or _GROUPED.fullmatch(value):
        return None
    return Fraction(value.decode("ascii").replace(",", "."))


def as_uid(value: bytes) -> str:
    """Return a UID as text; "" for what has other characters than such a one may have."""
    return value.decode("ascii") if _UID.fullmatch(value) else ""
