"""Errors and distances of reconstructions equal NumPy's and torch's to 1e-12, whatever the normalisation."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.metrics import structural_similarity

from sitegen_runtime.gate.gaussian_ssim import gaussian_ssim, gaussian_ssim_map
from sitegen_runtime.gate.reconstruction_scores import (
    absolute_errors,
    as_shares,
    euclidean_norm,
    l1,
    l2,
)
from sitegen_runtime.gate.ssim import mean_ssim
from tests.helpers.runtime.models import network_input

TOLERANCE = 1e-12


def pair(channels: int, side: int, seed: int, noise: float = 0.2) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    image = random.uniform(0, 1, (channels, side, side))
    return image, image + random.normal(0, noise, image.shape)


def planes(image: np.ndarray) -> list[list[float]]:
    return [plane.reshape(-1).tolist() for plane in image]


PAIRS = {
    "channels": st.sampled_from([1, 3]),
    "side": st.integers(11, 30),
    "seed": st.integers(0, 2**32 - 1),
    "noise": st.sampled_from([0.0, 1e-9, 0.01, 0.5, 3.0]),
}


@given(**PAIRS)
@settings(max_examples=40)
def test_l1_and_l2_equal_numpy_and_torch(channels: int, side: int, seed: int, noise: float) -> None:
    first, second = pair(channels, side, seed, noise)
    tensors = torch.from_numpy(first), torch.from_numpy(second)
    mean = torch.nn.functional.l1_loss(*tensors).item()
    root = torch.nn.functional.mse_loss(*tensors).sqrt().item()
    assert l1(planes(first), planes(second)) == pytest.approx(mean, abs=TOLERANCE, rel=0)
    assert l2(planes(first), planes(second)) == pytest.approx(root, abs=TOLERANCE, rel=0)
    assert l2(planes(first), planes(second)) == pytest.approx(
        np.sqrt(np.mean((first - second) ** 2)), abs=TOLERANCE, rel=0
    )


@given(**PAIRS)
@settings(max_examples=40)
def test_both_ssims_equal_scikit_images(channels: int, side: int, seed: int, noise: float) -> None:
    first, second = pair(channels, side, seed, noise)
    options = {"data_range": 1.0, "channel_axis": 0}
    uniform = structural_similarity(first, second, **options)
    gaussian = structural_similarity(
        first, second, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, **options
    )
    assert mean_ssim(planes(first), planes(second), side) == pytest.approx(uniform, abs=TOLERANCE, rel=0)
    assert gaussian_ssim(planes(first), planes(second), side) == pytest.approx(gaussian, abs=TOLERANCE, rel=0)


def test_gaussian_ssim_of_64_cells_and_of_flat_images() -> None:
    first, second = pair(1, 64, seed=3)
    flat = np.full_like(first, 0.3)
    for one, other in ((first, second), (flat, first), (flat, flat)):
        theirs = structural_similarity(
            one[0], other[0], data_range=1.0, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
        )
        assert gaussian_ssim(planes(one), planes(other), 64) == pytest.approx(theirs, abs=TOLERANCE, rel=0)


@pytest.mark.parametrize(("side", "length"), [(10, 100), (11, 120)])
def test_gaussian_ssim_needs_a_window_and_the_stated_size(side: int, length: int) -> None:
    with pytest.raises(ValueError, match=f"needs {side * side} values each, of at least 11 x 11, not {length} and"):
        gaussian_ssim([[0.0] * length], [[0.0] * length], side)


def test_literal_errors() -> None:
    first, second = [[0.0, 1.0], [0.5, 0.5]], [[0.5, 1.0], [0.5, 0.0]]
    assert absolute_errors(first, second) == [0.25, 0.25]
    assert absolute_errors(first[:1], second[:1]) == [0.5, 0.0]
    assert l1(first, second) == 0.25
    assert l2(first, second) == pytest.approx(np.sqrt(0.5 / 4), abs=1e-15)


def test_the_map_is_scikit_images_and_the_error_torchs() -> None:
    first, second = pair(1, 24, 7, 0.3)
    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "full": True}
    _, whole = structural_similarity(first[0], second[0], data_range=1.0, **options)
    (one,), (two,) = planes(first), planes(second)
    assert gaussian_ssim_map(one, two, 24) == pytest.approx(whole[5:-5, 5:-5].ravel(), abs=TOLERANCE, rel=0)
    squares = torch.nn.functional.mse_loss(torch.from_numpy(first), torch.from_numpy(second))
    assert l2([one], [two]) ** 2 == pytest.approx(float(squares), abs=TOLERANCE, rel=0)


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-1.0, 1.0), (0.0, 255.0)])
def test_shares_undo_the_normalisation(low: float, high: float) -> None:
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    entry = network_input(5, "rgb", low=low, high=high, mean=mean, std=std)
    shares = np.random.default_rng(4).uniform(0, 1, (3, 5, 5))
    values = (low + (high - low) * shares - np.reshape(mean, (3, 1, 1))) / np.reshape(std, (3, 1, 1))
    np.testing.assert_allclose(as_shares(values.reshape(-1).tolist(), entry), shares.reshape(3, -1), rtol=0, atol=1e-13)


@pytest.mark.parametrize(
    ("mean", "std", "low", "high"),
    [(0, 1, 0, 1), (1, 1, 0, 1), (-1, 1, 0, 1), (0, 2, 0, 1), (0, -1, 0, 1), (0, 1, -1, 0), (0, 1, 1, 2), (0, 1, 0, 2)],
)
def test_shares_where_hardly_anything_is_to_be_undone(mean: float, std: float, low: float, high: float) -> None:
    entry = network_input(2, mean=(mean,), std=(std,), low=low, high=high)
    values = [0.0, 0.25, 0.5, 1.0]
    assert as_shares(values, entry) == [[(value * std + mean - low) / (high - low) for value in values]]


@given(values=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=512))
def test_the_norm_of_a_latent_equals_numpys(values: list[float]) -> None:
    assert euclidean_norm(values) == pytest.approx(np.linalg.norm(values), rel=TOLERANCE, abs=1e-150)


def test_a_literal_norm() -> None:
    assert euclidean_norm([3.0, -4.0]) == 5.0
