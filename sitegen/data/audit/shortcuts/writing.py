"""Small bright things near the corners, as burned-in letters, marks and arrows are: a suspicion, not a reading."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import grey_opening, label

from sitegen.data.audit.shortcuts.picture import Picture, Plane, resized

LONGEST = 320
"""Pixels of the longer side in which they are looked for."""
REACH = 0.25
"""Of the sides: how far a corner reaches in."""
STROKE = 7
"""Pixels: what is narrower counts as a stroke."""
CONTRAST = 0.25
"""Of white: how much brighter a stroke is than what is around it."""
SMALLEST, LARGEST = 4, 200
"""Pixels of one thing: less is noise, more is a device or a bone."""


@dataclass(frozen=True)
class Written:
    """How many things look written, and their share of the image's pixels."""

    things: float
    area: float


@lru_cache(maxsize=1)  # several measures ask for it, one after the other
def written(picture: Picture) -> Written:
    """Return what of an image looks written: brighter by `CONTRAST` than its opening with a square of `STROKE`."""
    small = _small(picture.plane)
    strokes = small - grey_opening(small, size=(STROKE, STROKE)) > CONTRAST
    labels, _ = label(strokes & _corners(*small.shape), np.ones((3, 3)))
    sizes = np.bincount(labels.ravel())[1:]
    fitting = sizes[(sizes >= SMALLEST) & (sizes <= LARGEST)]
    return Written(float(len(fitting)), float(fitting.sum() / small.size))


def _small(plane: Plane) -> Plane:
    height, width = plane.shape
    factor = LONGEST / max(height, width)
    return plane if factor >= 1 else resized(plane, max(1, round(width * factor)), max(1, round(height * factor)))


def _corners(height: int, width: int) -> NDArray[np.bool_]:
    rows, columns = (np.minimum(np.arange(length), np.arange(length)[::-1]) for length in (height, width))
    return (rows < REACH * height)[:, np.newaxis] & (columns < REACH * width)
