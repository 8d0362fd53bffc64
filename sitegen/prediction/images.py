"""Pillow as the platform's decoder: opaque 8-bit images, as stored."""

import io
import warnings

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sitegen_runtime.errors import DamagedImage
from sitegen_runtime.wording.failures import UNDECODABLE

_FORMATS = {"image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WEBP"}
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What each EXIF orientation takes to stand upright; 1 takes nothing."""


class OpenedImage:
    """A decoded image from which rectangles are read as RGBA bytes.

    The payload has passed the runtime's checks (size included) and holds nothing that decoders read differently.
    """

    def __init__(self, media_type: str, payload: bytes) -> None:
        """Decode the payload. Raises DamagedImage where Pillow refuses it."""
        try:
            with warnings.catch_warnings():
                # The runtime has its own limit of pixels, checked before this point.
                warnings.simplefilter("ignore", Image.DecompressionBombWarning)
                image = Image.open(io.BytesIO(payload), formats=[_FORMATS[media_type]])
                image.load()
        except MemoryError:
            raise
        except Exception as error:  # Pillow's decoders raise a dozen unrelated types
            raise DamagedImage(UNDECODABLE) from error
        self._image = image

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self._image.size

    def rows(self, left: int, top: int, width: int, height: int) -> bytes:
        """Return the RGBA bytes of a rectangle, row by row."""
        return self._part(left, top, width, height).convert("RGBA").tobytes()

    def pixels(self, rows: range, columns: range) -> bytes:
        """Return the RGBA bytes of the pixels where these rows and columns meet."""
        parts = [self._part(0, row, self._image.width, 1).convert("RGBA") for row in rows]
        picked = [np.asarray(part)[:, columns.start : columns.stop : columns.step] for part in parts]
        return b"".join(each.tobytes() for each in picked)

    def samples(self, left: int, top: int, width: int, height: int) -> NDArray[np.uint8]:
        """Return a rectangle as it is stored, [height, width, 1] of a grey image, else [height, width, 3]."""
        part = np.asarray(self._part(left, top, width, height, "L" if self._image.mode == "L" else "RGB"))
        return part.reshape(height, width, -1)

    def _part(self, left: int, top: int, width: int, height: int, mode: str = "RGB") -> Image.Image:
        return self._image.crop((left, top, left + width, top + height)).convert(mode)
