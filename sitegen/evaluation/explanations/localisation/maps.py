"""What one map says of where a finding is, against the boxes that were drawn.

    peak(map)                   its strongest place
    heat_boxes(map)             boxes around what is strong in it
    compared(found, drawn)      which of such boxes hit a drawn one, at every threshold

Boxes from maps are made as in Wang et al., "ChestX-ray8" (CVPR 2017), on localisation: the map is brought to 0..255,
thresholds of 60 and of 180 each make a binary image, and every connected region of either gets a box around it.
The paper takes the whole range of a map for 0..255. Here 0 stays 0, because what speaks against a finding is not shown
to people, and the largest value is 255. Regions are connected also across corners; a box that both thresholds give
counts once. All boxes of a map are taken together.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import find_objects, label

from sitegen.evaluation.explanations.localisation.regions import Boxes, Point, as_boxes, inside_of, overlaps
from sitegen.evaluation.explanations.similarity import Map

IOU = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
IOBB = (0.1, 0.25, 0.5, 0.75, 0.9)
LEVELS = (60, 180)  # of 255
Values = NDArray[np.float64]


@dataclass(frozen=True)
class Compared:
    """At each of IOU, and of IOBB: 1.0 for a hit or 0.0, and how many boxes of the map hit nothing."""

    iou: Values
    iou_false: Values
    iobb: Values
    iobb_false: Values


def peak(given: Map) -> Point | None:
    """Return the centre of a map's strongest cell in shares of its width and height, None where nothing is above 0.

    Of several that are equally strong it is the one nearest to their mean place, the first of these in rows.
    """
    largest = given.max(initial=0.0)
    if largest <= 0:
        return None
    places = np.argwhere(given == largest)
    row, column = places[int(((places - places.mean(axis=0)) ** 2).sum(axis=1).argmin())].tolist()
    return (column + 0.5) / given.shape[1], (row + 0.5) / given.shape[0]


def share_inside(given: Map, drawn: Boxes) -> float:
    """Return the share (0..1) of a map's positive values in the cells of the boxes; 0 for a map without any."""
    positive = np.maximum(given, 0.0)
    total = float(positive.sum())
    return float(positive[inside_of(drawn, (given.shape[0], given.shape[1]))].sum()) / total if total else 0.0


def heat_boxes(given: Map) -> Boxes:
    """Return the boxes of a map [H, W], in shares of its width and height, each once; none for a map without any
    value above 0."""
    largest = float(given.max(initial=0.0))
    if largest <= 0:
        return as_boxes([])
    rows, columns = given.shape
    sides = []
    for level in LEVELS:
        regions, _ = label(given * (255 / largest) >= level, structure=np.ones((3, 3)))
        for down, across in find_objects(regions):
            sides.append((across.start / columns, down.start / rows, across.stop / columns, down.stop / rows))
    return np.unique(as_boxes(sides), axis=0)


def compared(found: Boxes, drawn: Boxes) -> Compared:
    """Return what found boxes are worth against drawn ones of the same finding, of which there is one at least.

    A box hits where its IoU (or IoBB) with some drawn box is above the threshold; an image counts as a hit where one of
    its boxes does. A box that hits no drawn box is a false positive.
    """
    union, own = (each.max(axis=1, initial=0.0) for each in overlaps(found, drawn))
    return Compared(*_at(union, IOU), *_at(own, IOBB))


def _at(best: Values, thresholds: tuple[float, ...]) -> tuple[Values, Values]:
    hits = best[:, np.newaxis] > np.array(thresholds)
    hit, missed = hits.any(axis=0), (~hits).sum(axis=0)
    return np.asarray(hit, np.float64), np.asarray(missed, np.float64)
