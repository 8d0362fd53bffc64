"""The test of two detectors, against every exchange counted one by one."""

from collections.abc import Sequence
from itertools import product

import numpy as np
import pytest
from scipy.stats import rankdata
from sklearn.metrics import roc_auc_score

from sitegen.metrics.permutation import exchange_test, holm


def mean_area(scores: np.ndarray, categories: np.ndarray) -> float:
    areas = []
    for category in sorted(set(categories) - {-1}):
        rows = np.isin(categories, [-1, category])
        areas.append(roc_auc_score(categories[rows] == category, scores[rows]))
    return float(np.mean(areas))


def enumerated(
    first: np.ndarray, second: np.ndarray, categories: np.ndarray, patients: Sequence[str]
) -> tuple[float, float]:
    """The difference and the p-value, by the definition."""
    ranks = rankdata(first), rankdata(second)
    names = sorted(set(patients))
    differences = []
    for swaps in product([False, True], repeat=len(names)):
        swapped = np.array([swaps[names.index(patient)] for patient in patients])
        one = np.where(swapped, ranks[1], ranks[0])
        other = np.where(swapped, ranks[0], ranks[1])
        differences.append(mean_area(one, categories) - mean_area(other, categories))
    return differences[0], float(np.mean(np.abs(differences) >= abs(differences[0]) - 1e-12))


def case(seed: int, images: int = 9, ties: bool = False) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[str]]:
    rng = np.random.default_rng(seed)
    categories = np.array([-1] * (images - 4) + [0, 0, 0, 1])
    patients = [f"p{at // 2}" for at in range(images - 4)] + ["x", "y", "p0", "z"]
    first = rng.normal(size=images) + 2 * (categories >= 0)
    second = rng.normal(size=images)
    return (np.round(first), np.round(second), categories, patients) if ties else (first, second, categories, patients)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_all_exchanges_of_a_small_case_are_counted(seed: int, ties: bool) -> None:
    given = case(seed, ties=ties)
    tested = exchange_test(*given)
    assert tested.exact
    assert tested.exchanges == 2 ** len(set(given[3])) == 64
    assert (tested.difference, tested.p) == pytest.approx(enumerated(*given), abs=1e-12)


def test_random_exchanges_come_near_to_all_of_them() -> None:
    given = case(1, images=12)
    exact = exchange_test(*given, permutations=4096)
    assert exact.exact
    assert not exchange_test(*given, permutations=120).exact
    many = [exchange_test(*given, permutations=120, seed=seed).p for seed in range(60)]
    assert np.mean(many) == pytest.approx(exact.p, abs=0.03)


def test_a_case_by_hand() -> None:
    # The first ranks both outside images above both inside; the second the other way round. One patient each.
    tested = exchange_test(np.array([1.0, 2, 3, 4]), np.array([4.0, 3, 2, 1]), np.array([-1, -1, 0, 0]), list("abcd"))
    assert tested.difference == 1
    assert tested.p == 2 / 16  # only all or none exchanged give a difference of 1


def test_the_images_as_they_are_count_among_random_exchanges() -> None:
    # Of 2^32 exchanges of these perfect opposites only two give a difference as large as theirs, so that none is drawn.
    values = np.arange(32.0)
    categories, patients = np.repeat([-1, 0], 16), [f"p{at}" for at in range(32)]
    tested = exchange_test(values, -values, categories, patients, permutations=99)
    assert (tested.difference, tested.p, tested.exchanges, tested.exact) == (1, 1 / 100, 99, False)
    # And where every exchange gives as large a difference, p is (1 + 99) / (1 + 99).
    assert exchange_test(values, values, categories, patients, permutations=99).p == 1


def test_equal_detectors_do_not_differ() -> None:
    first, _, categories, patients = case(2)
    tested = exchange_test(first, 10 * first + 3, categories, patients)
    assert (tested.difference, tested.p) == (0, 1)


def test_the_seed_decides() -> None:
    given = case(3, images=60)
    given = (*given[:3], [f"p{at}" for at in range(60)])
    first = exchange_test(*given, permutations=300, seed=1)
    assert first == exchange_test(*given, permutations=300, seed=1)
    assert first.exchanges == 300
    assert 1 / 301 <= first.p <= 1


def test_alike_detectors_are_rarely_called_different() -> None:
    rng = np.random.default_rng(8)
    categories = np.repeat([-1, 0], [20, 10])
    patients = [str(at) for at in range(30)]
    truth = 1.5 * (categories >= 0)
    tests = [
        exchange_test(first, second, categories, patients, permutations=200, seed=at).p
        for at in range(200)
        for first, second in [rng.normal(size=(2, 30)) + truth]
    ]
    assert np.mean(np.array(tests) <= 0.1) < 0.17  # 0.1 and chance


def test_both_kinds_of_images_are_needed() -> None:
    with pytest.raises(ValueError, match="inside and outside"):
        exchange_test(np.ones(2), np.ones(2), np.array([-1, -1]), ["a", "b"])


def test_holm_in_a_case_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.6]) == [1, 1]
    assert holm([]) == []
