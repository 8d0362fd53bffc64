"""Boxes as arithmetic: within what the model sees, as cells of a map, and how much they overlap.

Boxes are float64 [N, 4]: left, top, right, bottom, in shares of what they lie in, which is the whole image or the
square that the model sees. Points are (x, y) in the same shares.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sitegen_runtime.pixels.geometry import Place

Boxes = NDArray[np.float64]
Cells = NDArray[np.bool_]
Point = tuple[float, float]
_ROUNDING = 1e-9  # shares of a side: what sums of shares may be off by


@dataclass(frozen=True)
class Frame:
    """Where the square that the model sees lies, in shares of the whole image."""

    left: float = 0.0
    top: float = 0.0
    width: float = 1.0
    height: float = 1.0

    def boxes(self, boxes: Boxes) -> Boxes:
        """Return boxes of the whole image in shares of the square, cut at its border; those outside are left out."""
        cut = np.clip(self._moved(boxes), 0.0, 1.0)
        return cut[(cut[:, 2] - cut[:, 0] > _ROUNDING) & (cut[:, 3] - cut[:, 1] > _ROUNDING)]

    def crossed(self, boxes: Boxes) -> int:
        """Return how many boxes of the whole image the border of the square cuts."""
        moved = self._moved(boxes)
        kept = np.clip(moved, 0.0, 1.0)
        inside = (kept[:, 2] - kept[:, 0] > _ROUNDING) & (kept[:, 3] - kept[:, 1] > _ROUNDING)
        return int((inside & (np.abs(moved - kept) > _ROUNDING).any(axis=1)).sum())

    def point(self, point: Point) -> Point:
        """Return a point of the whole image in shares of the square; outside of it they are below 0 or above 1."""
        return (point[0] - self.left) / self.width, (point[1] - self.top) / self.height

    def _moved(self, boxes: Boxes) -> Boxes:
        return np.asarray((boxes - [self.left, self.top] * 2) / ([self.width, self.height] * 2), np.float64)


def frame_of(place: Place, width: int, height: int) -> Frame:
    """Return the frame of a place in an upright image of width x height pixels."""
    return Frame(place.left / width, place.top / height, place.width / width, place.height / height)


def as_boxes(sides: Sequence[tuple[float, float, float, float]]) -> Boxes:
    """Return boxes of their sides (left, top, right, bottom), also of none."""
    return np.array(sides, np.float64).reshape(-1, 4)


def inside_of(boxes: Boxes, shape: tuple[int, int]) -> Cells:
    """Return which cells [H, W] have their centre in one of the boxes; a box between centres has the cell around its
    own."""
    rows, columns = shape
    down, right = (np.arange(rows) + 0.5) / rows, (np.arange(columns) + 0.5) / columns
    cells = np.zeros(shape, np.bool_)
    for left, top, end, bottom in boxes.tolist():
        found = _within(down, top, bottom)[:, np.newaxis] & _within(right, left, end)
        if not found.any():
            found[int((top + bottom) / 2 * rows), int((left + end) / 2 * columns)] = True
        cells |= found
    return cells


def holds(boxes: Boxes, point: Point | None) -> bool:
    """Return whether a point lies in one of the boxes, their borders included; no point lies in none."""
    if point is None:
        return False
    x, y = point
    return bool(((boxes[:, 0] <= x) & (x <= boxes[:, 2]) & (boxes[:, 1] <= y) & (y <= boxes[:, 3])).any())


def covered(boxes: Boxes) -> float:
    """Return the share (0..1) of the square that boxes cover together, those parts once that several cover."""
    across, down = (np.unique(boxes[:, sides]) for sides in ([0, 2], [1, 3]))
    if not len(boxes):
        return 0.0
    x, y = ((lines[:-1] + lines[1:]) / 2 for lines in (across, down))
    within = np.zeros((len(y), len(x)), np.bool_)
    for left, top, right, bottom in boxes.tolist():
        within |= ((y > top) & (y < bottom))[:, np.newaxis] & ((x > left) & (x < right))
    return float(np.diff(down) @ within @ np.diff(across))


def overlaps(found: Boxes, drawn: Boxes) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return of each found box [N] with each drawn one [M] the intersection over union, and the intersection over the
    found box's area (IoBB), both [N, M]."""
    low = np.maximum(found[:, np.newaxis, :2], drawn[np.newaxis, :, :2])
    high = np.minimum(found[:, np.newaxis, 2:], drawn[np.newaxis, :, 2:])
    common = np.clip(high - low, 0.0, None).prod(axis=2)
    areas = _areas(found)[:, np.newaxis]
    return common / (areas + _areas(drawn) - common), common / areas


def _areas(boxes: Boxes) -> NDArray[np.float64]:
    return np.asarray((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]))


def _within(centres: NDArray[np.float64], low: float, high: float) -> Cells:
    return (centres >= low - _ROUNDING) & (centres <= high + _ROUNDING)
