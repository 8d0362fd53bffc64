"""Variants of a network's input are those of NumPy; the one that is rebuilt best is offered where it gains enough."""

from array import array

import numpy as np
import pytest
from skimage.metrics import structural_similarity

from sitegen_runtime.gate.variants import (
    CORRECTIONS,
    SMALLEST_GAIN,
    Variant,
    closest,
    corrected,
    inverted,
    is_offered,
)
from tests.helpers.runtime.models import network_input

SIDE = 9


@pytest.mark.parametrize(("turn", "quarters"), [("turn-90", 1), ("turn-180", 2), ("turn-270", 3)])
@pytest.mark.parametrize("colour", ["grey", "rgb"])
def test_turns_are_clockwise(turn: str, quarters: int, colour: str) -> None:
    entry = network_input(SIDE, colour)
    image = np.random.default_rng(0).uniform(0, 1, entry.shape).astype(np.float32)
    found = corrected(array("f", image.reshape(-1).tolist()), turn, entry)
    assert np.array_equal(np.reshape(found, entry.shape), np.rot90(image, -quarters, axes=(2, 3)))


def test_a_literal_turn() -> None:
    found = corrected([1.0, 2.0, 3.0, 4.0], "turn-90", network_input(2))
    assert list(found) == [3.0, 1.0, 4.0, 2.0]  # what was at the lower left is at the upper left


@pytest.mark.parametrize(
    ("low", "high", "mean", "std"),
    [
        (0.0, 1.0, (0.0,), (1.0,)),
        (-1.0, 1.0, (0.0,), (1.0,)),
        (-1024.0, 1024.0, (0.0,), (1.0,)),
        (0.0, 1.0, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    ],
)
def test_inversion_makes_of_each_share_one_less_the_share(
    low: float, high: float, mean: tuple[float, ...], std: tuple[float, ...]
) -> None:
    entry = network_input(SIDE, "grey" if len(mean) == 1 else "rgb", low=low, high=high, mean=mean, std=std)
    shares = np.random.default_rng(1).integers(0, 256, entry.shape) / 255

    def values(of: np.ndarray) -> np.ndarray:
        bias, scale = np.reshape(mean, (-1, 1, 1)), np.reshape(std, (-1, 1, 1))
        return ((low + (high - low) * of - bias) / scale).astype(np.float32)

    found = inverted(array("f", values(shares).reshape(-1).tolist()), entry)
    assert found.typecode == "f"
    spacing = np.spacing(np.abs(values(shares)).max())  # what the first rounding to float32 can cost
    np.testing.assert_allclose(np.reshape(found, entry.shape), values(1 - shares), rtol=0, atol=spacing)


def test_literal_inversions() -> None:
    assert list(inverted([0.0, 0.25, 1.0, 0.75], network_input(2))) == [1.0, 0.75, 0.0, 0.25]
    assert list(inverted([-1.0, 0.5, 1.0, 0.0], network_input(2, low=-1.0))) == [1.0, -0.5, -1.0, 0.0]


def test_the_closest_variant_has_the_least_squared_error_and_its_ssim() -> None:
    random = np.random.default_rng(2)
    images = random.uniform(0, 1, (4, SIDE * SIDE))
    errors = [0.3, 0.2, 0.05, 0.1]
    rebuilt = images + random.normal(0, 1, images.shape) * np.reshape(errors, (4, 1))
    pairs = {
        name: ([image.tolist()], [other.tolist()])
        for name, image, other in zip(CORRECTIONS, images, rebuilt, strict=True)
    }
    found = closest(pairs, SIDE)
    expected = structural_similarity(*(each[2].reshape(SIDE, SIDE) for each in (images, rebuilt)), data_range=1.0)
    assert found.correction == "turn-270"
    assert found.similarity == pytest.approx(expected, abs=1e-12)


def test_the_first_of_equals_is_the_closest() -> None:
    planes = [[0.5] * SIDE**2]
    assert closest(dict.fromkeys(CORRECTIONS, (planes, planes)), SIDE) == Variant("turn-90", 1.0)


@pytest.mark.parametrize(
    ("similarity", "as_it_is", "offered"),
    [
        (0.7, 0.3, True),
        (0.7, 0.7 - SMALLEST_GAIN - 1e-9, True),
        (0.7, 0.7 - SMALLEST_GAIN + 1e-9, False),
        (0.6, 0.3, True),
        (0.599, 0.3, False),  # not accepted either
        (0.7, 0.8, False),
    ],
)
def test_offered_where_accepted_and_better_by_enough(similarity: float, as_it_is: float, offered: bool) -> None:
    assert is_offered(Variant("invert", similarity), as_it_is, threshold=0.6) is offered
