"""Distances against scikit-image and SciPy, window by window, for any shape, size, stride and depth."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import wasserstein_distance as scipy_wasserstein
from skimage.metrics import mean_squared_error as skimage_error
from skimage.metrics import structural_similarity

from sitegen.evaluation.reconstructions.body import body_of
from sitegen.evaluation.reconstructions.distances import mean_squared_error, ssim_map, wasserstein_distance
from sitegen.evaluation.reconstructions.measured import How, measure
from sitegen.evaluation.reconstructions.patches import (
    Patches,
    patch_errors,
    patch_similarity,
    patch_wasserstein,
    worst,
)
from sitegen.evaluation.reconstructions.planes import Plane
from sitegen.evaluation.reconstructions.windows import window_places, window_sums

WITHIN = 1e-9


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Plane, Plane, Patches]:
    """An image and its reconstruction, from alike to unrelated, flat to full of contrast, and windows that fit."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = draw(st.integers(7, 40)), draw(st.integers(7, 40))
    kind: Any = draw(st.sampled_from([np.uint8, np.uint16]))
    top = int(np.iinfo(kind).max)
    levels = draw(st.sampled_from([1, 2, 40, top]))
    image = rng.integers(0, levels, shape, endpoint=True)
    spread = draw(st.sampled_from([0, 3, top]))
    made = np.clip(image + rng.integers(-spread, spread, shape, endpoint=True), 0, top)
    return image.astype(kind), made.astype(kind), Patches(draw(st.integers(1, min(shape))), draw(st.integers(1, 45)))


def reference_places(length: int, size: int, stride: int) -> list[int]:
    return sorted({*range(0, length - size + 1, stride), length - size})


