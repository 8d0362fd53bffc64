"""Fillings, against NumPy and PyTorch's interpolation."""

from array import array

import numpy as np
import pytest
from scipy.ndimage import uniform_filter
from torch import tensor
from torch.nn.functional import interpolate

from sitegen_runtime.bundle.model import NetworkInput
from sitegen_runtime.errors import BadIntervention
from sitegen_runtime.interventions.fillings import FILLINGS, Canvas, Rebuilt, blur_radius
from sitegen_runtime.pixels.geometry import Place, square
from tests.helpers.runtime.models import network_input

WHOLE = square(0, 0, 40)
RGB = network_input(8, "rgb", low=-1.0, high=1.0, mean=(0.1, 0.2, 0.3), std=(0.5, 0.25, 2.0))
IMAGE = np.random.default_rng(1).normal(0, 1, (3, 8, 8)).astype(np.float32)


def canvas(entry: NetworkInput = RGB, rebuilt: Rebuilt | None = None, square: Place = WHOLE) -> Canvas:
    values = IMAGE[: len(entry.mean)]
    return Canvas(array("f", values.ravel().tolist()), entry, square, rebuilt)


def filled(name: str, drawn: Canvas) -> np.ndarray:
    return np.array(drawn.filled(name)).reshape(-1, 8, 8)


def test_black_is_the_least_of_the_range_and_mean_that_of_each_channel() -> None:
    levels = filled("black", canvas())[:, 0, 0]
    assert np.allclose(levels, [(-1 - 0.1) / 0.5, (-1 - 0.2) / 0.25, (-1 - 0.3) / 2])
    means = filled("mean", canvas())
    assert np.allclose(means, IMAGE.astype(np.float64).mean((1, 2))[:, None, None] * np.ones((8, 8)))


def test_blur_is_three_running_means() -> None:
    expected = IMAGE[0].astype(np.float64)
    for _ in range(3):
        expected = uniform_filter(expected, 3, mode="nearest")
    assert blur_radius(8) == 1
    assert blur_radius(256) == 16
    inner = filled("blur", canvas())[0][3:5, 3:5]  # away from the edges, where the two pad at other moments
    assert np.allclose(inner, expected[3:5, 3:5], atol=1e-6)


def test_the_reconstruction_is_enlarged_and_normalised() -> None:
    shares = np.random.default_rng(2).random((1, 1, 4, 4))
    drawn = filled("reconstruction", canvas(rebuilt=Rebuilt(shares.ravel().tolist(), 4, WHOLE)))
    wide = interpolate(tensor(shares), (8, 8), mode="bilinear", align_corners=False).numpy()[0, 0]
    for plane, mean, std in zip(drawn, RGB.mean, RGB.std, strict=True):
        assert np.allclose(plane, (-1 + 2 * wide - mean) / std, atol=1e-5)


def test_a_reconstruction_of_another_square_lies_where_it_belongs() -> None:
    ramp = np.tile(np.arange(4) / 4, (4, 1))  # rises from left to right over a square of 80 pixels
    rebuilt = Rebuilt(ramp.ravel().tolist(), 4, square(0, 0, 80))
    drawn = filled("reconstruction", canvas(network_input(8), rebuilt, square(20, 20, 40)))
    centres = 20 + (np.arange(8) + 0.5) * 5  # in pixels
    assert np.allclose(drawn[0], np.tile((centres / 20 - 0.5) / 4, (8, 1)), atol=1e-6)


def test_a_mask_changes_its_cells_in_every_channel_and_nothing_else() -> None:
    mask = bytes([0, 1, *[0] * 61, 1])
    changed = np.array(canvas().changed(mask, "mean")).reshape(3, 64)
    means, flat = IMAGE.astype(np.float64).mean((1, 2)), IMAGE.reshape(3, 64)
    assert np.allclose(changed[:, [1, 63]], means[:, None])
    assert np.array_equal(np.delete(changed, [1, 63], 1), np.delete(flat, [1, 63], 1))


def test_fillings_that_cannot_be_had() -> None:
    with pytest.raises(BadIntervention, match=r"has no gate|no gate\. Use one of 'black', 'mean', 'blur'"):
        canvas().filled("reconstruction")
    with pytest.raises(BadIntervention, match=r"no filling 'white'\. The fillings are 'black'"):
        canvas().filled("white")
    assert list(FILLINGS) == ["black", "mean", "blur", "reconstruction"]
