"""Where an anomaly is, as boxes or as a mask, and which windows overlap it.

Windows are float64 [N, 4]: left, top, right, bottom in shares of the whole picture. One overlaps where it has some area
in common with a box, or a pixel of the mask; borders that only touch do not count.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sitegen.evaluation.explanations.localisation.boxes import image_name, read_boxes
from sitegen.evaluation.explanations.localisation.regions import Boxes, as_boxes, inside_of
from sitegen.evaluation.reconstructions.planes import images_by_name, read_plane

_ROUNDING = 1e-9  # shares of a side


@dataclass(frozen=True)
class Anomaly:
    """Where an anomaly is: boxes in shares of the picture, or the running sums [rows + 1, columns + 1] of a mask."""

    boxes: Boxes | None = None
    sums: NDArray[np.int64] | None = None

    def overlaps(self, windows: Boxes) -> NDArray[np.bool_]:
        """Return which windows [N, 4] overlap it."""
        if self.sums is not None:
            return np.asarray(_within(self.sums, windows) > 0)
        assert self.boxes is not None  # noqa: S101 - for the type checker
        low = np.maximum(windows[:, np.newaxis, :2], self.boxes[np.newaxis, :, :2])
        high = np.minimum(windows[:, np.newaxis, 2:], self.boxes[np.newaxis, :, 2:])
        return np.asarray(np.any((high - low > _ROUNDING).all(axis=2), axis=1))

    def covered(self, grid: tuple[int, int] = (256, 256)) -> float:
        """Return the share (0..1) of the picture that it covers; of boxes, as a grid of cells shows it."""
        if self.sums is not None:
            rows, columns = self.sums.shape
            return float(self.sums[-1, -1] / ((rows - 1) * (columns - 1)))
        assert self.boxes is not None  # noqa: S101 - for the type checker
        return float(np.count_nonzero(inside_of(self.boxes, grid)) / (grid[0] * grid[1]))


def of_mask(mask: NDArray[np.bool_]) -> Anomaly:
    """Return the anomaly of a mask [rows, columns] of the whole picture."""
    return Anomaly(sums=np.pad(mask.astype(np.int64), ((1, 0), (1, 0))).cumsum(axis=0).cumsum(axis=1))


def of_boxes(path: Path) -> dict[str, Anomaly]:
    """Return the anomalies of a table of boxes, by image. Raises DataError as `read_boxes` does."""
    found: dict[str, list[tuple[float, float, float, float]]] = {}
    for box in read_boxes(path):
        found.setdefault(box.image, []).append(box.sides)
    return {image: Anomaly(boxes=as_boxes(sides)) for image, sides in found.items()}


def of_masks(folder: Path) -> dict[str, Anomaly]:
    """Return the anomalies of a folder of masks, above 0 where it is, by image; an empty mask is none.

    Raises DataError where there are no images, PlaneProblem where one cannot be read.
    """
    planes = {image_name(path.name): read_plane(path) for path in images_by_name(folder).values()}
    return {name: of_mask(plane > 0) for name, plane in planes.items() if (plane > 0).any()}


def _within(sums: NDArray[np.int64], windows: Boxes) -> NDArray[np.int64]:
    """How many pixels of a mask are in each window, those that it touches with some of their area."""
    size = np.array([sums.shape[1] - 1, sums.shape[0] - 1])
    low = np.clip(np.floor(windows[:, :2] * size + _ROUNDING), 0, size).astype(np.int64)
    high = np.maximum(np.clip(np.ceil(windows[:, 2:] * size - _ROUNDING), 0, size).astype(np.int64), low)
    (left, top), (right, bottom) = low.T, high.T
    return np.asarray(sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left])
