"""A file as an array of greys or colours, upright, and an array as a PNG file."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sitegen.data.images import inspected
from sitegen.prediction.images import UPRIGHT
from sitegen.prediction.pixels import shown_frame
from sitegen_runtime.errors import DamagedImage, UnsupportedType
from sitegen_runtime.formats import CELLS, InspectedImage
from sitegen_runtime.wording.failures import UNDECODABLE

Pixels = NDArray[np.uint8] | NDArray[np.uint16]
"""[height, width] of greys, or [height, width, 3] of colours; uint8, or uint16 for greys of 16 bits."""

_FORMATS = {"image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WEBP"}


def read_picture(raw: bytes) -> Pixels:
    """Return the picture in a file's bytes: PNG, JPEG, WebP, or a DICOM file's as it is shown.

    It is checked as an image to analyse is, and stands upright; alpha is left out, as there. Raises
    `sitegen_runtime.errors.ImageError`; UnsupportedType also for 16-bit colour, which few programs keep.
    """
    image = inspected(raw)
    if image.decoder == CELLS:
        return shown_frame(image)
    if image.bits == 16 and not image.grey:
        raise UnsupportedType("The image has 16 bits and colour. Save it as 16-bit grey, or with 8 bits.")
    opened = _opened(image).convert("L" if image.grey and image.bits != 16 else "RGB")
    if image.orientation in UPRIGHT:
        opened = opened.transpose(UPRIGHT[image.orientation])
    return _joined(np.asarray(opened)) if image.bits == 16 else np.asarray(opened)


def _joined(halves: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """Greys of 16 bits whose upper byte is red and whose lower is green: see `sitegen_runtime.formats.png.lanes`."""
    upper, lower = halves[..., 0].astype(np.uint16), halves[..., 1]
    joined: NDArray[np.uint16] = upper * np.uint16(256) + lower
    return joined


def png_of(pixels: Pixels) -> bytes:
    """Return a PNG file: grey of 8 or 16 bits, or 8-bit colour."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def white_of(pixels: Pixels) -> int:
    """Return the greatest value that a picture's type has: 255 or 65,535."""
    return int(np.iinfo(pixels.dtype).max)


def rounded(values: NDArray[np.floating], like: Pixels) -> Pixels:
    """Return real values as whole ones of the type of `like`: rounded half up, and cut at black and white."""
    kept: Pixels = np.floor(np.clip(values, 0, white_of(like)) + 0.5).astype(like.dtype)
    return kept


def _opened(image: InspectedImage) -> Image.Image:
    try:
        opened = Image.open(io.BytesIO(image.payload), formats=[_FORMATS[image.media_type]])
        opened.load()
    except MemoryError:
        raise
    except Exception as error:  # Pillow's decoders raise a dozen unrelated types
        raise DamagedImage(UNDECODABLE) from error
    return opened
