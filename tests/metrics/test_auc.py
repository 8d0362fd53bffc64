from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score, roc_curve

from sitegen.metrics import auc, bootstrap_interval, operating_point


def labelled_scores(min_each: int = 1) -> st.SearchStrategy[tuple[np.ndarray, np.ndarray]]:
    """Scores with ties, and targets with both classes."""
    pairs = st.lists(st.tuples(st.integers(0, 12), st.booleans()), min_size=2, max_size=40)
    both = pairs.filter(lambda rows: min(sum(t for _, t in rows), sum(not t for _, t in rows)) >= min_each)
    return both.map(lambda rows: (np.array([s / 12 for s, _ in rows]), np.array([t for _, t in rows])))


def test_auc_of_a_worked_example() -> None:
    # Pairs (positive, negative): 0.9 beats both, 0.4 beats 0.1 and ties with 0.4.
    assert auc(np.array([0.9, 0.4, 0.4, 0.1]), np.array([True, True, False, False])) == 0.875


@given(labelled_scores())
def test_auc_equals_scikit_learn(example: Any) -> None:
    scores, targets = example
    assert auc(scores, targets) == pytest.approx(roc_auc_score(targets, scores), abs=1e-12)


def test_auc_needs_both_classes() -> None:
    with pytest.raises(ValueError, match="positives and negatives"):
        auc(np.array([0.1, 0.2]), np.array([True, True]))


def test_operating_point_of_a_worked_example() -> None:
    scores = np.array([0.9, 0.8, 0.6, 0.3, 0.2])
    targets = np.array([True, True, False, True, False])
    point = operating_point(scores, targets)
    # 0.8 and up: 2/3 - 0 = 0.67; 0.3 and up: 1 - 1/2. Halfway between 0.8 and 0.6.
    assert point.threshold == pytest.approx(0.7)
    assert (point.sensitivity, point.false_positive_rate) == pytest.approx((2 / 3, 0.0))


@given(labelled_scores())
def test_operating_point_reaches_the_best_of_scikit_learns_curve(example: Any) -> None:
    scores, targets = example
    false_positives, sensitivity, _ = roc_curve(targets, scores, drop_intermediate=False)
    point = operating_point(scores, targets)
    found = scores >= point.threshold
    assert found[targets].mean() == pytest.approx(point.sensitivity)
    assert found[~targets].mean() == pytest.approx(point.false_positive_rate)
    # The empty prediction at an infinite threshold is no operating point, so the best can be below 0.
    assert point.sensitivity - point.false_positive_rate == pytest.approx(
        (sensitivity - false_positives)[1:].max(), abs=1e-12
    )


def test_weights_count_like_repetitions() -> None:
    scores = np.array([0.9, 0.7, 0.5, 0.4, 0.2])
    targets = np.array([True, False, True, True, False])
    counts = np.array([1, 3, 1, 2, 5])
    repeated = operating_point(np.repeat(scores, counts), np.repeat(targets, counts))
    assert operating_point(scores, targets, counts.astype(float)) == repeated


def test_bootstrap_interval_of_a_mean_agrees_with_theory() -> None:
    values = np.random.default_rng(3).normal(5.0, 2.0, 400)
    interval = bootstrap_interval(lambda drawn: float(values[drawn].mean()), [f"p{index}" for index in range(400)])
    error = 1.96 * values.std() / 20
    assert interval.value == pytest.approx(values.mean())
    assert interval.low == pytest.approx(values.mean() - error, abs=0.04)
    assert interval.high == pytest.approx(values.mean() + error, abs=0.04)


def test_bootstrap_draws_whole_patients() -> None:
    # Four copies of each value: as independent examples the interval would be half as wide.
    values = np.random.default_rng(4).normal(size=100)
    copies = np.repeat(values, 4)
    patients = [f"p{index // 4}" for index in range(400)]
    clustered = bootstrap_interval(lambda drawn: float(copies[drawn].mean()), patients)
    alone = bootstrap_interval(lambda drawn: float(values[drawn].mean()), [f"p{index}" for index in range(100)])
    assert clustered.high - clustered.low == pytest.approx(alone.high - alone.low, rel=0.15)


def test_bootstrap_gives_up_where_the_statistic_never_exists() -> None:
    def never(drawn: Any) -> float:
        raise ValueError("one class")

    with pytest.raises(ValueError, match="one class"):
        bootstrap_interval(never, ["a", "b"], resamples=10)
