"""One image as the shortcut audit looks at it: upright grey numbers, and how its file is stored."""

import io
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sitegen.prediction.images import OpenedImage
from sitegen.prediction.pixels import shown_frame
from sitegen_runtime.formats import CELLS, PYTHON, InspectedImage, decode_png

Plane = NDArray[np.float32]

SIDE = 224
"""Pixels a side of the centred square in which sharpness is measured, whatever the image's own size."""

_LUMA = np.array([19595, 38470, 7471], np.float32) / 65536  # as `sitegen_runtime.pixels.luma`
_JPEG = "image/jpeg"


@dataclass(frozen=True, eq=False)  # equal to itself alone, so that measures can be kept for it
class Picture:
    """An image: `plane` is float32 [height, width] in 0..1, upright; `stored` the bytes of its file.

    `table` is the mean of a JPEG's quantisation tables, 1 (finest) to 255; 0 for other formats.
    """

    plane: Plane
    stored: int
    kind: str
    table: float

    @cached_property
    def square(self) -> Plane:
        """The centred square, float32 [SIDE, SIDE]."""
        return self.scaled(SIDE)

    def scaled(self, side: int) -> Plane:
        """Return the centred square as float32 [side, side] in 0..1."""
        height, width = self.plane.shape
        short = min(height, width)
        top, left = (height - short) // 2, (width - short) // 2
        return resized(self.plane[top : top + short, left : left + short], side, side)


def resized(plane: Plane, width: int, height: int) -> Plane:
    """Return a plane scaled to another size, with a triangle as wide as an output pixel: nothing is skipped."""
    image = Image.fromarray(np.ascontiguousarray(plane, np.float32))
    return np.asarray(image.resize((width, height), Image.Resampling.BILINEAR), np.float32)


def picture(image: InspectedImage, raw: bytes) -> Picture:
    """Return an image that passed the runtime's checks; `raw` are the bytes of its file, a DICOM file's too.

    Raises `sitegen_runtime.errors.ImageError` where its pixels cannot be decoded.
    """
    table = _quantisation(image.payload) if image.media_type == _JPEG else 0.0
    return Picture(_upright(_plane(image), image.orientation), len(raw), image.media_type, table)


def _plane(image: InspectedImage) -> Plane:
    if image.decoder == CELLS:
        return _grey(shown_frame(image)[..., None], 255)
    return _decoded_here(image) if image.decoder == PYTHON else _decoded_by_pillow(image)


def _decoded_by_pillow(image: InspectedImage) -> Plane:
    rows = OpenedImage(image.media_type, image.payload).rows(0, 0, image.width, image.height)
    pixels = np.frombuffer(rows, np.uint8).reshape(image.height, image.width, 4)
    if image.bits == 16:  # two bytes of each sample: see `PLATFORM`
        return _grey(pixels[..., :1] * np.uint16(256) + pixels[..., 1:2], 65535)
    return _grey(pixels[..., :1] if image.grey else pixels[..., :3], 255)


def _decoded_here(image: InspectedImage) -> Plane:
    """A PNG about which decoders differ: the runtime's own reading of it."""
    decoder = decode_png(image)
    samples = b"".join(piece.samples for piece in decoder.pieces())
    deep = decoder.sample_bits == 16
    pixels = np.frombuffer(samples, "<u2" if deep else "u1").reshape(image.height, image.width, decoder.channels)
    return _grey(pixels, 65535 if deep else 255)


def _grey(pixels: NDArray[np.unsignedinteger], white: int) -> Plane:
    channels = pixels.astype(np.float32) / white
    return np.asarray(channels[..., 0] if channels.shape[-1] == 1 else channels @ _LUMA, np.float32)


def _upright(plane: Plane, orientation: int) -> Plane:
    """Apply an EXIF orientation, 1 to 8: 5 to 8 exchange rows and columns first."""
    turned = plane.T if orientation >= 5 else plane
    rows = -1 if orientation in (3, 4, 7, 8) else 1
    columns = -1 if orientation in (2, 3, 6, 7) else 1
    return turned[::rows, ::columns]


def _quantisation(payload: bytes) -> float:
    with Image.open(io.BytesIO(payload), formats=["JPEG"]) as opened:
        tables = getattr(opened, "quantization", {})
    return float(np.mean([np.mean(table) for table in tables.values()])) if tables else 0.0
