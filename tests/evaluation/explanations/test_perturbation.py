"""Deletion, insertion and ROAD on a model that reads one corner of the image."""

import numpy as np
import pytest

from sitegen.evaluation.explanations.perturbation import (
    ROAD_SHARES,
    area,
    deletion,
    imputed,
    insertion,
    order_of,
    road,
)

RNG = np.random.default_rng(5)
IMAGE = RNG.normal(0, 0.1, (1, 16, 16)).astype(np.float32)
IMAGE[:, :4, :4] += 1
CORNER = np.zeros((16, 16))
CORNER[:4, :4] = 1


def score(image: np.ndarray) -> float:
    """The mean of the corner, as a share of what it is in the image."""
    return float(image[0, :4, :4].mean() / IMAGE[0, :4, :4].mean())


def order(given: np.ndarray) -> np.ndarray:
    return order_of(given, np.random.default_rng(0))


def test_the_order_begins_with_the_strongest_and_leaves_ties_to_chance() -> None:
    assert set(order(CORNER)[:16]) == set(np.nonzero(CORNER.ravel())[0])
    assert not np.array_equal(order_of(CORNER, np.random.default_rng(1)), order(CORNER))
    assert order(-np.arange(6.0).reshape(2, 3)).tolist() == [0, 1, 2, 3, 4, 5]


def test_deleting_what_the_model_reads_takes_the_score_at_once() -> None:
    right, wrong = (deletion(score, IMAGE, order(given), 16) for given in (CORNER, -CORNER))
    grey = IMAGE.mean() / IMAGE[0, :4, :4].mean()
    assert right[0] == wrong[0] == pytest.approx(1)
    assert right[1:] == pytest.approx(np.full(16, grey), abs=1e-6)
    assert wrong[:16] == pytest.approx(np.ones(16), abs=1e-6)
    assert wrong[16] == pytest.approx(grey, abs=1e-6)


def test_inserting_it_gives_the_score_at_once() -> None:
    right, wrong = (insertion(score, IMAGE, order(given), 16) for given in (CORNER, -CORNER))
    assert right[0] == wrong[0] < 1
    assert right[1:] == pytest.approx(np.ones(16), abs=1e-6)
    assert wrong[:16] == pytest.approx(np.full(16, right[0]), abs=1e-6)
    assert area(right) > area(wrong)


def test_the_area_is_that_of_trapezoids() -> None:
    assert area(np.array([1.0, 0.0])) == 0.5
    assert area(np.array([0.0, 1.0, 1.0])) == 0.75


def test_removed_cells_solve_the_equations_of_their_neighbours() -> None:
    removed = np.random.default_rng(1).random((16, 16)) < 0.4
    filled = imputed(IMAGE * 0 + np.linspace(0, 1, 16, dtype=np.float32), removed, np.random.default_rng(2))
    ramp = np.broadcast_to(np.linspace(0, 1, 16), (16, 16))
    assert np.array_equal(filled[0][~removed], ramp.astype(np.float32)[~removed])
    # The mean of neighbours on a ramp is the cell's own value, but at the sides, where a neighbour is missing.
    inside = removed[:, 4:12]
    assert filled[0][:, 4:12][inside] == pytest.approx(ramp[:, 4:12][inside], abs=0.08)
    assert np.abs(filled[0][:, 4:12][inside] - ramp[:, 4:12][inside]).max() > 0  # for there is noise


def test_a_plain_image_is_filled_with_its_own_grey_and_hardly_any_noise() -> None:
    plain = np.full((2, 8, 8), 0.25, np.float32)
    removed = np.ones((8, 8), np.bool_)
    removed[0, 0] = False
    assert imputed(plain, removed, np.random.default_rng(0)) == pytest.approx(plain, abs=1e-3)
    assert imputed(plain, ~removed & removed, np.random.default_rng(0)) is not plain


def test_road_loses_the_score_where_the_corner_goes_first() -> None:
    rng = np.random.default_rng(0)
    most, least = (road(score, IMAGE, each, rng) for each in (order(CORNER), order(CORNER)[::-1]))
    assert len(most) == len(ROAD_SHARES)
    assert most[1:].max() < 0.5
    assert least[:-1] == pytest.approx(np.ones(len(ROAD_SHARES) - 1), abs=1e-6)
