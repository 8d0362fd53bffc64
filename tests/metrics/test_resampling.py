from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from sitegen.metrics import auc, bootstrap_interval, half_split_deviation, interval_by_patient
from sitegen.metrics.resampling import share_of_draws
from sitegen.metrics.roc import auc_of_draws
from tests.helpers.documents import read


def one_at_a_time(
    statistic: Callable[[np.ndarray], float], patients: list[str], resamples: int, seed: int
) -> np.ndarray:
    """The bootstrap in the plainest form: one resample after the other."""
    names, inverse = np.unique(patients, return_inverse=True)
    rng = np.random.default_rng(seed)
    values: list[float] = []
    while len(values) < resamples:
        drawn = [np.nonzero(inverse == index)[0] for index in rng.integers(0, len(names), len(names))]
        try:
            values.append(statistic(np.concatenate(drawn)))
        except ValueError:
            continue
    return np.quantile(values, [0.025, 0.975])


def few(seed: Any = 0, images: int = 24) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Scores, targets with few positives, so that some resamples have none, and patients with several images."""
    rng = np.random.default_rng(seed)
    targets = np.zeros(images, bool)
    targets[:3] = True
    patients = [f"p{number}" for number in rng.integers(0, 10, images)]
    return rng.integers(0, 10, images) / 10, targets, patients


@pytest.mark.parametrize("seed", range(5))
def test_all_resamples_at_once_give_what_one_at_a_time_gives(seed: int) -> None:
    scores, targets, patients = few(seed)
    expected = one_at_a_time(lambda drawn: auc(scores[drawn], targets[drawn]), patients, 300, seed)
    interval = interval_by_patient(lambda draws: auc_of_draws(scores, targets, draws), patients, 300, seed=seed)
    assert (interval.low, interval.high) == pytest.approx(tuple(expected), abs=1e-12)
    assert interval.value == pytest.approx(auc(scores, targets), abs=1e-12)


def test_indices_and_weights_give_the_same_interval() -> None:
    scores, targets, patients = few(3)
    by_indices = bootstrap_interval(lambda drawn: auc(scores[drawn], targets[drawn]), patients, 200, seed=9)
    by_weights = interval_by_patient(lambda draws: auc_of_draws(scores, targets, draws), patients, 200, seed=9)
    assert (by_indices.low, by_indices.high) == pytest.approx((by_weights.low, by_weights.high), abs=1e-12)


def test_large_sets_are_drawn_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    scores, targets, patients = few(4)
    statistic = lambda draws: auc_of_draws(scores, targets, draws)  # noqa: E731
    at_once = interval_by_patient(statistic, patients, 100)
    monkeypatch.setattr("sitegen.metrics.resampling.CELLS", 7 * len(patients))
    assert interval_by_patient(statistic, patients, 100) == at_once


def test_the_same_seed_gives_the_same_interval() -> None:
    scores, targets, patients = few(5)
    intervals = [
        interval_by_patient(lambda draws: auc_of_draws(scores, targets, draws), patients, 100, seed=seed)
        for seed in (1, 1, 2)
    ]
    assert intervals[0] == intervals[1] != intervals[2]


def test_what_is_done_unless_told_is_what_is_documented() -> None:
    values = np.random.default_rng(7).normal(size=40)
    patients = [str(at) for at in range(40)]
    statistic = lambda draws: draws @ values / draws.sum(axis=1)  # noqa: E731
    told = interval_by_patient(statistic, patients, resamples=1000, share=0.95, seed=0)
    assert interval_by_patient(statistic, patients) == told
    found = bootstrap_interval(lambda drawn: float(values[drawn].mean()), patients)
    assert (found.low, found.high) == pytest.approx((told.low, told.high), abs=1e-12)
    assert half_split_deviation(statistic, 40) == half_split_deviation(statistic, 40, splits=10, seed=0)
    text = read("docs/metrics.md")
    assert "95 % and 1,000 resamples unless told" in text
    assert "over 10 random halves of the images" in text


def test_one_patient_leaves_no_doubt() -> None:
    interval = interval_by_patient(lambda draws: share_of_draws(np.array([True, False]), draws), ["a", "a"], 10)
    assert (interval.low, interval.value, interval.high) == (0.5, 0.5, 0.5)


def test_a_statistic_that_is_hardly_ever_defined_is_an_error() -> None:
    with pytest.raises(ValueError, match="not defined for"):
        interval_by_patient(lambda draws: np.full(len(draws), np.nan), ["a", "b"], 10)


def test_weighted_areas_are_those_of_repeated_examples() -> None:
    scores, targets, _ = few(6)
    draws = np.random.default_rng(1).integers(0, 3, (20, len(scores))).astype(float)
    draws[:, [0, 10]] += 1
    repeated = [auc(np.repeat(scores, row), np.repeat(targets, row)) for row in draws.astype(int)]
    assert auc_of_draws(scores, targets, draws) == pytest.approx(repeated, abs=1e-12)
    assert np.isnan(auc_of_draws(scores, targets, targets[np.newaxis].astype(float)))


def test_halves_hold_half_of_the_images_each_once() -> None:
    seen = []

    def note(draws: np.ndarray) -> Any:
        seen.append(draws)
        return draws[:, 0]

    half_split_deviation(note, 7, splits=10, seed=1)
    rows = np.concatenate(seen)
    assert rows.shape == (10, 7)
    assert set(rows.ravel()) == {0.0, 1.0}
    assert (rows.sum(axis=1) == 3).all()
    assert len({row.tobytes() for row in rows}) > 5


def test_deviation_of_a_worked_example() -> None:
    values = iter([[1.0], [2.0], [np.nan], [6.0]])
    # The mean of 1, 2, 6 is 3; (4 + 1 + 9) / 2 = 7.
    assert half_split_deviation(lambda draws: np.array(next(values)), 10, splits=3) == pytest.approx(np.sqrt(7))


def test_deviation_of_a_mean_agrees_with_theory() -> None:
    values = np.random.default_rng(2).normal(0, 1, 400)
    # Half of 400 without replacement: sigma sqrt((1 - 1/2) / 200).
    found = half_split_deviation(lambda draws: draws @ values / draws.sum(axis=1), 400, splits=4000)
    assert found == pytest.approx(values.std(ddof=1) * np.sqrt(0.5 / 200), rel=0.05)


def test_halves_need_images() -> None:
    with pytest.raises(ValueError, match="two images and two splits"):
        half_split_deviation(lambda draws: draws[:, 0], 1)
