"""AUROC, AUPR and the false positive rate at 95 % of the positives, and the draws of images behind intervals."""

import numpy as np
import pytest
from hypothesis import given
from numpy.typing import ArrayLike
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

from sitegen.evaluation.gate.measures import OF_DRAWS, false_positive_rate_of_draws
from sitegen.evaluation.gate.resampling import draws_by_patient, interval_of, mean_interval
from tests.helpers.scored_examples import scored


def rate_of_scikit_learn(
    scores: np.ndarray, targets: np.ndarray, sensitivity: float, weights: np.ndarray | None = None
) -> float:
    false, true, _ = roc_curve(targets, scores, sample_weight=weights, drop_intermediate=False)
    return float(false[true >= sensitivity].min())


def false_positive_rate_at(scores: ArrayLike, targets: ArrayLike, sensitivity: float = 0.95) -> float:
    """The rate of the images as they are, each counted once."""
    once = np.ones((1, np.size(scores)))
    return float(false_positive_rate_of_draws(np.asarray(scores), np.asarray(targets, bool), once, sensitivity)[0])


def test_the_false_positive_rate_in_a_case_to_count_by_hand() -> None:
    scores, targets = [9, 8, 7, 6, 5, 4, 3], [1, 0, 1, 0, 1, 1, 0]
    # All four positives reach 4, and so do two of three negatives; three of four reach 5, with two of three as well.
    assert false_positive_rate_at(scores, targets) == pytest.approx(2 / 3, abs=1e-15)
    assert false_positive_rate_at(scores, targets, 0.5) == pytest.approx(1 / 3, abs=1e-15)
    assert false_positive_rate_at(scores, targets, 0.25) == 0
    assert false_positive_rate_at([1, 1, 1], [1, 0, 0]) == 1


def test_nineteen_of_twenty_positives_are_enough() -> None:
    scores = np.concatenate([np.arange(20) + 10, [9.5, 10.5, 30.5]])
    targets = np.arange(23) < 20
    assert false_positive_rate_at(scores, targets) == pytest.approx(1 / 3, abs=1e-15)


def test_without_one_of_the_classes_there_is_no_rate() -> None:
    assert np.isnan(false_positive_rate_at([1, 2], [1, 1]))
    assert np.isnan(false_positive_rate_at([1, 2], [0, 0]))


@given(scored())
def test_figures_are_those_of_scikit_learn(pair: tuple[np.ndarray, np.ndarray]) -> None:
    scores, targets = pair
    once = np.ones((1, len(scores)))
    expected = {
        "auroc": roc_auc_score(targets, scores),
        "aupr": average_precision_score(targets, scores),
        "fpr95": rate_of_scikit_learn(scores, targets, 0.95),
    }
    assert set(OF_DRAWS) == set(expected)
    for name, of_draws in OF_DRAWS.items():
        assert of_draws(scores, targets, once)[0] == pytest.approx(expected[name], abs=1e-12), name


def test_figures_of_draws_are_those_of_the_images_as_often_as_they_were_drawn() -> None:
    rng = np.random.default_rng(3)
    scores, targets = rng.integers(0, 12, 40) / 4, np.arange(40) < 15
    draws = draws_by_patient([f"p{at // 2}" for at in range(40)], ["out"] * 15 + ["in"] * 25, 20, 1)
    for row, counts in enumerate(draws.astype(int)):
        drawn = np.repeat(np.arange(40), counts)
        expected = (
            roc_auc_score(targets[drawn], scores[drawn]),
            average_precision_score(targets[drawn], scores[drawn]),
            rate_of_scikit_learn(scores[drawn], targets[drawn], 0.95),
        )
        found = [OF_DRAWS[name](scores, targets, draws)[row] for name in ("auroc", "aupr", "fpr95")]
        assert found == pytest.approx(expected, abs=1e-12)


def test_draws_keep_whole_patients_and_the_size_of_each_set() -> None:
    patients = ["a", "a", "b", "c", "a", "d"]
    sets = ["inside", "inside", "inside", "inside", "near:turned", "far:hands"]
    draws = draws_by_patient(patients, sets, 200, 5)
    assert draws.shape == (201, 6)
    assert draws[0].tolist() == [1] * 6
    assert (draws[:, 0] == draws[:, 1]).all()  # of one patient, in one set
    assert (draws[:, [0, 2, 3]].sum(axis=1) == 3).all()  # three patients inside
    assert (draws[:, 4:] == 1).all()  # the only ones of their sets
    assert len(np.unique(draws[:, 0])) > 2
    assert np.array_equal(draws, draws_by_patient(patients, sets, 200, 5))
    assert not np.array_equal(draws, draws_by_patient(patients, sets, 200, 6))


def test_intervals_are_percentiles_of_the_draws() -> None:
    values = np.concatenate([[0.25], np.linspace(0, 1, 1001)])
    assert interval_of(values) == {"value": 0.25, "low": pytest.approx(0.025), "high": pytest.approx(0.975)}
    assert mean_interval([values, values + 0.5]) == pytest.approx({"value": 0.5, "low": 0.275, "high": 1.225})
    assert mean_interval([]) is None
