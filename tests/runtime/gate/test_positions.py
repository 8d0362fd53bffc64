"""Positions among reference images, and their combination."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sitegen_runtime.bundle.gate import Combination, Gate, Quantiles
from sitegen_runtime.gate.combination import combined
from sitegen_runtime.gate.positions import position

LEVELS = (0.0, 0.25, 0.5, 0.75, 1.0)


def gate(metric: str, values: tuple[float, ...], levels: tuple[float, ...] = LEVELS) -> Gate:
    return Gate("ssim", 0.5, quantiles=Quantiles("validation", levels, {metric: values}))


@pytest.mark.parametrize(
    ("value", "share"),
    [(-1.0, 0.0), (0.0, 0.0), (1.0, 0.25), (1.5, 0.375), (2.0, 0.5), (3.0, 0.75), (6.0, 0.875), (9.0, 1.0), (10, 1.0)],
)
def test_of_a_metric_whose_high_values_are_unlike(value: float, share: float) -> None:
    assert position(value, "l1", gate("l1", (0.0, 1.0, 2.0, 3.0, 9.0))) == share


@pytest.mark.parametrize(
    ("value", "share"), [(1.0, 0.0), (0.95, 0.125), (0.9, 0.25), (0.7, 0.5), (0.5, 1.0), (0.4, 1.0), (2.0, 0.0)]
)
def test_of_a_metric_whose_high_values_are_alike(value: float, share: float) -> None:
    assert position(value, "ssim", gate("ssim", (0.5, 0.6, 0.7, 0.9, 1.0))) == pytest.approx(share, abs=1e-12)


def test_images_of_the_same_value_are_not_less_unlike() -> None:
    unlike, alike = gate("l1", (0.0, 1.0, 1.0, 1.0, 2.0)), gate("ssim", (0.0, 1.0, 1.0, 1.0, 2.0))
    assert position(1.0, "l1", unlike) == 0.25
    assert position(1.0, "ssim", alike) == 0.25
    assert position(1.0, "l1", gate("l1", (1.0,) * 5)) == 0.0
    assert position(1.0, "ssim", gate("ssim", (1.0,) * 5)) == 0.0


def test_without_a_table() -> None:
    assert position(1.0, "l2", gate("l1", LEVELS)) is None
    assert position(1.0, "l1", Gate("ssim", 0.5)) is None


@given(value=st.floats(-5, 5), seed=st.integers(0, 2**32 - 1))
def test_the_straight_line_between_quantiles_is_numpys(value: float, seed: int) -> None:
    levels = tuple(np.linspace(0, 1, 101).tolist())
    values = np.quantile(np.random.default_rng(seed).normal(0, 1, 500), levels)
    share = np.interp(value, values, levels)
    table = tuple(values.tolist())
    assert position(value, "energy", gate("energy", table, levels)) == pytest.approx(share, abs=1e-9)
    assert position(value, "ssim", gate("ssim", table, levels)) == pytest.approx(1 - share, abs=1e-9)


def test_the_combination_is_a_logistic_function_of_positions() -> None:
    table = Quantiles("validation", (0.0, 1.0), {"ssim": (0.0, 1.0), "l1": (0.0, 2.0)})
    both = Gate("ssim", 0.5, quantiles=table, combination=Combination({"ssim": 2.0, "l1": -4.0}, 0.5))
    # positions are 1 - 0.25 and 0.5 / 2
    total = 0.5 + 2 * 0.75 - 4 * 0.25
    assert combined({"ssim": 0.25, "l1": 0.5, "l2": 9.0}, both) == pytest.approx(1 / (1 + np.exp(-total)), abs=1e-12)


def test_a_combination_that_is_not_there() -> None:
    with pytest.raises(ValueError, match="no combination"):
        combined({}, Gate("ssim", 0.5))
    with pytest.raises(ValueError, match="no quantiles of 'l1'"):
        combined({"l1": 0.5}, Gate("ssim", 0.5, combination=Combination({"l1": 1.0}, 0.0)))
