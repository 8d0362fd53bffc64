"""The table of quantiles, and where images lie in it."""

import numpy as np
import pytest

from sitegen.errors import DataError, SettingsError
from sitegen.gate.quantiles import positions, quantile_levels, quantile_table, unlikeness
from sitegen_runtime.gate.metrics import METRICS
from sitegen_runtime.gate.metrics import unlikeness as runtimes


def test_levels_are_hundredths_and_finer_ones_where_there_are_images() -> None:
    assert quantile_levels(30) == [step / 100 for step in range(101)]
    assert quantile_levels(500) == sorted([step / 100 for step in range(101)] + [0.002, 0.005, 0.995, 0.998])
    assert len(quantile_levels(2000)) == 109
    assert quantile_levels(10_000)[:6] == [0, 0.0005, 0.001, 0.002, 0.005, 0.01]


def test_values_are_numpys_quantiles_rising_and_short() -> None:
    random = np.random.default_rng(0)
    scores = {
        "ssim": random.beta(9, 2, 3000),
        "mahalanobis": random.chisquare(50, 3000),
        "l1": random.normal(size=3000),
    }
    table = quantile_table(scores)
    assert table["of"] == "validation"
    for metric, values in scores.items():
        column = table["values"][metric]
        spread = np.ptp(values)
        assert column == pytest.approx(np.quantile(values, table["levels"]), abs=spread * 1e-6)
        assert (np.diff(column) > 0).all()
        assert max(len(repr(value)) for value in column) <= 10


def test_values_that_hardly_differ_keep_their_order() -> None:
    values = 0.5 + np.arange(1000) * 1e-9
    column = quantile_table({"l2": values})["values"]["l2"]
    assert (np.diff(column) > 0).all()
    assert quantile_table({"l2": np.zeros(50)})["values"]["l2"] == [0.0] * 101
    assert quantile_table({"l2": np.full(50, 0.25)})["values"]["l2"] == [0.25] * 101


def test_zeros_have_no_sign() -> None:
    for values in (np.full(50, -0.0), np.linspace(-1, 1, 101), np.concatenate([np.full(50, -1e-12), np.ones(50)])):
        assert "-0.0" not in map(str, quantile_table({"l2": values})["values"]["l2"])


def test_positions_are_shares_of_images_less_unlike() -> None:
    scores = {"ssim": np.linspace(0, 1, 101), "turned": np.linspace(-1, 0, 101)}
    table = quantile_table(scores)
    seen = {"ssim": np.array([2.0, 1.0, 0.75, 0.0, -1.0]), "turned": np.array([-2.0, -1.0, -0.75, 0.0, 1.0])}
    found = positions(seen, table)
    assert found["turned"] == pytest.approx([0, 0, 0.25, 1, 1])
    assert found["ssim"] == pytest.approx([0, 0, 0.25, 1, 1])


def test_most_validation_images_lie_where_their_rank_says() -> None:
    values = np.random.default_rng(1).normal(size=1000)
    found = positions({"l1": values}, quantile_table({"l1": values}))["l1"]
    assert found == pytest.approx(values.argsort().argsort() / 999, abs=0.01)


def test_a_metric_without_a_column_is_told() -> None:
    table = quantile_table({"ssim": np.arange(100.0)})
    with pytest.raises(SettingsError, match="has no metric 'l1'"):
        positions({"l1": np.arange(3.0)}, table)


@pytest.mark.parametrize("metric", METRICS)
def test_higher_is_more_unlike(metric: str) -> None:
    turned = unlikeness(metric, [0.25, -3.0])
    assert turned.tolist() == [runtimes(metric, 0.25), runtimes(metric, -3.0)]
    assert unlikeness(metric, turned).tolist() == [0.25, -3.0]


def test_what_gives_no_table_is_told() -> None:
    with pytest.raises(DataError, match="ssim has no values"):
        quantile_table({"ssim": []})
    with pytest.raises(DataError, match=r"for \[3, 4\] images"):
        quantile_table({"ssim": np.zeros(3), "l1": np.zeros(4)})
    with pytest.raises(DataError, match="l1 has values that are no finite numbers"):
        quantile_table({"l1": [0.0, np.inf]})
    with pytest.raises(SettingsError, match="no metric 'beauty' of a gate"):
        unlikeness("beauty", 1.0)
