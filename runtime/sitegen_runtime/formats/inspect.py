"""The one entrance for image files: tell the type, check the file whole, give its canonical form."""

from sitegen_runtime.formats.inspected import MAX_PIXELS, InspectedImage
from sitegen_runtime.formats.jpeg import inspect_jpeg
from sitegen_runtime.formats.png import inspect_png
from sitegen_runtime.formats.sniff import JPEG, PNG, sniff
from sitegen_runtime.formats.webp import inspect_webp


def inspect_image(data: bytes, *, max_pixels: int = MAX_PIXELS) -> InspectedImage:
    """Check the bytes of an image file before any decoder sees them.

    Raises UnsupportedType, DamagedImage, or TooLarge where width x height exceeds `max_pixels`; nothing else.
    """
    data = bytes(data)
    media_type = sniff(data)
    if media_type == PNG:
        return inspect_png(data, max_pixels)
    if media_type == JPEG:
        return inspect_jpeg(data, max_pixels)
    return inspect_webp(data, max_pixels)
