"""What an image may be: a file by its path or its bytes, an array of cells, or a Pillow image.

Arrays and Pillow images become the PNG file of the same cells in memory, so that they go the way of every file, and
give the same numbers to the bit.
"""

import zlib
from os import PathLike
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sitegen_runtime.errors import DamagedImage
from sitegen_runtime.formats.png.chunks import png_file
from sitegen_runtime.formats.png.layout import Header

ImageLike: TypeAlias = str | PathLike[str] | bytes | NDArray[np.uint8] | NDArray[np.uint16] | Image.Image

ACCEPTED = (
    "a path (str or pathlib.Path), the bytes of a file, a NumPy array (uint8 or uint16, [height, width] grey or "
    "[height, width, 3] RGB) or a Pillow image"
)
_READ_AS = {"1": "L", "L": "L", "LA": "L", "P": "RGB", "PA": "RGB", "RGB": "RGB", "RGBA": "RGB", "RGBX": "RGB"}
_FAST = 1  # of zlib's levels: the file is read once and dropped


def as_file(image: ImageLike) -> Path | bytes:
    """Return an image as a file's path, or as a file's bytes.

    Raises TypeError for what is no image, and for arrays of other numbers than uint8 and uint16; ValueError for arrays
    of another shape and Pillow images of another mode; DamagedImage where Pillow cannot read the file of its image.
    """
    if isinstance(image, bytes):
        return image
    if isinstance(image, str | PathLike):
        return Path(image)
    if isinstance(image, Image.Image):
        return png_of(_cells_of(image))
    if isinstance(image, np.ndarray):
        return png_of(_checked(image))
    raise TypeError(f"An image is {ACCEPTED}, not {type(image).__name__}.")


def png_of(cells: NDArray[Any]) -> bytes:
    """Return the PNG file of uint8 or uint16 cells, [height, width] grey or [height, width, 3] RGB."""
    height, width = cells.shape[:2]
    rows = np.ascontiguousarray(cells, cells.dtype.newbyteorder(">")).reshape(height, -1).view(np.uint8)
    unfiltered = np.zeros((height, 1), np.uint8)  # the filter type 0 before each row
    pixels = zlib.compress(np.hstack([unfiltered, rows]).tobytes(), _FAST)
    header = Header(width, height, 8 * cells.itemsize, 0 if cells.ndim == 2 else 2, interlaced=False)
    return png_file(header, pixels)


def _checked(cells: NDArray[Any]) -> NDArray[Any]:
    if isinstance(cells, np.ma.MaskedArray):
        raise TypeError("An image has no masked cells. Say what they are: array.filled(0), for example.")
    if cells.dtype.kind != "u" or cells.itemsize > 2:
        raise TypeError(
            f"An array's cells are uint8 (0 black, 255 white) or uint16 (0 black, 65535 white), not {cells.dtype}. "
            "Shares from 0 to 1 become such by (array * 65535).round().astype('uint16')."
        )
    if cells.ndim not in (2, 3) or cells.shape[2:] not in ((), (3,)) or not cells.size:
        hint = _hint(cells.shape)
        raise ValueError(f"An array is [height, width] grey or [height, width, 3] RGB, not {list(cells.shape)}.{hint}")
    return cells


def _hint(shape: tuple[int, ...]) -> str:
    if len(shape) == 3 and shape[0] in (1, 3):
        return " Its channels come first: numpy.moveaxis(array, 0, -1) puts them last."
    if len(shape) == 3 and shape[2] == 1:
        return " array[:, :, 0] is its grey."
    if len(shape) == 3 and shape[2] == 4:
        return " array[:, :, :3] leaves out its alpha."
    return " Several images are a list, for predict_many." if len(shape) > 2 else ""


def _cells_of(image: Image.Image) -> NDArray[Any]:
    """Return a Pillow image's cells as a PNG file of it is read: without alpha, palettes as their colours."""
    try:
        image.load()
    except OSError as error:
        raise DamagedImage(f"Pillow cannot read the image's file: {error}. Copy it again from its source.") from error
    if image.mode.startswith("I;16"):
        return _checked(np.asarray(image))
    if image.mode not in _READ_AS:
        raise ValueError(
            f"A Pillow image has one of the modes {', '.join(_READ_AS)} or I;16, not {image.mode}: what white is, or "
            "which colours are meant, is not said. Convert it, with image.convert('RGB') for example, or give an array."
        )
    return _checked(np.asarray(image.convert(_READ_AS[image.mode])))
