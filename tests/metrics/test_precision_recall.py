import numpy as np
import pytest
from hypothesis import given
from sklearn.metrics import average_precision_score
from sklearn.metrics import precision_recall_curve as sklearn_curve

from sitegen.metrics import average_precision, iso_f1, precision_recall_curve
from tests.helpers.scored_examples import scored, weighted


def test_a_worked_example() -> None:
    curve = precision_recall_curve([0.8, 0.6, 0.4, 0.2], [1, 0, 1, 0])
    assert curve.thresholds.tolist() == [np.inf, 0.8, 0.6, 0.4, 0.2]
    assert curve.precision == pytest.approx([1, 1, 1 / 2, 2 / 3, 1 / 2])
    assert curve.recall.tolist() == [0, 0.5, 0.5, 1, 1]
    # Half of the recall comes at precision 1, half at 2/3.
    assert curve.average_precision == pytest.approx(5 / 6)


@given(weighted())
def test_the_curve_equals_scikit_learns(example: tuple[np.ndarray, ...]) -> None:
    scores, targets, weights = example
    precision, recall, thresholds = sklearn_curve(targets, scores, sample_weight=weights)
    curve = precision_recall_curve(scores, targets, weights)
    np.testing.assert_allclose(curve.precision[::-1], precision, rtol=0, atol=1e-12)
    np.testing.assert_allclose(curve.recall[::-1], recall, rtol=0, atol=1e-12)
    np.testing.assert_array_equal(curve.thresholds[:0:-1], thresholds)


@given(weighted())
def test_weighted_average_precision_equals_scikit_learns(example: tuple[np.ndarray, ...]) -> None:
    scores, targets, weights = example
    expected = average_precision_score(targets, scores, sample_weight=weights)
    assert average_precision(scores, targets, weights) == pytest.approx(expected, abs=1e-12)


@given(scored())
def test_average_precision_equals_scikit_learns(example: tuple[np.ndarray, np.ndarray]) -> None:
    scores, targets = example
    assert average_precision(scores, targets) == pytest.approx(average_precision_score(targets, scores), abs=1e-12)


def test_positives_alone_are_found_precisely() -> None:
    assert average_precision([0.3], [1]) == 1.0


def test_without_a_positive_there_is_no_recall() -> None:
    with pytest.raises(ValueError, match="without a positive"):
        average_precision([0.3, 0.4], [0, None])


def test_iso_f1_lines() -> None:
    # F1 of precision 0.5 and recall 0.5 is 0.5; recall 1 needs precision 1/3, recall 1/3 precision 1.
    assert iso_f1(0.5, [0.5, 1.0, 1 / 3]) == pytest.approx([0.5, 1 / 3, 1.0])
    assert np.isnan(iso_f1(0.5, [0.0, 0.25, 0.3])).all()
    with pytest.raises(ValueError, match="between 0 and 1"):
        iso_f1(1.0, [0.5])


def test_an_iso_line_ends_at_a_precision_of_one_and_not_above() -> None:
    ends = np.array([iso_f1(f1, [f1 / (2 - f1)])[0] for f1 in np.arange(1, 100) / 100])
    assert ends == pytest.approx(np.ones(99), abs=1e-12)
    assert ends.max() == 1


def test_points_of_an_iso_line_have_that_f1() -> None:
    recall = np.linspace(0.45, 1, 50)
    precision = iso_f1(0.6, recall)
    assert 2 * precision * recall / (precision + recall) == pytest.approx(np.full(50, 0.6), abs=1e-12)
