from collections.abc import Callable

import numpy as np
import pytest

from sitegen.metrics import (
    auc,
    average_precision,
    brier_score,
    count_outcomes,
    examples,
    expected_calibration_error,
    known_targets,
    operating_point,
)
from sitegen.metrics.roc import OperatingPoint


def test_unknown_targets_are_none_or_nan() -> None:
    known, positive = known_targets([1, 0, None, float("nan"), True, 0.0])
    assert known.tolist() == [True, True, False, False, True, True]
    assert positive.tolist() == [True, False, False, False, True, False]


def test_examples_without_a_target_are_left_out() -> None:
    given = examples([0.5, 0.25, 0.75], [1, None, 0], [1.0, 5.0, 2.0])
    assert given.scores.tolist() == [0.5, 0.75]
    assert given.targets.tolist() == [True, False]
    assert given.weights.tolist() == [1.0, 2.0]
    assert given.known.tolist() == [True, False, True]
    assert (given.positives, given.negatives) == (1.0, 2.0)


@pytest.mark.parametrize("statistic", [auc, average_precision, brier_score, expected_calibration_error])
def test_unknown_targets_change_nothing(statistic: Callable[..., float]) -> None:
    scores, targets = [0.9, 0.3, 0.6, 0.2, 0.8], [1, 0, 0, 1, None]
    assert statistic(scores, targets) == statistic(scores[:4], targets[:4])


def test_unknown_targets_do_not_move_the_operating_point() -> None:
    assert operating_point([0.9, 0.3, 0.5], [1, 0, np.nan]) == operating_point([0.9, 0.3], [1, 0])


@pytest.mark.parametrize(
    ("scores", "targets", "weights", "message"),
    [
        ([0.5, np.nan], [1, 0], None, r"scores must be finite, but scores\[1\] is nan"),
        ([0.5, np.inf], [1, 0], None, r"scores\[1\] is inf"),
        ([0.5, np.nan], [1, None], None, r"scores\[1\] is nan"),
        ([0.5, 0.5], [1, 2], None, "targets are 0, 1, or NaN where unknown, not 2"),
        ([0.5, 0.5], [1, 0], [1.0, np.nan], r"weights\[1\] is nan"),
        ([0.5, 0.5], [1, 0], [1.0, -1.0], "weights must not be negative, but the smallest is -1"),
        ([0.5, 0.5], [1], None, "one value for each example"),
        ([0.5, 0.5], [1, 0], [1.0], "one value for each example"),
        ([[0.5, 0.5]], [[1, 0]], None, "in one dimension"),
        ([0.5, 0.5], [None, None], None, "none of the targets is known"),
        ([], [], None, "none of the targets is known"),
    ],
)
def test_what_is_wrong_is_said(
    scores: list[float], targets: list[int | None], weights: list[float] | None, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        examples(scores, targets, weights)


@pytest.mark.parametrize("targets", [[1, 1], [0, 0], [1, None], [0, None]])
@pytest.mark.parametrize("statistic", [auc, operating_point])
def test_both_classes_are_needed(
    statistic: Callable[..., float] | Callable[..., OperatingPoint], targets: list[int | None]
) -> None:
    with pytest.raises(ValueError, match="positives and negatives are both needed"):
        statistic([0.5, 0.25], targets)


def test_a_class_of_no_weight_is_missing() -> None:
    with pytest.raises(ValueError, match="not 0 and 1 of them"):
        auc([0.5, 0.25], [1, 0], [0.0, 1.0])


def test_outcomes_must_have_one_shape() -> None:
    with pytest.raises(ValueError, match="one shape"):
        count_outcomes([True], [1, 0])
    with pytest.raises(ValueError, match="one for each image or target"):
        count_outcomes([True, False], [1, 0], [1.0])
