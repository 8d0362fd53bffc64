"""From logit to calibrated probability: the sigmoid, and Eq. 1 of Chester."""

import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from sitegen_runtime.calibration import calibrate, piecewise_linear, sigmoid
from sitegen_runtime.model import Label

PROBABILITIES = st.floats(0, 1)
OPERATING_POINTS = st.floats(1e-6, 1 - 1e-6)


@given(st.floats(-700, 700))
def test_sigmoid_equals_scipy(logit: float) -> None:
    assert sigmoid(logit) == pytest.approx(float(expit(logit)), rel=1e-14, abs=0)


def test_sigmoid_of_extreme_logits() -> None:
    assert sigmoid(0.0) == 0.5
    assert sigmoid(1e308) == 1.0
    assert sigmoid(sys.float_info.max) == 1.0
    assert sigmoid(-sys.float_info.max) == 0.0
    assert sigmoid(-745.2) == 0.0
    assert 0.0 < sigmoid(-740.0) < 1e-300


@pytest.mark.parametrize(
    ("probability", "operating_point", "calibrated"),
    [
        (0.0, 0.25, 0.0),
        (0.125, 0.25, 0.25),
        (0.25, 0.25, 0.5),
        (0.625, 0.25, 0.75),
        (1.0, 0.25, 1.0),
        (0.4, 0.8, 0.25),
        (0.9, 0.8, 0.75),
        (0.5, 0.5, 0.5),
        (0.01, 0.02, 0.25),
    ],
)
def test_literals_of_equation_1(probability: float, operating_point: float, calibrated: float) -> None:
    assert piecewise_linear(probability, operating_point) == pytest.approx(calibrated, abs=1e-15)


@given(PROBABILITIES, OPERATING_POINTS)
def test_equals_interpolation_between_the_three_fixed_points(probability: float, operating_point: float) -> None:
    expected = float(np.interp(probability, [0.0, operating_point, 1.0], [0.0, 0.5, 1.0]))
    assert piecewise_linear(probability, operating_point) == pytest.approx(expected, abs=1e-9)


@given(OPERATING_POINTS)
def test_the_operating_point_becomes_one_half_and_the_ends_stay(operating_point: float) -> None:
    assert piecewise_linear(operating_point, operating_point) == 0.5
    assert piecewise_linear(0.0, operating_point) == 0.0
    assert piecewise_linear(1.0, operating_point) == 1.0


@given(PROBABILITIES, PROBABILITIES, OPERATING_POINTS)
def test_the_order_of_scores_is_kept(first: float, second: float, operating_point: float) -> None:
    low, high = sorted((first, second))
    assert piecewise_linear(low, operating_point) <= piecewise_linear(high, operating_point)
    assert 0.0 <= piecewise_linear(low, operating_point) <= piecewise_linear(high, operating_point) <= 1.0


@given(PROBABILITIES, OPERATING_POINTS)
def test_above_one_half_means_above_the_operating_point(probability: float, operating_point: float) -> None:
    calibrated = piecewise_linear(probability, operating_point)
    if probability < operating_point * (1 - 1e-9):
        assert calibrated < 0.5
    elif probability > operating_point + (1 - operating_point) * 1e-9:
        assert calibrated > 0.5


def test_labels_choose() -> None:
    assert calibrate(0.1, Label("Effusion", 0.2, "piecewise-linear")) == 0.25
    assert calibrate(0.1, Label("Effusion", 0.2, None)) is None
    with pytest.raises(ValueError, match=r"'Effusion'.*'isotonic'"):
        calibrate(0.1, Label("Effusion", 0.2, "isotonic"))
