"""What a DICOM file gives beside an image's size: cells that are not shades yet, and what its header says they show.

Plain types, so that whoever opens no DICOM imports nothing else of it: `formats.dicom` fills them in.
"""

from __future__ import annotations  # Fraction is a name for type checkers alone

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from fractions import Fraction


class CellShades(Protocol):
    """What makes cells grey: see `formats.dicom.display`."""

    @property
    def needs_cells(self) -> bool:
        """Whether the table depends on which cells the frame has."""

    def table(self, cells: Iterable[int] = ()) -> bytes:
        """Return the 8-bit luma of each cell there can be, as unsigned numbers."""


@dataclass(frozen=True)
class Cells:
    """One frame: how it is coded (see `formats.dicom.syntaxes`), its bytes, and what makes its cells grey.

    Decoded, cells lie row by row, each of `cell_bytes` 1 or 2, little-endian; `precision` is of the codestream.
    """

    coding: str
    data: bytes | memoryview
    cell_bytes: int
    precision: int
    shades: CellShades


@dataclass(frozen=True)
class Acquisition:
    """What a header says of how an image was made. Texts are code strings as they stand in the file, "" for none.

    Files may put anything into them, names included: none is shown but as a word of a table.
    """

    modality: str = ""
    body_part: str = ""
    view: str = ""
    image_class: str = ""
    """The modality that the kind of object (SOP class) is of; "" for kinds that say none."""
    unprocessed: bool = False
    """Whether the image waits for processing and was not made to be looked at."""
    frames: int = 1
    aspect: Fraction | None = None
    """How much higher than wide a pixel is; None where that is not said."""
