"""Other sizes: how a picture is made to fit, and by which filter."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sitegen.data.prepare.pictures import Pixels, rounded
from sitegen.errors import SettingsError

STRETCH, INSIDE, CROP = "stretch", "inside", "crop"
FITS = (STRETCH, INSIDE, CROP)
LANCZOS, AREA = "lanczos", "area"
METHODS = (LANCZOS, AREA)
_LARGEST = 20_000


@dataclass(frozen=True)
class Size:
    """A size in pixels, how a picture of another shape is brought to it, and by which filter.

    "stretch" gives exactly this size and changes the shape; "inside" keeps the shape, and the picture fits inside;
    "crop" keeps the shape and cuts off evenly what stands out.
    """

    width: int
    height: int
    fit: str = STRETCH
    method: str = LANCZOS


def read_size(text: str, fit: str, method: str) -> Size:
    """Return the size in "512", a square, or "640x480", width by height. Raises SettingsError."""
    parts = text.lower().split("x")
    if not 1 <= len(parts) <= 2 or not all(part.isdecimal() and 0 < int(part) <= _LARGEST for part in parts):
        raise SettingsError(f"{text!r} is no size: write 512, or 640x480, each side from 1 to {_LARGEST:,}.")
    return Size(int(parts[0]), int(parts[-1]), fit, method)


def resized(picture: Pixels, size: Size) -> Pixels:
    """Return the picture at another size, of the same type."""
    height, width = picture.shape[:2]
    if size.fit == CROP:
        picture = _cropped(picture, size)
        height, width = picture.shape[:2]
    wanted = (size.width, size.height)
    if size.fit == INSIDE:
        scale = min(size.width / width, size.height / height)
        wanted = (max(1, round(width * scale)), max(1, round(height * scale)))
    if wanted == (width, height):
        return picture
    return _by_area(picture, *wanted) if size.method == AREA else _by_lanczos(picture, *wanted)


def _cropped(picture: Pixels, size: Size) -> Pixels:
    """The largest part in the middle that has the size's shape."""
    height, width = picture.shape[:2]
    scale = min(width / size.width, height / size.height)
    kept_width, kept_height = max(1, round(size.width * scale)), max(1, round(size.height * scale))
    left, top = (width - kept_width) // 2, (height - kept_height) // 2
    return picture[top : top + kept_height, left : left + kept_width]


def _by_lanczos(picture: Pixels, width: int, height: int) -> Pixels:
    """Lanczos with three lobes, as Pillow computes it: in fixed point for 8 bits, in floating point for 16."""
    if picture.dtype == np.uint8:
        return np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling.LANCZOS))
    real = Image.fromarray(picture.astype(np.float32)).resize((width, height), Image.Resampling.LANCZOS)
    return rounded(np.asarray(real, np.float64), picture)


def _by_area(picture: Pixels, width: int, height: int) -> Pixels:
    """The mean of what lies beneath each new pixel, parts of pixels counted as parts."""
    values = _means(_means(picture.astype(np.float64), height, 0), width, 1)
    return rounded(np.round(values, 6), picture)  # sums are not exact, and halves are to be told as halves


def _means(values: NDArray[np.float64], count: int, axis: int) -> NDArray[np.float64]:
    length = values.shape[axis]
    sums = np.insert(np.cumsum(values, axis), 0, 0.0, axis)
    edges = np.arange(count + 1) * (length / count)
    below = np.minimum(edges.astype(int), length - 1)
    share = (edges - below).reshape([-1 if each == axis else 1 for each in range(values.ndim)])
    at_edges = np.take(sums, below, axis) + share * np.take(values, below, axis)
    means: NDArray[np.float64] = np.diff(at_edges, axis=axis) * (count / length)
    return means
