"""Deletion, insertion and ROAD on a model that reads one corner of the image; what ROAD fills in, solved once more."""

from itertools import product
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

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


class Still(np.random.Generator):
    """Gives noise that is 0."""

    def normal(self, loc: Any = 0, scale: Any = 1, size: Any = None) -> Any:
        return np.zeros(size)


def solved(image: NDArray[np.float32], removed: NDArray[np.bool_]) -> tuple[NDArray[np.float64], float]:
    """The image as noisy linear imputation fills it before the noise, and how far off a solver may be.

    Rong et al. 2022: x = sum of w x' over the neighbours x' of each removed cell x, with w = 1/6 for those beside,
    above and below it and 1/12 for the diagonal ones; where the border takes neighbours away, the weights of those that
    are left are scaled to a sum of 1. A solver whose residual is 1e-4 of the right side, as documented, is off by at
    most as much of its length, divided by the smallest singular value.
    """
    cells = [(int(row), int(column)) for row, column in zip(*np.nonzero(removed), strict=True)]
    system, right = np.zeros((len(cells), len(cells))), np.zeros((len(cells), len(image)))
    for line, (row, column) in enumerate(cells):
        for down, aside in product((-1, 0, 1), repeat=2):
            near = row + down, column + aside
            if (down, aside) == (0, 0) or not (0 <= near[0] < removed.shape[0] and 0 <= near[1] < removed.shape[1]):
                continue
            weight = 1 / 12 if down and aside else 1 / 6
            system[line, line] += weight
            if removed[near]:
                system[line, cells.index(near)] -= weight
            else:
                right[line] += weight * image[:, near[0], near[1]].astype(np.float64)
    filled = image.astype(np.float64)
    filled[:, removed] = np.linalg.solve(system, right).T
    apart = 1e-4 * np.linalg.norm(right, axis=0).max() / np.linalg.svd(system, compute_uv=False).min()
    return filled, float(apart)


@pytest.mark.parametrize(("share", "seed"), [(0.1, 0), (0.3, 1), (0.6, 2), (0.9, 3)])
def test_removed_cells_solve_the_equations_of_the_method(share: float, seed: int) -> None:
    random = np.random.default_rng(seed)
    image = random.random((2, 9, 12), np.float32)
    removed = random.random((9, 12)) < share
    expected, apart = solved(image, removed)
    filled = imputed(image, removed, Still(np.random.PCG64()))
    rounding = float(np.finfo(np.float32).eps)
    assert np.array_equal(filled[:, ~removed], image[:, ~removed])
    np.testing.assert_allclose(filled, expected, rtol=0, atol=apart + rounding)
    # The image is none on which any weights would do: with equal ones it would be filled otherwise.
    assert apart < 0.002 < 0.01 < np.abs(filled[:, removed] - image[:, removed]).max()


def test_a_cell_of_two_by_two_by_hand() -> None:
    # In a corner there are two neighbours at the sides and one at the diagonal: (2 * 5 + 2 * 10 + 1 * 20) / 5.
    image = np.array([[[7, 5], [10, 20]]], np.float32)
    removed = np.array([[True, False], [False, False]])
    assert imputed(image, removed, Still(np.random.PCG64()))[0, 0, 0] == pytest.approx(10, rel=1e-6)
    # Between others there are four of each, those at the sides counting twice: (2 * (2 + 8 + 4 + 6) + 1 + 5) / 12.
    image = np.array([[[1, 2, 0], [8, 99, 4], [5, 6, 0]]], np.float32)
    removed = image[0] == 99
    assert imputed(image, removed, Still(np.random.PCG64()))[0, 1, 1] == pytest.approx((2 * 20 + 6) / 12, rel=1e-6)


def test_the_noise_has_a_hundredth_of_the_images_range() -> None:
    image = 4 * np.random.default_rng(1).random((3, 24, 24), np.float32) - 1
    removed = np.random.default_rng(2).random((24, 24)) < 0.5
    filled, still = (imputed(image, removed, random) for random in (np.random.default_rng(3), Still(np.random.PCG64())))
    noise = (filled - still)[:, removed] / np.ptp(image)
    # Of n values the deviation is off by 1 / sqrt(2 n) of itself, the mean by 0.01 / sqrt(n); five times that may be.
    count = noise.size
    assert count > 700
    assert noise.std() == pytest.approx(0.01, rel=5 / np.sqrt(2 * count))
    assert abs(noise.mean()) < 5 * 0.01 / np.sqrt(count)
    assert not np.array_equal(noise[0], noise[1])  # each channel has noise of its own


def test_insertion_starts_from_a_gaussian_blur_of_a_twentieth_of_the_side() -> None:
    side, seen = 40, []
    image = np.zeros((2, side, side), np.float32)
    image[:, 20, 20] = 1, 3

    def looked_at(given: NDArray[np.float32]) -> float:
        seen.append(given.copy())
        return 0.0

    insertion(looked_at, image, np.arange(side * side), 1)
    bell = np.exp(-((np.arange(side) - 20.0) ** 2) / (2 * 2**2))  # a standard deviation of 40 / 20
    spot = np.outer(bell, bell) / bell.sum() ** 2
    # The Gaussian is cut off at four deviations, which leaves 1 - 6e-5 of it on each axis.
    np.testing.assert_allclose(seen[0], [spot, 3 * spot], rtol=0, atol=3 * 2 * 1e-4 * spot.max())
    assert np.array_equal(seen[-1], image)


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
