"""Counts and ratios against scikit-learn, plain and weighted."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import accuracy_score, precision_recall_fscore_support
from sklearn.utils.class_weight import compute_class_weight, compute_sample_weight

from sitegen.metrics import (
    balanced_weights,
    binary_scores,
    class_weights,
    count_outcomes,
    exact_match,
    finding_scores,
    predictive_values,
)
from sitegen.metrics.score_averages import Ratios
from tests.helpers.scored_examples import several

DECISIONS = st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(1, 8)), min_size=1, max_size=30)


def sklearn_ratios(
    targets: np.ndarray, predicted: np.ndarray, average: str | None, weights: np.ndarray | None = None
) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UndefinedMetricWarning)
        return precision_recall_fscore_support(targets, predicted, average=average, sample_weight=weights)[:3]


def test_counts_of_a_worked_example() -> None:
    counts = count_outcomes([1, 1, 1, 0, 0, 1], [1, 1, 0, 0, 1, None], [1, 1, 2, 3, 4, 9])
    outcomes = (counts.true_positives, counts.false_positives, counts.true_negatives, counts.false_negatives)
    assert outcomes == (2, 2, 3, 4)
    assert counts.accuracy == pytest.approx(5 / 11)
    assert counts.precision == 0.5
    assert counts.recall == pytest.approx(1 / 3)
    assert counts.specificity == 0.6
    assert counts.f1 == pytest.approx(0.4)
    assert (counts.total, counts.support) == (11, 6)


def test_counts_by_finding_and_by_image() -> None:
    predicted = [[1, 0], [1, 1], [0, 0]]
    targets: list[list[float | None]] = [[1, 1], [0, 1], [None, 0]]
    by_finding = count_outcomes(predicted, targets, axis=0)
    assert by_finding.true_positives.tolist() == [1, 1]
    assert by_finding.false_positives.tolist() == [1, 0]
    assert by_finding.total.tolist() == [2, 3]
    by_image = count_outcomes(predicted, targets, axis=1)
    assert by_image.true_positives.tolist() == [1, 1, 0]
    assert by_image.total.tolist() == [2, 2, 1]


def test_ratios_of_nothing_are_0() -> None:
    counts = count_outcomes([0, 0], [0, 0])
    assert (counts.precision, counts.recall, counts.f1, counts.accuracy) == (0, 0, 0, 1)


@given(DECISIONS)
def test_binary_scores_equal_scikit_learns(rows: list[tuple[bool, bool, int]]) -> None:
    predicted, targets, weights = (np.array(part) for part in zip(*rows, strict=True))
    for weight in (None, weights / 4):
        found = binary_scores(predicted, targets, weight)
        accuracy = accuracy_score(targets, predicted, sample_weight=weight)
        for average in ("binary", "micro", "weighted"):
            expected = sklearn_ratios(targets, predicted, average, weight)
            ratios = found[average]
            assert (ratios.precision, ratios.recall, ratios.f1) == pytest.approx(expected, abs=1e-12), average
        assert found["binary"].accuracy == pytest.approx(accuracy, abs=1e-12)
        assert found["micro"].accuracy == pytest.approx(accuracy, abs=1e-12)
        assert found["macro"].accuracy == pytest.approx(accuracy, abs=1e-12)
        if len(set(targets)) == 2:
            expected = sklearn_ratios(targets, predicted, "macro", weight)
            ratios = found["macro"]
            assert (ratios.precision, ratios.recall, ratios.f1) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("balanced", [False, True])
@pytest.mark.parametrize("average", ["micro", "macro", "weighted", "samples"])
@pytest.mark.parametrize("seed", range(10))
def test_scores_of_several_findings_equal_scikit_learns(seed: int, average: str, balanced: bool) -> None:
    scores, targets = several(seed)
    predicted = scores >= 0.6
    weights = compute_sample_weight("balanced", targets[:, 0]) if balanced else None
    ratios = finding_scores(predicted, targets, weights)[average]
    expected = sklearn_ratios(targets, predicted, average, weights)
    assert (ratios.precision, ratios.recall, ratios.f1) == pytest.approx(expected, abs=1e-12)
    if average != "weighted":
        cells = np.average((predicted == targets).mean(axis=1), weights=weights)
        assert ratios.accuracy == pytest.approx(cells, abs=1e-12)
    assert exact_match(predicted, targets, weights) == pytest.approx(
        accuracy_score(targets, predicted, sample_weight=weights), abs=1e-12
    )


def test_weighted_accuracy_weights_findings_by_their_positives() -> None:
    # The first finding has 3 positives and accuracy 1, the second 1 and accuracy 1/2.
    predicted, targets = [[1, 0], [1, 0], [1, 1], [0, 0]], [[1, 1], [1, 0], [1, 0], [0, 0]]
    assert finding_scores(predicted, targets)["weighted"].accuracy == pytest.approx((3 * 1 + 1 * 0.5) / 4)


def test_unknown_targets_take_no_part() -> None:
    predicted = [[1, 0, 1], [0, 1, 1], [1, 1, 0]]
    targets: list[list[float | None]] = [[1, 0, None], [0, 0, None], [None, None, None]]
    expected = finding_scores([[1, 0], [0, 1]], [[1, 0], [0, 0]])
    found = finding_scores(predicted, targets)
    assert found == expected
    assert exact_match(predicted, targets) == 0.5


def test_weights_of_targets_make_the_classes_of_every_finding_count_alike() -> None:
    scores, targets = several(7)
    predicted = scores >= 0.5
    columns = [
        binary_scores(predicted[:, k], targets[:, k], compute_sample_weight("balanced", targets[:, k]))["binary"].f1
        for k in range(4)
    ]
    assert finding_scores(predicted, targets, balanced_weights(targets))["macro"].f1 == pytest.approx(
        np.mean(columns), abs=1e-12
    )


@pytest.mark.parametrize("average", [binary_scores, lambda p, t: finding_scores(np.c_[p], np.c_[t]), exact_match])
def test_nothing_known_is_an_error(average: Callable[..., dict[str, Ratios]] | Callable[..., float]) -> None:
    arguments = ([[1]], [[None]]) if average is exact_match else ([1, 0], [np.nan, np.nan])
    with pytest.raises(ValueError, match="nothing known"):
        average(*arguments)


def test_the_right_number_of_dimensions_is_asked_for() -> None:
    with pytest.raises(ValueError, match="see `finding_scores`"):
        binary_scores([[1]], [[1]])
    with pytest.raises(ValueError, match="see `binary_scores`"):
        finding_scores([1], [1])


def test_class_weights_of_the_app_paper() -> None:
    # Eq. 2.1 there: the classes of its validation images have the weights 0.5566 and 4.902, so 0.102 are positive.
    weights = class_weights(["All others"] * 898 + ["Pneumothorax"] * 102)
    assert weights == {"All others": pytest.approx(0.5568, abs=1e-4), "Pneumothorax": pytest.approx(4.902, abs=1e-3)}


@given(st.lists(st.sampled_from("abc"), min_size=1))
def test_class_weights_equal_scikit_learns(classes: list[str]) -> None:
    names = np.unique(classes)
    expected = compute_class_weight("balanced", classes=names, y=np.array(classes))
    assert class_weights(classes) == pytest.approx(dict(zip(names.tolist(), expected, strict=True)), abs=1e-12)


@given(st.lists(st.booleans(), min_size=1))
def test_balanced_weights_equal_scikit_learns(targets: list[bool]) -> None:
    expected = compute_sample_weight("balanced", targets)
    assert balanced_weights(targets) == pytest.approx(expected, abs=1e-12)


def test_balanced_weights_of_unknown_targets_are_0() -> None:
    assert balanced_weights([1, 0, 0, 0, None]).tolist() == [2, 2 / 3, 2 / 3, 2 / 3, 0]
    targets: list[list[float | None]] = [[1, 1], [0, None], [0, 1]]
    columns = balanced_weights(targets)
    assert columns.tolist() == [[1.5, 1], [0.75, 0], [0.75, 1]]
    assert balanced_weights([None]).tolist() == [0]
    with pytest.raises(ValueError, match="no examples"):
        class_weights([])


def test_predictive_values_of_a_rare_disease() -> None:
    # Of 1000 people 10 are ill: 9 of them are found, and 99 of the others.
    values = predictive_values(0.9, 0.9, 0.01)
    assert values.positive == pytest.approx(9 / 108)
    assert values.negative == pytest.approx(891 / 892)


def test_predictive_values_at_the_tests_own_prevalence_are_precision() -> None:
    predicted, targets = [1, 1, 0, 0, 1, 0, 0], [1, 0, 1, 0, 1, 0, 0]
    counts = count_outcomes(predicted, targets)
    values = predictive_values(float(counts.recall), float(counts.specificity), 3 / 7)
    assert values.positive == pytest.approx(float(counts.precision), abs=1e-12)
    assert values.negative == pytest.approx(3 / 4, abs=1e-12)


def test_decisions_that_are_as_often_wrong_as_right() -> None:
    values = predictive_values(0.5, 0.5, 0.5)
    assert (values.positive, values.negative) == (0.5, 0.5)


def test_decisions_that_never_fall_have_no_predictive_value() -> None:
    assert predictive_values(0.0, 1.0, 0.1).positive is None
    assert predictive_values(1.0, 0.0, 0.1).negative is None
    with pytest.raises(ValueError, match="prevalence must lie in"):
        predictive_values(0.9, 0.9, 3)
