"""Corrections of a network's input are those of NumPy, and every row of the table has its literal and its words."""

from array import array

import numpy as np
import pytest

from sitegen_runtime.pixels.corrections import CORRECTIONS, corrected, inverted
from tests.helpers.runtime.models import network_input

SIDE = 9
# What becomes of [[0, 0.25], [0.5, 1]], row by row.
LITERALS = {
    "turn-90": [0.5, 0.0, 1.0, 0.25],  # what was at the lower left is at the upper left
    "turn-180": [1.0, 0.5, 0.25, 0.0],
    "turn-270": [0.25, 1.0, 0.0, 0.5],
    "invert": [1.0, 0.75, 0.5, 0.0],
}
WORDS = {
    "turn-90": "turned by 90° clockwise. Turn by 90° clockwise and analyse",
    "turn-180": "turned by 180°. Turn by 180° and analyse",
    "turn-270": "turned by 90° anticlockwise. Turn by 90° anticlockwise and analyse",
    "invert": "inverted. Invert and analyse",
}


def test_every_correction_has_a_literal_case_and_words_here() -> None:
    assert list(LITERALS) == list(CORRECTIONS)
    assert list(WORDS) == list(CORRECTIONS)


@pytest.mark.parametrize("correction", LITERALS)
def test_literal_corrections(correction: str) -> None:
    assert list(corrected([0.0, 0.25, 0.5, 1.0], correction, network_input(2))) == LITERALS[correction]
    row = CORRECTIONS[correction]
    assert f"{row.done}. {row.button} and analyse" == WORDS[correction]


@pytest.mark.parametrize(("turn", "quarters"), [("turn-90", 1), ("turn-180", 2), ("turn-270", 3)])
@pytest.mark.parametrize("colour", ["grey", "rgb"])
def test_turns_are_clockwise(turn: str, quarters: int, colour: str) -> None:
    entry = network_input(SIDE, colour)
    image = np.random.default_rng(0).uniform(0, 1, entry.shape).astype(np.float32)
    found = corrected(array("f", image.reshape(-1).tolist()), turn, entry)
    assert np.array_equal(np.reshape(found, entry.shape), np.rot90(image, -quarters, axes=(2, 3)))


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
