"""Images whose label is a small mark, and whether maps find the mark: here it is known where a model must look.

    planted(seeds)              synthetic chest radiographs, every second one with a mark at a random place
    hit(map, mark)              does the strongest cell lie in the mark? (the pointing game)
    mass_inside(map, mark)      what share of the map lies in the mark?

The pointing game is that of Zhang et al., "Top-down neural attention by excitation backprop", IJCV 2018, who count a
hit beside the object too, within 15 pixels of images of some 300 to 500; here it is within TOLERANCE cells.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sitegen.evaluation.explanations.similarity import Map
from sitegen.phantom import phantom

SIDE, MARK = 64, 8  # cells
TOLERANCE = 4  # cells: half a cell of the planted network's feature map
STRENGTH = 45  # grey levels, up and down
_MARGIN = 2  # cells at least between the mark and the border


@dataclass(frozen=True)
class Mark:
    """A square of the image: its first row and column, and its side, in cells."""

    top: int
    left: int
    side: int

    def cells(self, shape: tuple[int, ...], tolerance: int = 0) -> NDArray[np.bool_]:
        """Return which cells of an image lie in the mark, or as near to it as `tolerance`."""
        inside = np.zeros(shape, np.bool_)
        rows, columns = (
            slice(max(0, start - tolerance), start + self.side + tolerance) for start in (self.top, self.left)
        )
        inside[rows, columns] = True
        return inside


@dataclass(frozen=True)
class Planted:
    """Images uint8 [N, SIDE, SIDE], and the mark of each, None where there is none."""

    images: NDArray[np.uint8]
    marks: Sequence[Mark | None]


def planted(seeds: Sequence[int]) -> Planted:
    """Return an image for each seed, those of odd seeds with a mark: a chequered square, on average as bright as what
    it lies on, so that no brightness gives it away."""
    images, marks = [], []
    for seed in seeds:
        image = phantom(seed, SIDE)
        mark = _place(seed) if seed % 2 else None
        images.append(marked(image, mark) if mark else image)
        marks.append(mark)
    return Planted(np.stack(images), marks)


def marked(image: NDArray[np.uint8], mark: Mark) -> NDArray[np.uint8]:
    """Return an image [H, W] with a chequered square of two cells a field in it."""
    changed = image.astype(np.int64)
    row, column = np.indices((mark.side, mark.side)) // 2
    fields = np.where((row + column) % 2, STRENGTH, -STRENGTH)
    part = changed[mark.top : mark.top + mark.side, mark.left : mark.left + mark.side]
    part[:] = part.clip(STRENGTH, 255 - STRENGTH) + fields
    return changed.astype(np.uint8)


def hit(given: Map, mark: Mark) -> bool:
    """Return whether the strongest cell lies in the mark or within TOLERANCE of it; a map of zeros points nowhere."""
    if not given.any():
        return False
    return bool(mark.cells(given.shape, TOLERANCE).ravel()[int(given.argmax())])


def mass_inside(given: Map, mark: Mark) -> float:
    """Return the share (0..1) of a map's positive values that lies in the mark or within TOLERANCE of it."""
    positive = np.maximum(given, 0)
    total = float(positive.sum())
    return float(positive[mark.cells(given.shape, TOLERANCE)].sum()) / total if total else 0.0


def area_share(mark: Mark) -> float:
    """Return what a map without knowledge has there: the share (0..1) of the image's cells."""
    return float(mark.cells((SIDE, SIDE), TOLERANCE).mean())


def _place(seed: int) -> Mark:
    rng = np.random.default_rng((seed, MARK))
    top, left = rng.integers(_MARGIN, SIDE - MARK - _MARGIN + 1, 2)
    return Mark(int(top), int(left), MARK)
