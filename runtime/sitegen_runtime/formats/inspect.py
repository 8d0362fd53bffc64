"""The one entrance for image files: tell the type, check the file whole, give its canonical form."""

from sitegen_runtime.formats.inspected import MAX_PIXELS, InspectedImage
from sitegen_runtime.formats.jpeg import inspect_jpeg
from sitegen_runtime.formats.png.chunks import inspect_png
from sitegen_runtime.formats.sniff import DICOM, JPEG, PNG, sniff, unknown_kind
from sitegen_runtime.formats.told import Tell
from sitegen_runtime.formats.webp import inspect_webp


def inspect_image(data: bytes, *, max_pixels: int = MAX_PIXELS, tell: Tell | None = None) -> InspectedImage:
    """Check the bytes of an image file before any decoder sees them; `tell` is told which share of that is done.

    Raises UnsupportedType, DamagedImage, or TooLarge where width x height exceeds `max_pixels`; nothing else.
    """
    data = bytes(data)
    media_type = sniff(data)
    if media_type == PNG:
        return inspect_png(data, max_pixels, tell)
    if media_type == JPEG:
        return inspect_jpeg(data, max_pixels, tell)
    if media_type == DICOM:
        return _inspect_dicom(data, max_pixels)
    return inspect_webp(data, max_pixels)


def _inspect_dicom(data: bytes, max_pixels: int) -> InspectedImage:
    # Here, so that whoever opens no DICOM imports nothing of it.
    from sitegen_runtime.formats.dicom.inspect import holds_picture, inspect_dicom

    if data[128:132] != b"DICM" and not holds_picture(data):
        raise unknown_kind()
    return inspect_dicom(data, max_pixels)
