"""From values to greys: a window, named or by its level and width, for DICOM and NIfTI alike.

Values up to level - width / 2 are black, those from level + width / 2 on are white, and between them grey rises in a
line, rounded half up: DICOM's LINEAR_EXACT (PS3.3, C.11.2.1.3.2). DICOM files go through the runtime's own rule, in
`sitegen_runtime.formats.dicom.display`; a NIfTI's values, which may be any real numbers, through the same steps here.
"""

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from sitegen.data.images import inspected
from sitegen.data.prepare.pictures import Pixels
from sitegen.errors import DataError, SettingsError
from sitegen.prediction.pixels import deep_frame, shown_frame, with_window
from sitegen_runtime.errors import UnsupportedType
from sitegen_runtime.formats import CELLS

PRESETS: dict[str, tuple[int, int]] = {
    "abdomen": (50, 400),
    "bone": (400, 1800),
    "brain": (40, 80),
    "liver": (30, 150),
    "lung": (-600, 1500),
    "mediastinum": (50, 350),
    "soft-tissue": (40, 400),
    "spine": (50, 250),
}
"""Level and width in Hounsfield units, as they are usual for CT; no standard fixes them."""

DEPTHS = (8, 16)


@dataclass(frozen=True)
class Greys:
    """How values become greys of `depth` bits: by a window, over all the values there are, or as a file says itself."""

    depth: int = 8
    level: float | None = None
    width: float | None = None
    full: bool = False
    """From the least value of each file to its greatest."""

    @property
    def is_windowed(self) -> bool:
        """Whether anything was chosen; otherwise DICOM files say themselves."""
        return self.full or self.width is not None

    @property
    def window(self) -> tuple[Fraction, Fraction]:
        """Centre and width of the chosen window, exactly as they are written."""
        return Fraction(str(self.level)), Fraction(str(self.width))

    @property
    def top(self) -> int:
        """White."""
        return (1 << self.depth) - 1


def chosen(preset: str, level: float | None, width: float | None, full: bool, depth: int) -> Greys:
    """Return the greys that options ask for. Raises SettingsError where they contradict each other."""
    if depth not in DEPTHS:
        raise SettingsError(f"--depth is 8 or 16, and not {depth}.")
    if (level is None) != (width is None):
        raise SettingsError("A window is both: give --level and --width.")
    if width is not None and not (0 < width < np.inf and np.isfinite(np.float64(level or 0))):
        raise SettingsError(f"A window {width:g} wide around {level:g} shows nothing. Give a width above 0.")
    if sum((bool(preset), level is not None, full)) > 1:
        raise SettingsError("Give one of --preset, --level with --width, or --full-range.")
    if preset:
        level, width = PRESETS[preset]
    return Greys(depth, level, width, full)


def dicom_picture(raw: bytes, greys: Greys) -> Pixels:
    """Return a DICOM file's frame, [height, width] of uint8 or uint16. Raises ImageError."""
    image = inspected(raw)
    if image.decoder != CELLS:
        raise UnsupportedType("The file is no DICOM file, and has no values to window. Give it another ending.")
    if greys.is_windowed:
        image = with_window(image, None if greys.full else greys.window)
    return shown_frame(image) if greys.depth == 8 else deep_frame(image)


def graded(values: NDArray[np.float64], window: tuple[Fraction, Fraction], top: int) -> Pixels:
    """Return the greys of finite values, 0 to `top`, exactly: a grey is the number of edges that a value reaches."""
    found = np.searchsorted(_edges(*window, top), values, side="right")
    return found.astype(np.uint8) if top == 0xFF else found.astype(np.uint16)


def full_range(least: float, greatest: float) -> tuple[Fraction, Fraction]:
    """Return centre and width of the window from a least to a greatest value. Raises DataError where they are one."""
    if least == greatest:
        raise DataError(f"All its values are {least:g}: there is nothing between black and white.")
    return (Fraction(least) + Fraction(greatest)) / 2, Fraction(greatest) - Fraction(least)


@lru_cache(maxsize=4)
def _edges(centre: Fraction, width: Fraction, top: int) -> NDArray[np.float64]:
    """The least number in float64 that has each grey from 1 to `top`."""
    low = centre - width / 2
    return np.array([_at_least(low + width * (2 * grey - 1) / (2 * top)) for grey in range(1, top + 1)])


def _at_least(exact: Fraction) -> float:
    near = float(exact)
    return near if Fraction(near) >= exact else float(np.nextafter(near, np.inf))
