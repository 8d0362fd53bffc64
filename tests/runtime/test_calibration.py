"""From logit to calibrated probability: the sigmoid, Eq. 1 of Chester, and the calibrations that are fitted."""

import sys
from math import log
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit

from sitegen_runtime.bundle.model import Calibration, Label
from sitegen_runtime.calibration import (
    CALIBRATIONS,
    calibrate,
    calibrated_operating_point,
    interpolate,
    logit_of,
    piecewise_linear,
    sigmoid,
)

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


def labelled(method: str, **numbers: Any) -> Label:
    return Label("Effusion", 0.2, Calibration(method, **numbers))


def applied(label: Label, score: float) -> float:
    calibrated = calibrate(score, sigmoid(score), label)
    assert calibrated is not None
    return calibrated


def test_labels_choose() -> None:
    assert calibrate(-1.0, 0.1, labelled("piecewise-linear")) == 0.25
    assert calibrate(-1.0, 0.1, Label("Effusion", 0.2, None)) is None
    with pytest.raises(ValueError, match=r"'Effusion'.*'magic'"):
        calibrate(-1.0, 0.1, labelled("magic"))


def test_temperature_and_platt_start_from_the_logit() -> None:
    # log 9 is the logit of 0.9, log 3 that of 0.75.
    assert applied(labelled("temperature", temperature=2.0), log(9)) == pytest.approx(0.75, abs=1e-15)
    assert applied(labelled("platt", slope=0.5, intercept=0.0), log(9)) == pytest.approx(0.75, abs=1e-15)
    assert applied(labelled("platt", slope=1.0, intercept=log(3)), 0.0) == pytest.approx(0.75, abs=1e-15)
    # The probability is 1 to the last bit, and the logit still tells.
    assert applied(labelled("temperature", temperature=40.0), 40.0) == pytest.approx(float(expit(1.0)), abs=1e-15)


TABLE = ((0.1, 0.0), (0.3, 0.4), (0.5, 0.4), (0.9, 1.0))


@pytest.mark.parametrize("method", ["beta", "isotonic"])
@pytest.mark.parametrize(
    ("probability", "calibrated"),
    [(0.0, 0.0), (0.1, 0.0), (0.2, 0.2), (0.3, 0.4), (0.4, 0.4), (0.5, 0.4), (0.7, 0.7), (0.9, 1.0), (1.0, 1.0)],
)
def test_tables_are_read_on_the_line_between_their_points(method: str, probability: float, calibrated: float) -> None:
    label = labelled(method, table=TABLE)
    assert calibrate(0.0, probability, label) == pytest.approx(calibrated, abs=1e-15)


def tables(positions: st.SearchStrategy[float]) -> st.SearchStrategy[tuple[tuple[float, float], ...]]:
    points = st.lists(st.tuples(positions, PROBABILITIES), min_size=2, max_size=8, unique_by=lambda pair: pair[0])
    return points.map(lambda pairs: tuple(zip(sorted(x for x, _ in pairs), sorted(y for _, y in pairs), strict=True)))


# NumPy computes slopes of steep pieces otherwise: the piece's width bounds how far rounding can carry it.
@given(PROBABILITIES, tables(st.integers(0, 1000).map(lambda thousandths: thousandths / 1000)))
def test_tables_equal_numpys_interpolation(probability: float, table: tuple[tuple[float, float], ...]) -> None:
    positions, values = zip(*table, strict=True)
    assert interpolate(probability, table) == pytest.approx(float(np.interp(probability, positions, values)), abs=1e-12)


LOGITS = st.floats(-50, 50)
NUMBERS: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "piecewise-linear": st.just({}),
    "temperature": st.fixed_dictionaries({"temperature": st.floats(1e-2, 1e2)}),
    "platt": st.fixed_dictionaries({"slope": st.floats(1e-2, 1e2), "intercept": st.floats(-50, 50)}),
    "beta": st.fixed_dictionaries({"table": tables(PROBABILITIES)}),
    "isotonic": st.fixed_dictionaries({"table": tables(PROBABILITIES)}),
}


def test_every_method_of_the_table_is_tried_here() -> None:
    assert list(NUMBERS) == list(CALIBRATIONS)


@pytest.mark.parametrize("method", NUMBERS)
@given(data=st.data())
def test_every_method_keeps_the_order_of_scores_and_stays_within_0_and_1(method: str, data: st.DataObject) -> None:
    label = labelled(method, **data.draw(NUMBERS[method]))
    values = [applied(label, score) for score in sorted(data.draw(st.lists(LOGITS, min_size=2, max_size=6)))]
    assert values == sorted(values)
    assert all(0.0 <= value <= 1.0 for value in values)


@given(st.floats(1e-6, 1 - 1e-6))
def test_logit_of_is_the_inverse_of_the_sigmoid(probability: float) -> None:
    assert logit_of(probability) == pytest.approx(float(logit(probability)), rel=1e-12, abs=1e-12)
    assert sigmoid(logit_of(probability)) == pytest.approx(probability, rel=1e-14)


@given(OPERATING_POINTS)
def test_piecewise_linear_takes_the_operating_point_to_one_half(operating_point: float) -> None:
    assert calibrated_operating_point(Label("Effusion", operating_point, Calibration("piecewise-linear"))) == 0.5


def test_where_the_operating_point_lies_on_other_scales() -> None:
    assert calibrated_operating_point(Label("Effusion", 0.2, None)) is None
    # 0.2 is the sigmoid of -log 4, and 1/3 that of -log 2.
    assert calibrated_operating_point(labelled("temperature", temperature=2.0)) == pytest.approx(1 / 3, abs=1e-15)
    assert calibrated_operating_point(labelled("platt", slope=1.0, intercept=log(4))) == pytest.approx(0.5, abs=1e-15)
    assert calibrated_operating_point(labelled("isotonic", table=TABLE)) == pytest.approx(0.2, abs=1e-15)
