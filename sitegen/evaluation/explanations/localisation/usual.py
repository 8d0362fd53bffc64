"""Where boxes of a finding usually lie: what a map has to beat before it can be said to find anything.

The usual place is known from the boxes of other patients alone. Of each of their images the boxes become a picture of 0
and 1 over the whole image, and the mean of these pictures says how often each place is in a box. Pointing at the place
that is most often in a box takes no look at the image at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sitegen.evaluation.explanations.localisation.maps import Compared, compared, peak
from sitegen.evaluation.explanations.localisation.regions import Boxes, Frame, Point, inside_of

GRID = 256  # cells along each side of the whole image


@dataclass(frozen=True)
class Drawn:
    """The boxes of one finding in one image, in shares of the whole image, and whose image it is."""

    finding: str
    patient: str
    boxes: Boxes


class UsualPlaces:
    """The boxes of many images, from which each patient's own are left out when they are asked for that patient."""

    def __init__(self, known: Sequence[Drawn]) -> None:
        self._known: dict[str, list[Drawn]] = {}
        for each in known:
            self._known.setdefault(each.finding, []).append(each)
        self._heats = {finding: _heat(drawn) for finding, drawn in self._known.items()}

    def heat(self, finding: str, patient: str) -> NDArray[np.float64] | None:
        """Return how often (0..1) each place [GRID, GRID] of the whole image is in a box; None where nothing is
        known."""
        others = self.others(finding, patient)
        if not others:
            return None
        own = [each for each in self._known[finding] if each.patient == patient]
        return np.asarray((self._heats[finding] - _heat(own)) / len(others))

    def others(self, finding: str, patient: str) -> list[Drawn]:
        """Return the boxes of the finding in images of other patients."""
        return [each for each in self._known.get(finding, ()) if each.patient != patient]

    def point(self, finding: str, patient: str, frame: Frame) -> Point | None:
        """Return the place most often in a box, in shares of the square of `frame`; None where nothing is known."""
        heat = self.heat(finding, patient)
        place = None if heat is None else peak(heat)
        return None if place is None else frame.point(place)

    def share_inside(self, finding: str, patient: str, frame: Frame, drawn: Boxes) -> float:
        """Return which share of the mean picture, within the square, lies in these boxes (in shares of the square).

        NaN where nothing is known, or lies in the square.
        """
        heat = self.heat(finding, patient)
        if heat is None:
            return float("nan")
        square = np.array([[0.0, 0.0, 1.0, 1.0]])
        seen, inside = (float(heat[inside_of(_whole(each, frame), (GRID, GRID))].sum()) for each in (square, drawn))
        return inside / seen if seen else float("nan")

    def compared(self, finding: str, patient: str, frame: Frame, drawn: Boxes) -> Compared | None:
        """Return what the boxes of other patients are worth here, on average over their images."""
        found = [compared(frame.boxes(each.boxes), drawn) for each in self.others(finding, patient)]
        if not found:
            return None
        names = ("iou", "iou_false", "iobb", "iobb_false")
        return Compared(*(np.mean([getattr(each, name) for each in found], axis=0) for name in names))


def _heat(drawn: Sequence[Drawn]) -> NDArray[np.float64]:
    total = np.zeros((GRID, GRID))
    for each in drawn:
        total += inside_of(each.boxes, (GRID, GRID))
    return total


def _whole(boxes: Boxes, frame: Frame) -> Boxes:
    """Boxes of the square, in shares of the whole image."""
    return np.asarray(boxes * ([frame.width, frame.height] * 2) + [frame.left, frame.top] * 2)
