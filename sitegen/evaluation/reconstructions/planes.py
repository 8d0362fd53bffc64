"""Grey images as planes of whole numbers, exactly as their files have them, and pairs of them by name.

A plane is uint8 or uint16 [rows, columns]. Colour is turned to grey by the usual luma (ITU-R 601-2), which leaves grey
values of colour files as they are; an alpha channel is left out.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sitegen.data.layouts.class_folders import images_below
from sitegen.errors import DataError

Plane = NDArray[np.uint8] | NDArray[np.uint16]
_SIXTEEN = ("I;16", "I;16L", "I;16B", "I;16N")
_SHOWN = 10  # names in a message


class PlaneProblem(ValueError):
    """An image that cannot be measured; the message names the file, the value, and the next step."""


def read_plane(path: Path) -> Plane:
    """Return the grey values of a PNG, JPEG or WebP file. Raises PlaneProblem where it has none of 8 or 16 bits."""
    try:
        with Image.open(path) as image:
            if image.mode in _SIXTEEN:
                return np.ascontiguousarray(np.asarray(image), np.uint16)
            if image.mode in ("I", "F"):
                raise PlaneProblem(f"{path} has grey values of mode {image.mode!r}. Save it with 8 or 16 bits.")
            return np.asarray(image.convert("L"), np.uint8)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        if isinstance(error, PlaneProblem):
            raise
        raise PlaneProblem(f"{path} cannot be read: {error}. Replace the file, or take it out.") from error


def read_alike(path: Path, image: Plane, of: Path) -> Plane:
    """Return the plane of a file that belongs to an image. Raises PlaneProblem where sizes or bits differ."""
    plane = read_plane(path)
    if plane.shape != image.shape or plane.dtype != image.dtype:
        raise PlaneProblem(f"{path} is {described(plane)}, but {of} is {described(image)}. Make them alike.")
    return plane


def described(plane: Plane) -> str:
    """Return a plane's size and depth in words."""
    return f"{plane.shape[1]} x {plane.shape[0]} pixels of {bits(plane)} bits"


def bits(plane: Plane) -> int:
    """Return 8 or 16."""
    return 8 * plane.dtype.itemsize


def largest_grey(plane: Plane) -> int:
    """Return the largest grey value that the plane's type has: 255 or 65535."""
    return int(np.iinfo(plane.dtype).max)


def images_by_name(folder: Path) -> dict[str, Path]:
    """Return a folder's images by their path in it without ending, in order.

    Raises DataError where there is none, or where two have one name.
    """
    if not folder.is_dir():
        raise DataError(f"{folder} is no folder. Name a folder of images.")
    found: dict[str, Path] = {}
    for path in images_below(folder):
        name = path.relative_to(folder).with_suffix("").as_posix()
        if name in found:
            raise DataError(
                f"{found[name]} and {path} have one name. Rename one: images are told by names, not endings."
            )
        found[name] = path
    if not found:
        raise DataError(f"{folder} has no images (PNG, JPEG, WebP). Name a folder that has.")
    return found


def need_same_names(first: Path, names: Iterable[str], second: Path, others: Iterable[str], of: str) -> None:
    """Raise DataError, which lists them, where names are in one folder alone; `of` says what the second has."""
    missing, surplus = (sorted(set(a) - set(b)) for a, b in ((names, others), (others, names)))
    parts = [
        f"{len(each)} image(s) of {one} have no {what} in {other}: {_listed(each)}"
        for each, one, other, what in ((missing, first, second, of), (surplus, second, first, "image"))
        if each
    ]
    if parts:
        raise DataError(f"The names in the folders do not match. {' '.join(parts)} Name them alike, endings aside.")


def _listed(names: list[str]) -> str:
    rest = f", and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{', '.join(names[:_SHOWN])}{rest}."
