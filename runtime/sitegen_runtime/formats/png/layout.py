"""How PNG lays pixels out: the header's meaning, and interlace passes."""

import struct
from dataclasses import dataclass

GREY, RGB = 0, 2
"""The colour types of images without alpha or palette."""

PALETTE = 3
"""The colour type of images whose samples are palette indices."""

GREY_TYPES = (0, 4)
"""The colour types of grey images, without and with alpha."""

ALPHA_TYPES = (4, 6)
"""The colour types of images with alpha."""

DEPTHS: dict[int, tuple[int, ...]] = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
"""The bit depths that each colour type allows (PNG, table 12)."""

_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_HEADER = struct.Struct(">IIBBBBB")

_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""First column, first row, column step and row step of the seven passes (PNG, 8.1)."""


@dataclass(frozen=True)
class Pass:
    """One interlace pass, or the whole of an image that is not interlaced."""

    width: int
    height: int
    row_bytes: int
    """Bytes of a row without its filter byte."""
    first_column: int = 0
    first_row: int = 0
    column_step: int = 1
    row_step: int = 1


@dataclass(frozen=True)
class Header:
    """The fields of the IHDR chunk that vary."""

    width: int
    height: int
    bits: int
    colour_type: int
    interlaced: bool

    @property
    def samples(self) -> int:
        """Samples in a stored pixel, alpha included: 1 to 4."""
        return _SAMPLES[self.colour_type]

    def packed(self) -> bytes:
        """The 13 bytes of the IHDR chunk."""
        return _HEADER.pack(self.width, self.height, self.bits, self.colour_type, 0, 0, int(self.interlaced))

    def passes(self) -> list[Pass]:
        """The passes that hold pixels, in the file's order: one without interlacing, up to seven with it."""
        grid = _ADAM7 if self.interlaced else ((0, 0, 1, 1),)
        found = []
        for column, row, column_step, row_step in grid:
            width = (self.width - column + column_step - 1) // column_step
            height = (self.height - row + row_step - 1) // row_step
            if width > 0 and height > 0:
                row_bytes = (width * self.samples * self.bits + 7) // 8
                found.append(Pass(width, height, row_bytes, column, row, column_step, row_step))
        return found

    def inflated_size(self) -> int:
        """Bytes of the inflated stream: every row of every pass with its filter byte."""
        return sum(part.height * (part.row_bytes + 1) for part in self.passes())


def unpack_header(body: bytes) -> Header:
    """The header in the 13 bytes of an IHDR chunk; nothing is checked."""
    width, height, bits, colour_type, _, _, interlace = _HEADER.unpack(body)
    return Header(width, height, bits, colour_type, bool(interlace))
