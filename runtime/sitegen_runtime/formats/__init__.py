"""Image files: what they are, whether they are whole, and a form of them that every decoder reads alike."""

from sitegen_runtime.formats.inspect import inspect_image
from sitegen_runtime.formats.inspected import CELLS, MAX_PIXELS, MAX_SIDE, PLATFORM, PYTHON, InspectedImage
from sitegen_runtime.formats.png.pixels import Plane, PngPixels, decode_png

__all__ = [
    "CELLS",
    "MAX_PIXELS",
    "MAX_SIDE",
    "PLATFORM",
    "PYTHON",
    "InspectedImage",
    "Plane",
    "PngPixels",
    "decode_png",
    "inspect_image",
]
