"""How alike maps are: against SciPy, and by hand."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from sitegen.evaluation.explanations.similarity import (
    absolute_rank_correlation,
    chance,
    rank_correlation,
    structural_similarity,
    top_overlap,
)

RNG = np.random.default_rng(3)
FIRST, SECOND = RNG.normal(size=(2, 20, 24))


def test_the_rank_correlation_is_spearmans_with_ties() -> None:
    tied = np.round(FIRST, 1)
    assert rank_correlation(FIRST, SECOND) == pytest.approx(spearmanr(FIRST.ravel(), SECOND.ravel())[0], abs=1e-12)
    assert rank_correlation(tied, SECOND) == pytest.approx(spearmanr(tied.ravel(), SECOND.ravel())[0], abs=1e-12)


def test_an_opposite_map_orders_the_other_way_round_but_is_as_strong() -> None:
    assert rank_correlation(FIRST, -FIRST) == pytest.approx(-1)
    assert absolute_rank_correlation(FIRST, -FIRST) == pytest.approx(1)
    assert structural_similarity(FIRST, -3 * FIRST) == pytest.approx(1)


def test_a_map_without_differences_correlates_with_nothing() -> None:
    assert rank_correlation(np.full((20, 24), 2.0), SECOND) == 0
    assert structural_similarity(np.zeros((20, 24)), np.zeros((20, 24))) == 1


def test_the_strongest_tenth_is_counted_and_ties_count_in_proportion() -> None:
    one = np.zeros((10, 10))
    one[0, :10] = 1
    other = np.zeros((10, 10))
    other[0, :5] = other[1, :5] = 1
    assert top_overlap(one, one) == 1
    assert top_overlap(one, other) == 0.5
    # Of a map without differences, each cell is a tenth among the strongest.
    assert top_overlap(one, np.zeros((10, 10))) == pytest.approx(0.1)


def test_chance_is_what_a_moved_map_has_in_common_with_itself() -> None:
    spot = np.zeros((32, 32))
    spot[4:8, 4:8] = 1
    found = chance(spot, rank_correlation, 200, np.random.default_rng(0))
    apart = rank_correlation(spot, np.roll(spot, 16, 0))
    assert found.shape == (200,)
    assert apart < 0
    assert np.median(found) == pytest.approx(apart)  # most places do not overlap
    assert found.max() > 0.3  # some do
