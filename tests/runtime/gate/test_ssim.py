"""SSIM equals scikit-image's to 1e-12."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.metrics import structural_similarity

from sitegen_runtime.gate.ssim import ssim, ssim_map

TOLERANCE = 1e-12


def pair(width: int, height: int, data_range: float, seed: int, noise: float = 0.2) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    first = random.uniform(0, data_range, (height, width))
    return first, np.clip(first + random.normal(0, noise * data_range, first.shape), 0, data_range)


def ours(first: np.ndarray, second: np.ndarray, data_range: float) -> float:
    height, width = first.shape
    return ssim(first.reshape(-1).tolist(), second.reshape(-1).tolist(), width, height, data_range)


def theirs(first: np.ndarray, second: np.ndarray, data_range: float) -> float:
    return float(structural_similarity(first, second, data_range=data_range))


@pytest.mark.parametrize("data_range", [1.0, 255.0])
@pytest.mark.parametrize(("width", "height"), [(7, 7), (8, 7), (7, 12), (13, 29), (64, 64)])
def test_equals_scikit_image(width: int, height: int, data_range: float) -> None:
    first, second = pair(width, height, data_range, seed=width * height)
    assert ours(first, second, data_range) == pytest.approx(theirs(first, second, data_range), abs=TOLERANCE, rel=0)


@given(
    width=st.integers(7, 24),
    height=st.integers(7, 24),
    data_range=st.sampled_from([1.0, 2.0, 255.0, 65535.0]),
    noise=st.sampled_from([0.0, 1e-9, 0.01, 0.5, 3.0]),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=40)
def test_equals_scikit_image_everywhere(width: int, height: int, data_range: float, noise: float, seed: int) -> None:
    first, second = pair(width, height, data_range, seed, noise)
    assert ours(first, second, data_range) == pytest.approx(theirs(first, second, data_range), abs=TOLERANCE, rel=0)


@pytest.mark.parametrize("data_range", [1.0, 255.0])
def test_flat_images(data_range: float) -> None:
    black, white = np.zeros((9, 11)), np.full((9, 11), data_range)
    grey = np.full((9, 11), 0.3 * data_range)
    for first, second in ((black, white), (grey, white), (grey, pair(11, 9, data_range, 1)[0])):
        assert ours(first, second, data_range) == pytest.approx(theirs(first, second, data_range), abs=TOLERANCE, rel=0)
    # Black against white: the luminance term is c1 / (1 + c1), the other is 1.
    assert ours(black, white, data_range) == pytest.approx(1e-4 / (1 + 1e-4), abs=TOLERANCE, rel=0)


def test_identical_images_have_similarity_one() -> None:
    image = pair(20, 15, 1.0, seed=8)[0]
    assert ours(image, image, 1.0) == pytest.approx(1.0, abs=TOLERANCE, rel=0)
    assert ours(np.zeros((7, 7)), np.zeros((7, 7)), 1.0) == 1.0


def test_an_inverted_image_has_negative_similarity() -> None:
    image = pair(32, 32, 1.0, seed=9)[0]
    inverted = 1 - image
    assert ours(image, inverted, 1.0) < -0.5
    assert ours(image, inverted, 1.0) == pytest.approx(theirs(image, inverted, 1.0), abs=TOLERANCE, rel=0)


def test_order_does_not_matter() -> None:
    first, second = pair(12, 12, 1.0, seed=10)
    assert ours(first, second, 1.0) == pytest.approx(ours(second, first, 1.0), abs=1e-14, rel=0)


def test_map_equals_the_inside_of_scikit_images() -> None:
    first, second = pair(17, 11, 255.0, seed=11)
    found = ssim_map(first.reshape(-1).tolist(), second.reshape(-1).tolist(), 17, 11, 255.0)
    full = structural_similarity(first, second, data_range=255.0, full=True)[1]
    assert len(found) == 11 * 5
    np.testing.assert_allclose(np.reshape(found, (5, 11)), full[3:-3, 3:-3], rtol=0, atol=TOLERANCE)


def test_images_must_hold_a_window_and_have_the_stated_size() -> None:
    with pytest.raises(ValueError, match="at least 7 x 7 values, not 6 x 9"):
        ssim([0.0] * 54, [0.0] * 54, 6, 9, 1.0)
    with pytest.raises(ValueError, match="at least 7 x 7 values, not 9 x 6"):
        ssim_map([0.0] * 54, [0.0] * 54, 9, 6, 1.0)
    with pytest.raises(ValueError, match="needs 49 values, not 49 and 48"):
        ssim([0.0] * 49, [0.0] * 48, 7, 7, 1.0)
