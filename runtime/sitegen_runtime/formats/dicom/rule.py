"""What a header says of its frame's shades: the parts of the rule of `display`, and sentences about them."""

from collections.abc import Iterator
from fractions import Fraction

from sitegen_runtime.errors import DamagedImage
from sitegen_runtime.formats.dicom.display import (
    FUNCTIONS,
    LINEAR,
    LINEAR_EXACT,
    SIGMOID,
    Line,
    Padding,
    Shades,
    Stored,
    Window,
)
from sitegen_runtime.formats.dicom.header import Header
from sitegen_runtime.formats.dicom.lookup_tables import LookupTable, read_table
from sitegen_runtime.formats.dicom.walk import DAMAGED

MONOCHROME1, MONOCHROME2 = "MONOCHROME1", "MONOCHROME2"
_IN_WORDS = {LINEAR: "", LINEAR_EXACT: ", to its very ends (LINEAR_EXACT)", SIGMOID: ", along a curve (SIGMOID)"}


def read_shades(header: Header, stored: Stored) -> Shades:
    """Return what makes the cells of a frame grey. Raises DamagedImage for a rescale that cannot be read."""
    modality = _modality(header, stored.signed)
    signed = isinstance(modality, Line) or (stored.signed and modality is None)
    return Shades(
        stored,
        modality,
        read_table(header.voi_lut, signed) or _window(header),
        _padding(header, stored),
        header.code("PhotometricInterpretation") == MONOCHROME1,
    )


def notes_on_shades(header: Header, shades: Shades) -> Iterator[str]:
    """Say what made the image grey."""
    voi = shades.voi
    if isinstance(shades.modality, LookupTable):
        yield "The DICOM file's values were looked up in its own table (Modality LUT) first."
    if isinstance(voi, Window):
        yield (
            f"What is black and what white is the DICOM file's own: the window around {_said(voi.centre)}, "
            f"{_said(voi.width)} wide{_IN_WORDS[voi.function]}."
        )
    elif voi is not None:
        yield "What is black and what white is the DICOM file's own: a table of its values."
        if voi.half_empty:
            yield "No entry of that table reaches half of its scale: the picture may be darker than it was meant to be."
    elif shades.plain:
        yield "The DICOM file has no window: its 8 bits are shown as they are."
    else:
        without = ", padding left out" if shades.padding else ""
        yield f"The DICOM file has no window: its least value is black, its greatest white{without}."
    if voi is None and _has_window(header):
        yield "The DICOM file's window cannot be used, and was left out."
    if shades.inverted:
        yield "Its least value is meant to be white (MONOCHROME1): it was turned round."


def _modality(header: Header, signed: bool) -> LookupTable | Line | None:
    table = read_table(header.modality_lut, signed)
    if table:
        return table
    slope = _rescale(header, "RescaleSlope", 1)
    intercept = _rescale(header, "RescaleIntercept", 0)
    changes = slope != 1 or intercept != 0
    return Line(slope, intercept) if slope and changes else None


def _rescale(header: Header, name: str, default: int) -> Fraction:
    found = header.decimal(name)
    if found is None and header.first(name):
        raise DamagedImage(DAMAGED.format(f"its {name} is no number that can be read"))
    return Fraction(default) if found is None else found


def _window(header: Header) -> Window | None:
    centre, width = header.decimal("WindowCenter"), header.decimal("WindowWidth")
    function = header.code("VOILUTFunction")
    function = function if function in FUNCTIONS else LINEAR
    if centre is None or width is None or width <= 0 or (function == LINEAR and width < 1):
        return None
    return Window(centre, width, function)


def _has_window(header: Header) -> bool:
    return bool(header.first("WindowCenter") and header.first("WindowWidth"))


def _padding(header: Header, stored: Stored) -> Padding | None:
    """The padding value, or the range that it begins. It may have bits that no cell keeps."""
    value, limit = header.number("PixelPaddingValue"), header.number("PixelPaddingRangeLimit")
    if value is None:
        return None
    ends = sorted(_signed(each, stored.signed) for each in (value, value if limit is None else limit))
    return Padding(ends[0], ends[1], value & (1 << stored.bits) - 1)


def _signed(number: int, signed: bool) -> int:
    return number - (1 << 16) if signed and number >= 1 << 15 else number


def _said(number: Fraction) -> str:
    return f"{float(number):.10g}"
