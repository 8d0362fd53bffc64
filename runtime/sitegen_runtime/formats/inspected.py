"""What is known of an image file once it has been checked, and the limits on its size."""

from dataclasses import dataclass

from sitegen_runtime.errors import DamagedImage, TooLarge
from sitegen_runtime.formats.cells import Acquisition, Cells

MAX_PIXELS = 100_000_000
"""The default limit on width x height."""

MAX_SIDE = 65_500
"""The longest side that every decoder takes: JPEG_MAX_DIMENSION of libjpeg (jmorecfg.h)."""

PLATFORM = "platform"
"""`InspectedImage.decoder`: hand the payload to the browser, or to Pillow.

Of an image of 16 bits, it holds the upper byte of each sample as red, and the lower as green.
"""

PYTHON = "python"
"""`InspectedImage.decoder`: call `decode_png`."""

CELLS = "cells"
"""`InspectedImage.decoder`: a DICOM file's frame, see `pixels.grey_cells`."""

TRUNCATED = "The file ends before its image data is complete. Copy it again from its source."


@dataclass(frozen=True)
class InspectedImage:
    """A file that passed every check, in a form that all decoders read alike."""

    media_type: str
    """`image/png`, `image/jpeg`, `image/webp` or `application/dicom`: told by the content, never by the name."""
    width: int
    """Pixels as stored, before the orientation is applied; 1 to `MAX_SIDE`."""
    height: int
    """Pixels as stored, before the orientation is applied; 1 to `MAX_SIDE`."""
    bits: int
    """Bits per sample in the file: 1, 2, 4, 8 or 16; of a DICOM file, those that are stored, 1 to 16."""
    grey: bool
    """True where the file can only hold R = G = B: a grey PNG, a JPEG of one component."""
    orientation: int
    """EXIF orientation, 1 to 8, to be applied after decoding; 1 where absent or invalid."""
    decoder: str
    """`PLATFORM`, `PYTHON` or `CELLS`."""
    payload: bytes
    """The file rebuilt without anything that makes decoders differ; b"" of a DICOM file, whose frame `cells` has."""
    notes: tuple[str, ...] = ()
    """Sentences for people, e.g. that only the first frame was analysed."""
    cells: Cells | None = None
    """A DICOM file's frame, where `decoder` is `CELLS`; else None."""
    acquisition: Acquisition | None = None
    """What a DICOM file's header says of how the image was made; else None."""


_PARTS = 10_000
_BYTES_IN_PART = 256


def check_parts(count: int, size: int) -> None:
    """Raise TooLarge where a file of `size` bytes has far more parts (chunks, segments) than files of images have.

    Each part costs time and memory, however little is in it. Beyond the first 10,000, parts must have 256 bytes on
    average: encoders cut pixels into pieces of some thousand bytes.
    """
    if count > _PARTS + size // _BYTES_IN_PART:
        raise TooLarge(
            f"The file is cut into more than {count - 1:,} parts, which would take too long to read. "
            "Save the image anew as PNG or JPEG."
        )


def check_size(width: int, height: int, max_pixels: int) -> None:
    """Raise DamagedImage for a side of zero, TooLarge beyond `max_pixels` in all or MAX_SIDE on a side."""
    if width < 1 or height < 1:
        raise DamagedImage(
            f"The file says that its image is {width} x {height} pixels, which is no image. "
            "Copy it again from its source."
        )
    if width * height > max_pixels:
        raise TooLarge(
            f"The image has {width:,} x {height:,} = {width * height:,} pixels; the limit is {max_pixels:,}. "
            "Save it at a smaller size."
        )
    if max(width, height) > MAX_SIDE:
        raise TooLarge(
            f"The image is {width:,} x {height:,} pixels; no side may exceed {MAX_SIDE:,}. Save it at a smaller size."
        )
