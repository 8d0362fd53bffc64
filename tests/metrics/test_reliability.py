from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss

from sitegen.metrics import (
    brier_score,
    calibration_error_by_chance,
    expected_calibration_error,
    reliability_diagram,
)
from tests.helpers.documents import read
from tests.helpers.scored_examples import scored


def test_a_worked_example() -> None:
    diagram = reliability_diagram([0.1, 0.3, 0.6, 0.8], [0, 1, 1, 1], bins=2)
    assert [(part.images, part.predicted, part.observed) for part in diagram] == [
        (2, pytest.approx(0.2), 0.5),
        (2, pytest.approx(0.7), 1.0),
    ]
    # Half of the images are off by 0.3, half by 0.3.
    assert expected_calibration_error([0.1, 0.3, 0.6, 0.8], [0, 1, 1, 1], bins=2) == pytest.approx(0.3)


@pytest.mark.parametrize("bins", [5, 10, 20])
def test_bins_of_distinct_probabilities_are_scikit_learns_quantile_bins(bins: int) -> None:
    rng = np.random.default_rng(bins)
    probabilities, targets = rng.random(400), rng.random(400) < 0.4
    observed, predicted = calibration_curve(targets, probabilities, n_bins=bins, strategy="quantile")
    diagram = reliability_diagram(probabilities, targets, bins=bins)
    assert [part.observed for part in diagram] == pytest.approx(observed.tolist(), abs=1e-12)
    assert [part.predicted for part in diagram] == pytest.approx(predicted.tolist(), abs=1e-12)
    assert {part.images for part in diagram} == {400 // bins}
    error = np.mean(np.abs(observed - predicted))
    assert expected_calibration_error(probabilities, targets, bins=bins) == pytest.approx(error, abs=1e-12)


@given(scored(), st.integers(1, 20))
def test_no_image_is_lost_and_ties_stay_together(example: tuple[np.ndarray, np.ndarray], bins: int) -> None:
    probabilities, targets = example
    diagram = reliability_diagram(probabilities, targets, bins=bins)
    assert len(diagram) <= bins
    assert sum(part.images for part in diagram) == len(probabilities)
    assert sum(part.images * part.observed for part in diagram) == pytest.approx(targets.sum())
    assert sum(part.images * part.predicted for part in diagram) == pytest.approx(probabilities.sum())
    predicted = [part.predicted for part in diagram]
    assert predicted == sorted(set(predicted))
    assert 0 <= expected_calibration_error(probabilities, targets, bins=bins) <= 1


def test_images_of_one_probability_make_one_bin() -> None:
    (only,) = reliability_diagram([0.25] * 8, [1, 1, 0, 0, 0, 0, 0, 0])
    assert (only.images, only.predicted, only.observed) == (8, 0.25, 0.25)


def test_one_image() -> None:
    assert expected_calibration_error([0.3], [1]) == pytest.approx(0.7)
    assert brier_score([0.3], [1]) == pytest.approx(0.49)


@pytest.mark.parametrize("target", [0, 1])
def test_one_class_is_enough(target: int) -> None:
    assert expected_calibration_error([0.5, 0.5], [target] * 2) == 0.5
    assert brier_score([0.5, 0.5], [target] * 2) == 0.25


@pytest.mark.parametrize(("positives", "images"), [(0, 5), (3, 10), (40, 50), (7, 7)])
def test_the_interval_is_wilsons(positives: int, images: int) -> None:
    (part,) = reliability_diagram([0.5] * images, [1] * positives + [0] * (images - positives))
    expected = binomtest(positives, images).proportion_ci(method="wilson")
    assert (part.low, part.high) == pytest.approx((expected.low, expected.high), abs=1e-12)


@pytest.mark.parametrize(
    ("weights", "positives", "equal"),
    [
        ([3, 1, 1, 1], [0, 1, 1, 0], (1, 3)),  # 6^2 / (9 + 3) = 3 equal images, and 2 of 6 of the weight
        ([3, 3, 1, 1, 1, 1, 1, 1], [1, 0, 1, 0, 0, 0, 0, 0], (2, 6)),  # 12^2 / (18 + 6) = 6, and 4 of 12
        ([7, 7, 7, 7, 7], [1, 0, 0, 0, 0], (1, 5)),  # equal weights are worth no more than their images
    ],
)
def test_the_interval_is_wilsons_of_as_many_equal_images(
    weights: list[int], positives: list[int], equal: tuple[int, int]
) -> None:
    (part,) = reliability_diagram([0.5] * len(weights), positives, weights)
    expected = binomtest(*equal).proportion_ci(method="wilson")
    assert (part.low, part.high) == pytest.approx((expected.low, expected.high), abs=1e-12)
    assert (part.images, part.weight) == (len(weights), sum(weights))


def test_weights_count_like_repetitions() -> None:
    rng = np.random.default_rng(8)
    probabilities, targets = rng.integers(0, 9, 30) / 8, rng.random(30) < 0.5
    counts = rng.integers(1, 4, 30)
    repeated = np.repeat(probabilities, counts), np.repeat(targets, counts)
    for measure in (brier_score, expected_calibration_error):
        assert measure(probabilities, targets, counts) == pytest.approx(measure(*repeated), abs=1e-12)


@given(scored())
def test_brier_score_equals_scikit_learns(example: tuple[np.ndarray, np.ndarray]) -> None:
    probabilities, targets = example
    assert brier_score(probabilities, targets) == pytest.approx(brier_score_loss(targets, probabilities), abs=1e-12)


def test_a_calibrated_model_has_a_small_error_and_an_overconfident_one_has_not() -> None:
    rng = np.random.default_rng(4)
    probabilities = rng.random(20_000)
    targets = rng.random(20_000) < probabilities
    assert expected_calibration_error(probabilities, targets) < 0.015
    assert expected_calibration_error(np.round(probabilities), targets) == pytest.approx(0.25, abs=0.01)


@pytest.mark.parametrize(
    ("probabilities", "targets", "weights", "bins", "message"),
    [
        ([1.5, 0.5], [1, 0], None, 10, "must lie in 0..1, not at 1.5"),
        ([0.5, 0.5], [1, 0], None, 0, "one bin at least, not 0"),
        ([0.5, 0.5], [1, 0], [0, 0], 10, "all weights are 0"),
        ([0.5, np.nan], [1, 0], None, 10, r"scores\[1\] is nan"),
    ],
)
def test_what_is_wrong_is_said(
    probabilities: list[float], targets: list[int], weights: list[int] | None, bins: int, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        reliability_diagram(probabilities, targets, weights, bins)


def test_the_error_that_chance_alone_makes() -> None:
    assert calibration_error_by_chance([0.0, 1.0, 1.0]) == 0  # nothing is left to chance
    assert calibration_error_by_chance([0.5]) == 0.5
    # Two images in one bin: both have it, one, or none, so that the mean distance is (1/4 + 1/4) * 0.5.
    assert calibration_error_by_chance([0.5, 0.5], draws=20_000) == pytest.approx(0.25, abs=0.005)
    # By weights 3 and 1 the shares are 0, 1/4, 3/4 and 1, a quarter of the draws each.
    found = calibration_error_by_chance([0.5, 0.5], [3, 1], draws=20_000)
    assert found == pytest.approx((0.5 + 0.25 + 0.25 + 0.5) / 4, abs=0.005)


def test_chance_is_measured_in_the_bins_of_the_error() -> None:
    # The middle image lies just where the second of two bins begins.
    probabilities = [0.1, 0.5, 0.6]
    expected = 0.0
    for targets in product([0, 1], repeat=3):
        chance = np.prod([p if target else 1 - p for p, target in zip(probabilities, targets, strict=True)])
        expected += float(chance) * expected_calibration_error(probabilities, targets, bins=2)
    assert expected == pytest.approx(0.24, abs=1e-12)
    # A draw's error lies in 0..1; so the deviation of a mean of 20,000 is at most 0.5 / sqrt(20,000) = 0.0035.
    found = calibration_error_by_chance(probabilities, bins=2, draws=20_000)
    assert found == pytest.approx(expected, abs=4 * 0.0035)


def test_what_is_done_unless_told_is_what_is_documented() -> None:
    rng = np.random.default_rng(6)
    probabilities, targets = rng.random(300), rng.random(300) < 0.5
    assert len(reliability_diagram(probabilities, targets)) == 15
    told = calibration_error_by_chance(probabilities, bins=15, draws=200, seed=0)
    assert calibration_error_by_chance(probabilities) == told
    text = read("docs/metrics.md")
    assert "bins of equal counts (15 unless told)" in text
    assert "its mean over 200 draws of targets" in text


def test_chance_is_what_drawn_targets_show() -> None:
    rng = np.random.default_rng(5)
    probabilities = rng.random(120) ** 2
    drawn = [expected_calibration_error(probabilities, rng.random(120) < probabilities) for _ in range(400)]
    assert calibration_error_by_chance(probabilities, draws=400) == pytest.approx(np.mean(drawn), abs=0.004)
    assert calibration_error_by_chance(np.tile(probabilities, 40)) < calibration_error_by_chance(probabilities) / 4
