"""Grids made larger and smoothed: PyTorch's interpolation and SciPy's filters are the references."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from sitegen_runtime.pixels.grids import enlarged, halved, smoothed

numbers = st.floats(-1e3, 1e3)


def normal(*shape: int) -> np.ndarray:
    return np.random.default_rng(sum(shape)).normal(size=shape)


@pytest.mark.parametrize(
    ("shape", "wanted"), [((7, 7), (224, 224)), ((3, 5), (8, 6)), ((1, 1), (4, 3)), ((4, 4), (4, 4))]
)
def test_enlarged_is_torchs_bilinear_interpolation(shape: tuple[int, int], wanted: tuple[int, int]) -> None:
    grid = normal(*shape)
    expected = torch.nn.functional.interpolate(torch.from_numpy(grid)[None, None], size=wanted, mode="bilinear")
    assert np.allclose(enlarged(grid.ravel().tolist(), shape, wanted), expected.numpy().ravel(), atol=1e-12)


def test_enlarged_literally() -> None:
    assert enlarged([0, 4], (1, 2), (1, 4)) == [0, 1, 3, 4]
    assert enlarged([0, 4], (2, 1), (4, 1)) == [0, 1, 3, 4]


@given(st.lists(numbers, min_size=6, max_size=6))
def test_enlarged_stays_between_the_extremes(values: list[float]) -> None:
    made = enlarged(values, (2, 3), (7, 5))
    assert len(made) == 35
    assert min(values) - 1e-9 <= min(made) <= max(made) <= max(values) + 1e-9


@given(st.integers(1, 5), st.integers(1, 5))
def test_halved_is_torchs_average_pooling(rows: int, columns: int) -> None:
    grid = normal(2 * rows, 2 * columns)
    expected = torch.nn.functional.avg_pool2d(torch.from_numpy(grid)[None], 2)
    made = halved(grid.ravel().tolist(), grid.shape)
    assert np.allclose(made, expected.numpy().ravel(), rtol=0, atol=1e-15)


def test_halved_literally() -> None:
    assert halved([1, 3, 5, 7, 9, 11, 13, 15], (2, 4)) == [6, 10]


@pytest.mark.parametrize("radius", [0, 1, 2, 7])
def test_smoothed_is_scipys_running_mean_three_times(radius: int) -> None:
    grid = expected = normal(9, 12)
    for _ in range(3):
        expected = ndimage.uniform_filter(expected, 2 * radius + 1, mode="nearest")
    assert np.allclose(smoothed(grid.ravel().tolist(), (9, 12), radius), expected.ravel(), atol=1e-12)


@pytest.mark.parametrize("radius", [1, 2, 3])
def test_smoothed_is_close_to_a_gaussian_of_the_stated_deviation(radius: int) -> None:
    point = np.zeros((41, 41))
    point[20, 20] = 1
    expected = ndimage.gaussian_filter(point, np.sqrt(radius * (radius + 1)))
    made = np.array(smoothed(point.ravel().tolist(), (41, 41), radius)).reshape(41, 41)
    assert np.abs(made - expected).max() < 0.16 * expected.max()
    variance = sum((row - 20) ** 2 * share for row, share in enumerate(made.sum(1)))
    assert variance == pytest.approx(radius * (radius + 1))


def test_an_even_grid_stays_even() -> None:
    assert smoothed([2.5] * 30, (5, 6), 2) == pytest.approx([2.5] * 30)
