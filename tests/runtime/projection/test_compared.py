"""An image beside its reconstruction: literal answers, and scikit-image's similarity."""

import numpy as np
import pytest
from skimage.metrics import structural_similarity

from sitegen_runtime.bundle.model import NetworkInput
from sitegen_runtime.projection.compared import compared, worst_patch


def entry(side: int, channels: int = 1) -> NetworkInput:
    colour = "grey" if channels == 1 else "rgb"
    shape = (1, channels, side, side)
    return NetworkInput("image", shape, colour, 1.0, (-1.0, 1.0), (0.0,) * channels, (1.0,) * channels)


def test_the_worst_patch_is_the_first_of_several() -> None:
    squares = np.zeros((8, 8))
    squares[2:4, 5:7] = squares[5:7, 1:3] = 0.5
    found = worst_patch(squares.ravel().tolist(), 8, 2)
    assert (found.x, found.y, found.size, found.error) == (5, 2, 2, 0.5)


@pytest.mark.parametrize("channels", [1, 3])
def test_errors_are_shares_of_the_range(channels: int) -> None:
    random = np.random.default_rng(1)
    image, made = random.uniform(-1, 1, (2, channels, 16, 16))
    found = compared(image.ravel().tolist(), made.ravel().tolist(), entry(16, channels))
    shares = (image + 1) / 2, (made + 1) / 2
    assert found.error == pytest.approx(((shares[0] - shares[1]) ** 2).mean())
    assert found.errors == pytest.approx(np.abs(shares[0] - shares[1]).mean(0).ravel().tolist())
    similar = np.mean([structural_similarity(*planes, data_range=1.0) for planes in zip(*shares, strict=True)])
    assert found.similarity == pytest.approx(similar)
    windows = np.lib.stride_tricks.sliding_window_view(((shares[0] - shares[1]) ** 2).mean(0), (4, 4)).mean((2, 3))
    assert found.worst.error == pytest.approx(windows.max())
    assert (found.worst.y, found.worst.x) == np.unravel_index(windows.argmax(), windows.shape)


def test_what_lies_outside_of_the_range_is_cut() -> None:
    found = compared([1.0] * 64, [3.0] * 64, entry(8))
    assert (found.error, set(found.errors), set(found.reconstruction[0])) == (0.0, {0.0}, {1.0})
