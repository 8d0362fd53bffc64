"""Permutation tests of means against SciPy; their size under the null; and power."""

from statistics import NormalDist

import numpy as np
import pytest
from scipy.stats import binomtest, permutation_test, ttest_ind_from_stats
from scipy.stats import norm as normal

from sitegen.metrics.mean_difference import mean_test, power

RNG = np.random.default_rng(3)
FEW = RNG.normal(0.5, 1, 5), RNG.normal(0, 1, 6)
MANY = RNG.normal(0.3, 1, 40), RNG.normal(0, 2, 33)


def scipy_p(first: np.ndarray, second: np.ndarray, alternative: str, resamples: float) -> float:
    """SciPy doubles the smaller side; the same definition as here takes the absolute difference, one-sided."""
    two = alternative == "two-sided"

    def statistic(a: np.ndarray, b: np.ndarray, axis: int) -> np.ndarray:
        difference = a.mean(axis=axis) - b.mean(axis=axis)
        return np.abs(difference) if two else difference

    one = "greater" if two else alternative
    found = permutation_test(
        (first, second),
        statistic,
        vectorized=True,
        n_resamples=resamples,
        alternative=one,
        rng=np.random.default_rng(0),
    )
    return float(found.pvalue)


@pytest.mark.parametrize("alternative", ["two-sided", "greater", "less"])
def test_all_divisions_give_scipys_p(alternative: str) -> None:
    found = mean_test(*FEW, alternative)
    assert (found.permutations, found.exact) == (462, True)
    assert found.p == pytest.approx(scipy_p(*FEW, alternative, np.inf), abs=1e-12)
    assert found.difference == pytest.approx(FEW[0].mean() - FEW[1].mean())


@pytest.mark.parametrize("alternative", ["two-sided", "greater", "less"])
def test_random_divisions_give_scipys_p_to_chance(alternative: str) -> None:
    found = mean_test(*MANY, alternative, permutations=20_000)
    assert (found.permutations, found.exact) == (20_000, False)
    assert found.p == pytest.approx(scipy_p(*MANY, alternative, 20_000), abs=0.02)  # 4 SD of the difference at most


def test_the_sides_are_told_apart() -> None:
    """The fault of comparing an absolute difference in a one-sided test: it would find this, too."""
    low, high = np.arange(6.0), np.arange(6.0) + 10
    assert mean_test(low, high, "greater").p == 1
    assert mean_test(low, high, "less").p == 1 / 924
    assert mean_test(low, high).p == 2 / 924
    assert mean_test(high, low, "greater").p == 1 / 924


def test_equal_values_are_no_difference() -> None:
    for alternative in ("two-sided", "greater", "less"):
        assert mean_test([0.1 + 0.2] * 4, [0.3] * 3, alternative).p == 1
    assert mean_test([1e-300, 3e-300], [1e-300, 3e-300]).p == 1


@pytest.mark.parametrize("alternative", ["two-sided", "greater"])
def test_a_test_of_5_percent_rejects_5_percent_where_there_is_nothing(alternative: str) -> None:
    rng = np.random.default_rng(1)
    ps = np.array(
        [mean_test(rng.exponential(1, 12), rng.exponential(1, 9), alternative, 199, seed).p for seed in range(4000)]
    )
    assert 0.04 <= (ps <= 0.05).mean() <= 0.06
    assert 0.17 <= (ps <= 0.2).mean() <= 0.23


def test_power_is_that_of_groups_drawn_anew() -> None:
    """Against the t-test's power, which it approaches for normal values; and under the null it is the test's size."""
    quantiles = np.array([NormalDist().inv_cdf((at + 0.5) / 30) for at in range(30)])
    found = power(quantiles + 0.7, quantiles, "greater", simulations=800, permutations=400)
    deviation = quantiles.std()
    expected = 1 - normal.cdf(1.645 - 0.7 / (deviation * np.sqrt(2 / 30)))
    assert found.share == pytest.approx(expected, abs=0.06)
    assert found.low < found.share < found.high
    nothing = power(quantiles, quantiles, simulations=1000, permutations=400)
    assert 0.03 <= nothing.share <= 0.075
    assert power(quantiles, quantiles + 0.7, "greater", simulations=100, permutations=100).share == 0
    assert ttest_ind_from_stats(0.7, deviation, 30, 0, deviation, 30).pvalue < 0.05


def test_the_interval_of_a_power_is_wilsons() -> None:
    found = power(MANY[0], MANY[1], simulations=200, permutations=100)
    expected = binomtest(round(found.share * 200), 200).proportion_ci(0.95, "wilson")
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        ([1.0], [1.0, 2.0], "the first group has 1 value"),
        ([1.0, 2.0], [], r"the second group has 0 value\(s\)"),
        ([1.0, 2.0], [1.0, float("nan")], "the second group has nan, which is no finite number"),
    ],
)
def test_what_is_no_group_is_refused(first: list[float], second: list[float], message: str) -> None:
    for function in (mean_test, power):
        with pytest.raises(ValueError, match=message):
            function(first, second)
    with pytest.raises(ValueError, match="'more' is not one of two-sided, greater, less"):
        mean_test([1.0, 2.0], [2.0, 3.0], "more")
