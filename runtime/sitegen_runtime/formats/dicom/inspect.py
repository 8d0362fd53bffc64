"""Checks of DICOM files before any decoder: what they hold, whether it is whole, and what makes it grey."""

from collections.abc import Iterator
from fractions import Fraction

from sitegen_runtime.errors import DamagedImage, ImageError, UnsupportedType
from sitegen_runtime.formats.cells import Acquisition, Cells
from sitegen_runtime.formats.dicom.coded import (
    NEXT_STEP,
    codestream,
    decodable,
    is_compressed,
    is_signed,
    plain_cells,
    stored_values,
)
from sitegen_runtime.formats.dicom.display import Shades, Stored
from sitegen_runtime.formats.dicom.header import Header
from sitegen_runtime.formats.dicom.kinds import is_for_processing, modality_of, without_picture
from sitegen_runtime.formats.dicom.reader import inflate_pixels, read_header
from sitegen_runtime.formats.dicom.rule import MONOCHROME1, MONOCHROME2, notes_on_shades, read_shades
from sitegen_runtime.formats.dicom.syntaxes import CODINGS, LOSSY, syntax_name
from sitegen_runtime.formats.dicom.terms import DIRECTIONS, SIDES
from sitegen_runtime.formats.inspected import CELLS, InspectedImage, check_size
from sitegen_runtime.formats.sniff import DICOM

_COLOURS = {"RGB", "PALETTE COLOR", "YBR_FULL", "YBR_FULL_422", "YBR_PARTIAL_420", "YBR_ICT", "YBR_RCT", "HSV", "CMYK"}


def inspect_dicom(data: bytes, max_pixels: int) -> InspectedImage:
    """Check a DICOM file. Raises DamagedImage, UnsupportedType or TooLarge."""
    header = read_header(data)
    _check_kind(header)
    columns, rows = header.number("Columns") or 0, header.number("Rows") or 0
    check_size(columns, rows, max_pixels)
    allocated = header.number("BitsAllocated") or 0
    if allocated not in (8, 16):
        raise UnsupportedType(f"This DICOM file has {allocated} bits a pixel, and 8 and 16 are read. {NEXT_STEP}")
    size = columns * rows * allocated // 8
    header = inflate_pixels(data, header, size)
    frames = header.whole("NumberOfFrames") or 1
    if is_compressed(header):
        found, frame = codestream(header, columns, rows, allocated, frames)
        shades = read_shades(header, Stored(8 if found.precision <= 8 else 16, found.precision, 0, is_signed(header)))
        cells = decodable(found, frame, shades, max_pixels)
    else:
        shades = read_shades(header, stored_values(header, allocated))
        coding, bytes_of_frame = plain_cells(header, size, frames)
        cells = Cells(coding, bytes_of_frame, allocated // 8, shades.stored.bits, shades)
    return InspectedImage(
        media_type=DICOM,
        width=columns,
        height=rows,
        bits=cells.precision,
        grey=True,
        orientation=1,
        decoder=CELLS,
        payload=b"",
        notes=tuple(_notes(header, shades, frames)),
        cells=cells,
        acquisition=_acquisition(header, frames),
    )


def holds_picture(data: bytes) -> bool:
    """Whether a file without a prefix is DICOM after all: it has the elements of a picture, or is a directory."""
    try:
        header = read_header(data)
    except ImageError:
        return False
    pixels = header.pixels is not None or header.fragments is not None
    return header.directory or bool(pixels and header.number("Rows") and header.number("Columns"))


def _check_kind(header: Header) -> None:
    """Refuse what is no grey picture, or in a transfer syntax that is not read."""
    if header.directory:
        raise UnsupportedType(
            "This is a DICOMDIR, the table of contents of a DICOM medium, and no image. "
            "Open the images themselves: they lie in the folders beside it."
        )
    if header.syntax not in CODINGS:
        raise UnsupportedType(
            f"This DICOM file's transfer syntax is {syntax_name(header.syntax)}, which is not read here. {NEXT_STEP}"
        )
    if header.pixels is None and header.fragments is None:
        raise _no_picture(header)
    colours, samples = header.code("PhotometricInterpretation"), header.number("SamplesPerPixel") or 1
    if colours not in (MONOCHROME1, MONOCHROME2) or samples != 1:
        what = f"in colour ({colours})" if colours in _COLOURS or samples != 1 else "not said to be grey"
        raise UnsupportedType(f"This DICOM file's pixels are {what}, and only grey ones are read. {NEXT_STEP}")


def _no_picture(header: Header) -> ImageError:
    kind = without_picture(header.uid("SOPClassUID"))
    if kind:
        return UnsupportedType(f"This DICOM file is {kind}, and no image. Open the image itself.")
    if header.floating:
        return UnsupportedType(f"This DICOM file's pixels are in floating point, which is not read here. {NEXT_STEP}")
    return DamagedImage("This DICOM file has no image, or ends before it. Copy it again from its source.")


def _acquisition(header: Header, frames: int) -> Acquisition:
    kind = header.uid("SOPClassUID")
    aspect = header.ratio("PixelAspectRatio")
    return Acquisition(
        modality=header.code("Modality"),
        body_part=header.code("BodyPartExamined"),
        view=header.code("ViewPosition"),
        image_class=modality_of(kind),
        unprocessed=header.code("PresentationIntentType") == "FOR PROCESSING" or is_for_processing(kind),
        frames=frames,
        aspect=Fraction(*aspect) if aspect else None,
    )


def _notes(header: Header, shades: Shades, frames: int) -> Iterator[str]:
    if frames > 1:
        yield f"The DICOM file has {frames:,} frames; only the first one was looked at."
    yield from notes_on_shades(header, shades)
    yield from _notes_on_sides(header)
    if header.first("LossyImageCompression") == b"01" or header.syntax in LOSSY:
        yield "The image was compressed with loss: fine detail may be missing, or made up."
    if header.code("BurnedInAnnotation") == "YES":
        yield "The DICOM file says that writing is part of its picture: it may show who the patient is."


def _notes_on_sides(header: Header) -> Iterator[str]:
    """Say what lies where, as far as the header states it: nothing is guessed, and nothing turned."""
    right, bottom = header.directions("PatientOrientation")
    if right in DIRECTIONS and bottom in DIRECTIONS:
        yield (
            f"The DICOM file says that the patient's {DIRECTIONS[right]} is at the picture's right edge, and the "
            f"{DIRECTIONS[bottom]} at its lower edge."
        )
    side = SIDES.get(header.code("ImageLaterality") or header.code("Laterality"))
    if side:
        yield f"The DICOM file says that the picture is of {side} of the patient."
