"""Maps against planted boxes: one that is the box, one beside it, and what lies between."""

import numpy as np
import pytest

from sitegen.evaluation.explanations.localisation.maps import compared, heat_boxes, peak, share_inside
from sitegen.evaluation.explanations.localisation.measured import Answers, Row, add_map, of_others
from sitegen.evaluation.explanations.localisation.regions import Frame, as_boxes, inside_of

SHAPE = (20, 20)
BOX = as_boxes([(0.2, 0.4, 0.5, 0.8)])


def delta(row: int, column: int) -> np.ndarray:
    given = np.zeros(SHAPE)
    given[row, column] = 2.0
    return given


def answered(given: np.ndarray, boxes: np.ndarray = BOX) -> Answers:
    answers = Answers()
    add_map(answers, given, boxes)
    return answers


def test_a_map_that_is_the_box_has_1_everywhere() -> None:
    answers = answered(inside_of(BOX, SHAPE) * 3.5 - 1.0)  # what speaks against the finding does not count
    assert (answers.pointing, answers.energy) == ([1.0], [1.0])
    (boxes,) = answers.boxes
    assert boxes.iou.tolist() == [1.0] * 7
    assert boxes.iobb.tolist() == [1.0] * 5
    assert boxes.iou_false.tolist() == [0.0] * 7
    assert boxes.iobb_false.tolist() == [0.0] * 5


def test_a_place_outside_has_0_everywhere() -> None:
    answers = answered(delta(2, 17))
    assert (answers.pointing, answers.energy) == ([0.0], [0.0])
    (boxes,) = answers.boxes
    assert (boxes.iou.sum(), boxes.iobb.sum()) == (0, 0)
    assert boxes.iou_false.tolist() == [1.0] * 7


def test_a_single_cell_inside_points_there_and_is_a_small_box() -> None:
    (boxes,) = answered(delta(10, 6)).boxes
    assert boxes.iou.sum() == 0  # 1 of 48 cells
    assert boxes.iobb.tolist() == [1.0] * 5
    assert answered(delta(10, 6)).pointing == [1.0]


def test_an_empty_map_points_nowhere() -> None:
    answers = answered(np.full(SHAPE, -1.0))
    assert (answers.pointing, answers.energy, answers.points) == ([0.0], [0.0], [None])
    assert answers.boxes[0].iou_false.tolist() == [0.0] * 7


def test_a_hit_is_above_the_threshold() -> None:
    found = compared(as_boxes([(0.0, 0.0, 0.5, 0.5), (0.9, 0.9, 1.0, 1.0)]), as_boxes([(0.0, 0.0, 0.5, 1.0)]))
    assert found.iou.tolist() == [1, 1, 1, 1, 0, 0, 0]  # 0.5, which is not above 0.5
    assert found.iou_false.tolist() == [1, 1, 1, 1, 2, 2, 2]
    assert found.iobb.tolist() == [1, 1, 1, 1, 1]
    assert found.iobb_false.tolist() == [1, 1, 1, 1, 1]


def test_each_of_several_boxes_of_a_finding_can_be_hit() -> None:
    boxes = as_boxes([(0.0, 0.0, 0.2, 0.2), (0.2, 0.4, 0.5, 0.8)])
    given = inside_of(BOX, SHAPE).astype(float)
    answers = answered(given, boxes)
    assert (answers.pointing, answers.energy) == ([1.0], [1.0])
    assert answers.boxes[0].iou.tolist() == [1.0] * 7


def test_energy_is_the_share_inside() -> None:
    given = delta(10, 6) + 0.5 * delta(0, 0)
    assert share_inside(given, BOX) == pytest.approx(2 / 3)


def test_of_equal_places_the_one_in_their_middle_counts() -> None:
    given = np.zeros((5, 5))
    given[1:4, 2:5] = 1.0
    assert peak(given) == (0.7, 0.5)
    assert peak(np.zeros((3, 3))) is None


def test_boxes_around_regions_at_two_levels() -> None:
    given = np.zeros((10, 10))
    given[2:6, 2:6] = 0.3  # 76.5 of 255
    given[3, 3] = 1.0
    given[6, 6] = 0.24  # 61.2, touches at a corner
    given[9, 0] = 0.23  # 58.7
    np.testing.assert_allclose(heat_boxes(given), [[0.2, 0.2, 0.7, 0.7], [0.3, 0.3, 0.4, 0.4]])


def test_maps_of_other_patients_point_into_boxes_by_chance() -> None:
    frame = Frame()
    rows = [
        Row(patient, finding, True, BOX, 0.12, frame)
        for patient, finding in (("a", 0), ("a", 0), ("b", 0), ("c", 0), ("d", 1))
    ]
    points = [(0.3, 0.5), (0.9, 0.9), (0.3, 0.5), None, (0.3, 0.5)]
    np.testing.assert_allclose(of_others(rows, points), [0.5, 0.5, 1 / 3, 2 / 3, np.nan])