def some_of(places: list[int]) -> list[tuple[int, int]]:
    """Every so many places with their numbers, the last among them."""
    return [*list(enumerate(places))[:: max(1, len(places) // 5)], (len(places) - 1, places[-1])]


@settings(max_examples=40, deadline=None)
@given(pairs())
def test_every_window_has_the_value_of_scikit_image_and_scipy(given: tuple[Plane, Plane, Patches]) -> None:
    image, made, patches = given
    down, across = (reference_places(length, patches.size, patches.stride) for length in image.shape)
    errors, distances = patch_errors(image, made, patches), patch_wasserstein(image, made, patches)
    similarity = ssim_map(image, made)
    similar = patch_similarity(similarity, patches, image) if patches.size >= 7 and similarity is not None else None
    assert errors.shape == distances.shape == (len(down), len(across))
    for row, y in some_of(down):
        for column, x in some_of(across):
            first, second = (each[y : y + patches.size, x : x + patches.size] for each in (image, made))
            top = np.iinfo(image.dtype).max
            assert errors[row, column] == pytest.approx(skimage_error(first, second), abs=WITHIN)
            expected = scipy_wasserstein(first.ravel(), second.ravel())
            assert distances[row, column] == pytest.approx(expected, rel=WITHIN, abs=WITHIN)
            if similar is not None:
                expected = structural_similarity(first, second, data_range=top)
                assert similar[row, column] == pytest.approx(expected, abs=WITHIN)


@settings(max_examples=25, deadline=None)
@given(pairs())
def test_whole_images_have_the_values_of_scikit_image_and_scipy(given: tuple[Plane, Plane, Patches]) -> None:
    image, made, _ = given
    assert mean_squared_error(image, made) == pytest.approx(skimage_error(image, made), abs=WITHIN)
    expected = scipy_wasserstein(image.ravel(), made.ravel())
    assert wasserstein_distance(image, made) == pytest.approx(expected, rel=WITHIN, abs=WITHIN)
    similarity = ssim_map(image, made)
    expected = structural_similarity(image, made, data_range=np.iinfo(image.dtype).max)
    assert similarity is not None
    assert similarity.mean() == pytest.approx(expected, abs=WITHIN)


def test_parts_of_a_large_image_have_the_same_values_as_the_whole() -> None:
    """Larger than what is worked on at once, so that windows lie across the borders of such parts."""
    rng = np.random.default_rng(1)
    image, made = (rng.integers(0, 4, (300, 530)).astype(np.uint8) * 80 for _ in range(2))
    found = patch_wasserstein(image, made, Patches(19, 1))
    for y, x in [(0, 0), (255, 256), (257, 250), (281, 511), (240, 300)]:
        first, second = (each[y : y + 19, x : x + 19].ravel() for each in (image, made))
        assert found[y, x] == pytest.approx(scipy_wasserstein(first, second), abs=WITHIN)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_both_ways_to_the_wasserstein_distance_give_the_same(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(4)
    image, made = (rng.integers(0, np.iinfo(kind).max, (30, 41), endpoint=True).astype(kind) for _ in range(2))
    found = []
    for above in (0, 10**9):
        monkeypatch.setattr("sitegen.evaluation.reconstructions.patches.SORTED_ABOVE", above)
        found.append(patch_wasserstein(image, made, Patches(9, 2)))
    assert (found[0] == found[1]).all()


def test_sums_do_not_overflow() -> None:
    plane = np.full((200, 200), 65535**2, np.int64)
    assert window_sums(plane, 200, np.array([0]), np.array([0]), 65535**2).tolist() == [[200 * 200 * 65535**2]]
    small = np.full((300, 300), -1, np.int8)
    assert window_sums(small, 299, np.array([0, 1]), np.array([1]), 1).tolist() == [[-89401], [-89401]]


def test_windows_reach_the_far_border() -> None:
    assert window_places(10, 4, 3).tolist() == [0, 3, 6]
    assert window_places(11, 4, 3).tolist() == [0, 3, 6, 7]
    assert window_places(4, 4, 9).tolist() == [0]
    with pytest.raises(ValueError, match="window of 5 pixels is larger than the 4 pixels"):
        window_places(4, 5, 1)


def test_the_worst_window_is_where_the_object_is() -> None:
    image = np.full((50, 70), 90, np.uint8)
    made = image.copy()
    image[46:50, 66:70] = 250  # in the last rows and columns
    found = measure(image, made, How(patches=Patches(4, 1)))
    assert [(found.worst[name].x, found.worst[name].y) for name in ("mse", "wasserstein")] == [(66, 46), (66, 46)]
    assert found.cells["patch_mse"] == 160**2
    assert found.cells["patch_wasserstein"] == 160
    assert found.cells["mse"] == 160**2 * 16 / 3500
    assert "patch_ssim" not in found.cells
    assert "no SSIM of patches: it needs 7 pixels a side, not 4" in found.notes


def test_of_equal_windows_the_first_in_rows_is_told() -> None:
    values = np.array([[1.0, 3.0], [3.0, 0.0]])
    found = worst(values, np.zeros((5, 5), np.uint8), Patches(4, 1))
    assert (found.x, found.y, found.value) == (1, 0, 3.0)


def test_the_body_is_the_largest_part_without_holes() -> None:
    image = np.zeros((9, 12), np.uint8)
    image[1:6, 1:6] = 9
    image[3, 3] = 0  # a hole
    image[6, 6] = 9  # across a corner
    image[2:4, 9:11] = 200  # a smaller part
    expected: NDArray[np.bool_] = np.zeros((9, 12), np.bool_)
    expected[1:6, 1:6] = expected[6, 6] = True
    assert (body_of(image) == expected).all()
    assert (body_of(image, 9) == (image == 200)).all()
    assert not body_of(image, 200).any()


def test_distances_of_the_body_are_of_its_pixels() -> None:
    rng = np.random.default_rng(2)
    image, made = (rng.integers(0, 256, (30, 30)).astype(np.uint8) for _ in range(2))
    mask = np.zeros((30, 30), np.bool_)
    mask[5:20, 8:30] = True
    found = measure(image, made, How(("body",)), mask).cells
    assert found["body_pixels"] == 330
    assert found["body_mse"] == pytest.approx(skimage_error(image[mask], made[mask]), abs=WITHIN)
    assert found["body_wasserstein"] == pytest.approx(scipy_wasserstein(image[mask], made[mask]), abs=WITHIN)
    _, whole = structural_similarity(image, made, data_range=255, full=True)
    inside = mask & (np.pad(np.ones((24, 24)), 3) > 0)
    assert found["body_ssim"] == pytest.approx(whole[inside].mean(), abs=WITHIN)
    assert "mse" not in found


def test_what_does_not_exist_is_said_and_left_out() -> None:
    found = measure(np.zeros((5, 9), np.uint8), np.zeros((5, 9), np.uint8), How())
    assert "every grey value of the image is 0" in found.notes
    assert "no body: no pixel is above 0, or in the mask" in found.notes
    assert "a patch of 32 pixels is larger than the image, 9 x 5 pixels of 8 bits" in found.notes
    assert found.cells["mse"] == 0
    assert not {"ssim", "body_mse", "patch_mse"} & found.cells.keys()
