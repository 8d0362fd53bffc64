"""The arithmetic of boxes, with literal answers."""

import numpy as np
import pytest

from sitegen.evaluation.explanations.localisation.regions import (
    Frame,
    as_boxes,
    covered,
    frame_of,
    holds,
    inside_of,
    overlaps,
)
from tests.helpers.runtime.models import centred_square

# A picture of 200 x 100 pixels: the square is its middle half.
WIDE = frame_of(centred_square(200, 100), 200, 100)


def test_the_square_of_a_wide_picture() -> None:
    assert Frame(0.25, 0.0, 0.5, 1.0) == WIDE
    assert frame_of(centred_square(100, 200, 0.5), 100, 200) == Frame(0.25, 0.375, 0.5, 0.25)


def test_boxes_are_brought_into_the_square_and_cut() -> None:
    boxes = as_boxes([(0.3, 0.2, 0.5, 0.4), (0.0, 0.5, 0.5, 1.0), (0.0, 0.0, 0.25, 1.0), (0.8, 0.0, 0.9, 0.1)])
    np.testing.assert_allclose(WIDE.boxes(boxes), [[0.1, 0.2, 0.5, 0.4], [0.0, 0.5, 0.5, 1.0]], atol=1e-12)
    assert WIDE.crossed(boxes) == 1
    assert WIDE.point((0.5, 0.5)) == (0.5, 0.5)
    assert WIDE.point((0.0, 0.1)) == (-0.5, 0.1)


def test_cells_are_inside_by_their_centres() -> None:
    cells = inside_of(as_boxes([(0.25, 0.0, 0.75, 0.5), (0.0, 0.76, 0.05, 0.8)]), (4, 4))
    assert cells.astype(int).tolist() == [[0, 1, 1, 0], [0, 1, 1, 0], [0, 0, 0, 0], [1, 0, 0, 0]]


def test_points_in_boxes() -> None:
    boxes = as_boxes([(0.0, 0.0, 0.2, 0.2), (0.5, 0.5, 1.0, 1.0)])
    assert [holds(boxes, point) for point in ((0.1, 0.1), (0.2, 0.2), (0.3, 0.1), (0.9, 0.6))] == [
        True,
        True,
        False,
        True,
    ]
    assert not holds(boxes, None)
    assert not holds(as_boxes([]), (0.5, 0.5))


def test_what_several_boxes_cover_counts_once() -> None:
    assert covered(as_boxes([(0.0, 0.0, 0.5, 0.5)])) == pytest.approx(0.25)
    assert covered(as_boxes([(0.0, 0.0, 0.5, 0.5), (0.25, 0.25, 0.75, 0.75)])) == pytest.approx(0.4375)
    assert covered(as_boxes([(0.0, 0.0, 0.5, 0.5), (0.1, 0.1, 0.4, 0.4)])) == pytest.approx(0.25)
    assert covered(as_boxes([])) == 0


def test_overlaps() -> None:
    found = as_boxes([(0.0, 0.0, 0.4, 0.4), (0.1, 0.1, 0.2, 0.2), (0.6, 0.6, 0.8, 0.8)])
    drawn = as_boxes([(0.2, 0.0, 0.6, 0.4), (0.0, 0.0, 0.4, 0.4)])
    union, own = overlaps(found, drawn)
    assert union.ravel().tolist() == pytest.approx([1 / 3, 1, 0, 1 / 16, 0, 0])
    assert own.ravel().tolist() == pytest.approx([1 / 2, 1, 0, 1, 0, 0])
