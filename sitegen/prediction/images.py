"""Pillow as the platform's decoder: opaque 8-bit images, as stored."""

import io
import warnings

from PIL import Image

from sitegen_runtime.errors import DamagedImage
from sitegen_runtime.wording.failures import UNDECODABLE

_FORMATS = {"image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WEBP"}


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
        return self._image.crop((left, top, left + width, top + height)).convert("RGB").convert("RGBA").tobytes()
