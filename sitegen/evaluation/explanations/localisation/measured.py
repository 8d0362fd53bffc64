"""Every image with boxes looked at, and each of its maps compared with them: a row for each finding of each image.

    look(bundle, gathered, methods, force=False)     the rows, and what every map says of each

The maps are those of the methods, and four that take no look at the image: "random", "centre", "lungs" and "usual".
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sitegen.bundle import Bundle
from sitegen.data.audit.document_types import ProblemDocument
from sitegen.evaluation.explanations.graphs import Graphs, draw, open_graphs
from sitegen.evaluation.explanations.localisation.cases import Gathered
from sitegen.evaluation.explanations.localisation.maps import (
    IOBB,
    IOU,
    Compared,
    compared,
    heat_boxes,
    peak,
    share_inside,
)
from sitegen.evaluation.explanations.localisation.regions import Boxes, Frame, Point, covered, frame_of, holds
from sitegen.evaluation.explanations.localisation.usual import UsualPlaces
from sitegen.evaluation.explanations.seeing import see
from sitegen.evaluation.explanations.similarity import Map
from sitegen.prediction import Predictor

CENTRE: Point = (0.5, 0.5)
LUNGS: tuple[Point, Point] = ((0.3, 0.5), (0.7, 0.5))
RANDOM, MIDDLE, LUNG, USUAL = BASELINES = ("random", "centre", "lungs", "usual")
NOTHING = float("nan")  # what a baseline has no figure for


@dataclass(frozen=True)
class Row:
    """A finding of an image: whose it is, whether the model says yes to it, its boxes in shares of the square that the
    model sees, the share of the square that they cover, and that square's place in the whole image."""

    patient: str
    finding: int
    said_yes: bool
    boxes: Boxes
    area: float
    frame: Frame


@dataclass
class Answers:
    """What one map says of each row: does it point into a box (0..1), which share of it lies in boxes (0..1), and what
    its boxes are worth. `points` are its strongest places; NaN is what is not defined."""

    pointing: list[float] = field(default_factory=list)
    energy: list[float] = field(default_factory=list)
    boxes: list[Compared] = field(default_factory=list)
    points: list[Point | None] = field(default_factory=list)

    def add(self, pointing: float, energy: float, boxes: Compared | None, point: Point | None = None) -> None:
        """Take in what the map says of the next row."""
        self.pointing.append(pointing)
        self.energy.append(energy)
        self.boxes.append(boxes or _UNDEFINED)
        self.points.append(point)


@dataclass(frozen=True)
class Localised:
    """All rows, and what each map says of them, by its name; boxes outside of the square and cut by its border; images
    that could not be looked at."""

    rows: list[Row]
    answers: dict[str, Answers]
    outside: int
    cut: int
    problems: list[ProblemDocument]


def look(
    bundle: Bundle,
    gathered: Gathered,
    methods: Sequence[str],
    *,
    force: bool = False,
    done: Callable[[], object] = lambda: None,
    drawing: Callable[[Graphs, NDArray[np.float32], int, str], Map] = draw,
) -> Localised:
    """Return what the maps of each method say of all images with boxes; `done` is called after each image.

    `drawing` makes the maps, as `graphs.draw` does.

    Images that the gate refuses are left out, unless `force`. A finding whose boxes all lie outside of the square is no
    row. Raises BundleError where the bundle has no gradient graph.
    """
    graphs, predictor = open_graphs(bundle), Predictor(bundle)
    found = Localised([], {name: Answers() for name in (*methods, *BASELINES)}, 0, 0, [])
    labels, outside, cut = predictor.model.labels, 0, 0
    for image in gathered.images:
        seen = see(predictor, image.path, force=force)
        done()
        if isinstance(seen, str):
            found.problems.append({"file": str(image.path), "problem": seen})
            continue
        frame = frame_of(seen.square, seen.width, seen.height)
        for finding, drawn in image.drawn.items():
            boxes = frame.boxes(drawn)
            outside, cut = outside + len(drawn) - len(boxes), cut + frame.crossed(drawn)
            if not len(boxes):
                continue
            yes = seen.probability(finding) >= labels[finding].operating_point
            row = Row(image.patient, finding, yes, boxes, covered(boxes), frame)
            found.rows.append(row)
            _without_a_look(found.answers, row, gathered.usual, labels[finding].name.lower())
            for method in methods:
                add_map(found.answers[method], drawing(graphs, seen.image, finding, method), boxes)
    return Localised(found.rows, found.answers, outside, cut, found.problems)


def add_map(answers: Answers, given: Map, boxes: Boxes) -> None:
    """Take in what a map [H, W] says, against boxes in shares of it."""
    point = peak(given)
    answers.add(float(holds(boxes, point)), share_inside(given, boxes), compared(heat_boxes(given), boxes), point)


def of_others(rows: Sequence[Row], points: Sequence[Point | None]) -> NDArray[np.float64]:
    """Return for each row how often (0..1) the maps of the same finding in other patients' images would have pointed
    into its boxes: what pointing is worth without a look at this image. NaN where there are no others."""
    found = np.full(len(rows), NOTHING)
    for at, row in enumerate(rows):
        hits = [holds(row.boxes, points[other]) for other in _others(rows, row)]
        if hits:
            found[at] = np.mean(hits)
    return found


def _others(rows: Sequence[Row], row: Row) -> Iterator[int]:
    for at, other in enumerate(rows):
        if other.finding == row.finding and other.patient != row.patient:
            yield at


def _without_a_look(answers: dict[str, Answers], row: Row, usual: UsualPlaces, finding: str) -> None:
    """Take in what the baselines say: random points and even maps hit a box as often as it is large."""
    answers[RANDOM].add(row.area, row.area, None)
    answers[MIDDLE].add(float(holds(row.boxes, CENTRE)), NOTHING, None, CENTRE)
    answers[LUNG].add(float(np.mean([holds(row.boxes, point) for point in LUNGS])), NOTHING, None)
    asked = finding, row.patient, row.frame
    point = usual.point(*asked)
    pointing = NOTHING if point is None else float(holds(row.boxes, point))
    answers[USUAL].add(pointing, usual.share_inside(*asked, row.boxes), usual.compared(*asked, row.boxes), point)


_UNDEFINED = Compared(*(np.full(len(thresholds), NOTHING) for thresholds in (IOU, IOU, IOBB, IOBB)))
