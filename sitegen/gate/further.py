"""Further images for a gate's training, without labels or patients: whatever lies in a folder, and is not held back.

Collections are copied into one another, smaller and sharpened, under other names. An image whose like is validated or
tested on must not be trained on, or the gate would seem to accept new images as well as those that it knows.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sitegen.data.tensors.cache import Usable, usable_tensors
from sitegen.errors import DataError
from sitegen_runtime.bundle.model import NetworkInput

IMAGE_NAMES = (".png", ".jpg", ".jpeg", ".webp")
_ROLE = "gate"
_AT_ONCE = 1024  # images compared with all that are held back
Images = NDArray[np.float32]


@dataclass(frozen=True)
class Further:
    """Images to train on, float32 [N, C, side, side]; how many looked like one that is held back; and unusable ones."""

    images: Images
    alike: int
    problems: list[tuple[Path, str]]


def further_images(folder: Path, image: NetworkInput, work: Path, held_back: Images, apart: float) -> Further:
    """Return the images below a folder that correlate with none of `held_back` [M, C, side, side] above `apart`.

    Raises DataError where none can be used.
    """
    usable = _usable(folder, image, work)
    images = usable.tensors[_ROLE]
    kept = likeness(images, held_back) <= apart
    return Further(images[kept], int((~kept).sum()), usable.problems)


def likeness(images: Images, others: Images) -> NDArray[np.float32]:
    """Return for each image [N, ...] the largest correlation of its values with those of one of `others` [M, ...].

    It is -1 where there are no others, and 0 with an image that is even: nothing can be said of it.
    """
    if not len(others):
        return np.full(len(images), -1, np.float32)
    directions = _directions(others).T
    parts = range(0, len(images), _AT_ONCE)
    return np.concatenate(
        [np.empty(0, np.float32), *((_directions(images[at : at + _AT_ONCE]) @ directions).max(1) for at in parts)]
    )


def _directions(images: Images) -> Images:
    flat = images.reshape(len(images), -1)
    centred = flat - flat.mean(1, keepdims=True)
    length = np.linalg.norm(centred, axis=1, keepdims=True)
    directions: Images = np.divide(centred, length, out=np.zeros_like(centred), where=length > 0)
    return directions


def _usable(folder: Path, image: NetworkInput, work: Path) -> Usable:
    usable = usable_tensors(_images_of(folder), {_ROLE: image}, work / "tensors")
    if not usable.kept:
        path, message = usable.problems[0]
        raise DataError(
            f"None of the {len(usable.problems)} images in {folder}, named for the gate's training, can be used. "
            f"The first is {path}: {message} Give readable images, or leave out this folder."
        )
    return usable


def _images_of(folder: Path) -> list[Path]:
    """Every image below a folder, in the order of names. Raises DataError where there is none."""
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in IMAGE_NAMES)
    if not found:
        raise DataError(f"{folder}, named for the gate's training, has no images ({', '.join(IMAGE_NAMES)}).")
    return found
