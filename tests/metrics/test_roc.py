import numpy as np
import pytest
from hypothesis import given
from sklearn.metrics import roc_auc_score
from sklearn.metrics import roc_curve as sklearn_roc_curve

from sitegen.metrics import auc, operating_point, roc_curve
from tests.helpers.scored_examples import scored, weighted


def test_a_worked_example() -> None:
    # Thresholds fall: 0.8 finds a positive, 0.4 a positive and a negative, 0.2 the last negative.
    curve = roc_curve([0.8, 0.4, 0.4, 0.2], [1, 1, 0, 0])
    assert curve.thresholds.tolist() == [np.inf, 0.8, 0.4, 0.2]
    assert curve.true_positive_rate.tolist() == [0.0, 0.5, 1.0, 1.0]
    assert curve.false_positive_rate.tolist() == [0.0, 0.0, 0.5, 1.0]
    assert curve.area == 0.875


@given(weighted())
def test_the_curve_equals_scikit_learns(example: tuple[np.ndarray, ...]) -> None:
    scores, targets, weights = example
    rates = sklearn_roc_curve(targets, scores, sample_weight=weights, drop_intermediate=False)
    curve = roc_curve(scores, targets, weights)
    np.testing.assert_allclose(curve.false_positive_rate, rates[0], rtol=0, atol=1e-12)
    np.testing.assert_allclose(curve.true_positive_rate, rates[1], rtol=0, atol=1e-12)
    np.testing.assert_array_equal(curve.thresholds, rates[2])


@given(weighted())
def test_the_weighted_area_equals_scikit_learns(example: tuple[np.ndarray, ...]) -> None:
    scores, targets, weights = example
    expected = roc_auc_score(targets, scores, sample_weight=weights)
    assert auc(scores, targets, weights) == pytest.approx(expected, abs=1e-12)
    assert roc_curve(scores, targets, weights).area == pytest.approx(expected, abs=1e-12)


@given(scored())
def test_the_operating_point_is_scikit_learns(example: tuple[np.ndarray, np.ndarray]) -> None:
    scores, targets = example
    false_positive_rate, true_positive_rate, thresholds = sklearn_roc_curve(targets, scores, drop_intermediate=False)
    distance = (true_positive_rate - false_positive_rate)[1:]
    # Of equal maxima the first; rounding in the difference must not choose between them.
    best = 1 + int(np.argmax(distance > distance.max() - 1e-12))
    point = operating_point(scores, targets)
    assert point.score == thresholds[best]
    assert point.sensitivity == pytest.approx(true_positive_rate[best], abs=1e-12)
    assert point.false_positive_rate == pytest.approx(false_positive_rate[best], abs=1e-12)


def test_of_equal_maxima_the_highest_threshold_is_chosen() -> None:
    # J is 1/3 at 0.9 and, as a difference of rounded rates, a little more at 0.3 (1 - 2/3).
    point = operating_point([0.9, 0.7, 0.5, 0.4, 0.3, 0.1], [1, 0, 1, 0, 1, 0])
    assert (point.score, point.threshold) == (0.9, 0.8)


def test_a_threshold_never_falls_onto_the_score_below() -> None:
    above = np.nextafter(0.5, 1)
    point = operating_point([above, 0.5], [1, 0])
    assert point.threshold == above


@given(scored())
def test_corners_have_the_same_shape(example: tuple[np.ndarray, np.ndarray]) -> None:
    curve = roc_curve(*example)
    corners = curve.corners()
    assert corners.area == pytest.approx(curve.area, abs=1e-12)
    assert set(corners.thresholds) <= set(curve.thresholds)


def test_corners_leave_out_what_lies_halfway() -> None:
    corners = roc_curve([0.9, 0.8, 0.7, 0.6, 0.5, 0.4], [1, 1, 1, 0, 0, 0]).corners()
    assert corners.true_positive_rate.tolist() == [0.0, 1.0, 1.0]
    assert corners.false_positive_rate.tolist() == [0.0, 0.0, 1.0]
