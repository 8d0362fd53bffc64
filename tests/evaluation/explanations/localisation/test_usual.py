"""Usual places: from other patients alone, brought into what the model sees."""

import numpy as np
import pytest

from sitegen.evaluation.explanations.localisation.regions import Frame, as_boxes
from sitegen.evaluation.explanations.localisation.usual import Drawn, UsualPlaces

WHOLE = Frame()
LEFT, RIGHT = as_boxes([(0.0, 0.25, 0.5, 0.75)]), as_boxes([(0.5, 0.25, 1.0, 0.75)])
PLACES = UsualPlaces(
    [Drawn("mass", "a", LEFT), Drawn("mass", "b", LEFT), Drawn("mass", "c", RIGHT), Drawn("nodule", "a", RIGHT)]
)


def test_the_place_most_often_in_a_box() -> None:
    x, y = PLACES.point("mass", "d", WHOLE) or (0, 0)
    assert (x, y) == pytest.approx((0.25, 0.5), abs=1 / 256)
    heat = PLACES.heat("mass", "d")
    assert heat is not None
    assert (heat[128, 10], heat[128, 250], heat[0, 0]) == pytest.approx((2 / 3, 1 / 3, 0))


def test_a_patients_own_boxes_are_left_out() -> None:
    heat = PLACES.heat("mass", "a")
    assert heat is not None
    assert (heat[128, 10], heat[128, 250]) == (0.5, 0.5)
    assert len(PLACES.others("mass", "c")) == 2
    assert PLACES.heat("nodule", "a") is None
    assert PLACES.point("nodule", "a", WHOLE) is None
    assert PLACES.compared("nodule", "a", WHOLE, LEFT) is None
    assert np.isnan(PLACES.share_inside("nodule", "a", WHOLE, LEFT))


def test_what_the_usual_place_is_worth() -> None:
    assert PLACES.share_inside("mass", "d", WHOLE, LEFT) == pytest.approx(2 / 3)
    found = PLACES.compared("mass", "d", WHOLE, LEFT)
    assert found is not None
    np.testing.assert_allclose(found.iou, [2 / 3] * 7)
    np.testing.assert_allclose(found.iou_false, [1 / 3] * 7)


def test_a_place_outside_of_the_square_is_outside() -> None:
    right_half = Frame(0.5, 0.0, 0.5, 1.0)
    x, _ = PLACES.point("mass", "d", right_half) or (0, 0)
    assert x == pytest.approx(-0.5, abs=1 / 128)
    whole = as_boxes([(0.0, 0.0, 1.0, 1.0)])
    assert PLACES.share_inside("mass", "d", right_half, whole) == 1.0
    found = PLACES.compared("mass", "c", right_half, whole)
    assert found is not None
    assert found.iou_false.sum() == 0  # boxes of the others lie outside of it: there are none
