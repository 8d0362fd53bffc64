"""How the frame of a file is coded, and whether its bytes are what the header says, before any decoder is asked."""

from sitegen_runtime.errors import DamagedImage, UnsupportedType
from sitegen_runtime.formats.cells import Cells
from sitegen_runtime.formats.dicom.codestream import Codestream, read_codestream, unwrapped
from sitegen_runtime.formats.dicom.display import Shades, Stored
from sitegen_runtime.formats.dicom.frames import encapsulated_frame, native_frame
from sitegen_runtime.formats.dicom.header import Header
from sitegen_runtime.formats.dicom.syntaxes import CODECS, CODINGS, IN_FRAGMENTS, JPEG, NATIVE, RLE, syntax_name
from sitegen_runtime.formats.dicom.walk import DAMAGED
from sitegen_runtime.formats.jpeg import inspect_jpeg

NEXT_STEP = "Export the image as PNG or JPEG and try again."


def stored_values(header: Header, allocated: int) -> Stored:
    """Return where values lie in a cell that is not compressed, or in RLE, of `allocated` bits.

    Raises DamagedImage for what does not fit in there.
    """
    bits = header.number("BitsStored") or allocated
    high = header.number("HighBit")
    high = bits - 1 if high is None else high
    if bits > allocated or high >= allocated:
        raise DamagedImage(DAMAGED.format(f"it stores {bits} bits up to bit {high} in cells of {allocated} bits"))
    return Stored(allocated, bits, max(0, high + 1 - bits), is_signed(header))


def is_signed(header: Header) -> bool:
    """Whether stored values have a sign."""
    return header.number("PixelRepresentation") == 1


def is_compressed(header: Header) -> bool:
    """Whether a codec has to decode the frame. Raises DamagedImage where syntax and pixel data contradict."""
    coding = CODINGS[header.syntax]
    if header.pixels is None:
        return not (coding == RLE or header.syntax == IN_FRAGMENTS)
    if coding != NATIVE:
        raise DamagedImage(DAMAGED.format("its image is not compressed, although its header says so"))
    return False


def plain_cells(header: Header, size: int, frames: int) -> tuple[str, bytes | memoryview]:
    """Return coding and bytes of a frame of `size` bytes that is not compressed, or in RLE."""
    if CODINGS[header.syntax] == RLE:
        return RLE, encapsulated_frame(header, frames)
    return NATIVE, native_frame(header, size)


def codestream(header: Header, columns: int, rows: int, allocated: int, frames: int) -> tuple[Codestream, memoryview]:
    """Return what a compressed frame says of itself, and the frame. What it is counts, not what the header calls it.

    Raises UnsupportedType for what no codec here decodes, DamagedImage where the header says something else.
    """
    frame = unwrapped(encapsulated_frame(header, frames))
    found = read_codestream(frame)
    if found.kind not in (JPEG, *CODECS):
        raise UnsupportedType(
            f"This DICOM file's transfer syntax is {syntax_name(header.syntax)}, of {found.precision} bits and in a "
            f"process that is not read here. {NEXT_STEP}"
        )
    if (found.columns, found.rows) != (columns, rows):
        said = f"{columns} x {rows} pixels, and its compressed frame {found.columns} x {found.rows}"
        raise DamagedImage(DAMAGED.format(f"its header says {said}"))
    if found.components != 1 or not 1 <= found.precision <= allocated:
        said = f"{found.components} components of {found.precision} bits, and its header says 1 of at most {allocated}"
        raise DamagedImage(DAMAGED.format(f"its compressed frame has {said}"))
    return found, frame


def decodable(found: Codestream, frame: memoryview, shades: Shades, max_pixels: int) -> Cells:
    """Return the cells of a compressed frame; a JPEG's frame is checked as other JPEG images are."""
    data = bytes(frame) if found.kind != JPEG else inspect_jpeg(bytes(frame), max_pixels).payload
    return Cells(found.kind, data, shades.stored.cell_bits // 8, found.precision, shades)
