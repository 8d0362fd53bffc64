"""Rows of pixels to tensors: strips of any height, every pixel format, against NumPy in float64."""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from sitegen_runtime.bundle.model import NetworkInput
from sitegen_runtime.errors import TooSmall
from sitegen_runtime.pixels.geometry import square
from sitegen_runtime.pixels.preprocess import PixelFormat, Preprocessor
from tests.helpers.runtime.models import network_input

RGBA, RGB, GREY = PixelFormat(4), PixelFormat(3), PixelFormat(1)


def noise(width: int, height: int, channels: int, bits: int = 8, seed: int = 0) -> np.ndarray:
    kind = np.uint8 if bits == 8 else np.dtype("<u2")
    return np.random.default_rng(seed).integers(0, 1 << bits, (height, width, channels)).astype(kind)


def tensors(
    stored: np.ndarray,
    pixels: PixelFormat,
    inputs: dict[str, NetworkInput],
    orientation: int = 1,
    strips: Sequence[int] = (),
) -> dict[str, np.ndarray]:
    """The tensors of an image whose rows come in strips of these heights, the rest in one."""
    preprocessor = Preprocessor(stored.shape[1], stored.shape[0], orientation, pixels, inputs)
    left, top, width, height = preprocessor.window
    window = stored[top : top + height, left : left + width]
    start = 0
    for strip in [*strips, height]:
        preprocessor.add_rows(window[start : start + strip].tobytes())
        start += strip
    return {
        role: np.array(values, dtype=np.float32).reshape(inputs[role].shape)
        for role, values in preprocessor.tensors().items()
    }


def reference(upright: np.ndarray, entry: NetworkInput, full_scale: int) -> np.ndarray:
    """The tensor of an upright image, height x width x colours, in NumPy and float64."""
    height, width = upright.shape[:2]
    side = int(min(height, width) * entry.fraction + 0.5)
    top, left = (height - side) // 2, (width - side) // 2
    weights = overlap_shares(side, entry.side)
    planes = []
    for channel in range(entry.shape[1]):
        plane = upright[top : top + side, left : left + side, channel].astype(np.float64)
        mean_sample = weights @ plane @ weights.T / full_scale
        low, high = entry.range
        planes.append((low + (high - low) * mean_sample - entry.mean[channel]) / entry.std[channel])
    return np.stack(planes)[None]


def overlap_shares(side: int, cells: int) -> np.ndarray:
    """Row c: which share of cell c each pixel makes up."""
    pixel = np.arange(side, dtype=np.float64)
    low = np.arange(cells)[:, None] * side / cells
    return np.clip(np.minimum(low + side / cells, pixel + 1) - np.maximum(low, pixel), 0, None) * cells / side


def grey_of(rgb: np.ndarray) -> np.ndarray:
    return np.asarray(Image.fromarray(rgb[..., :3]).convert("L"))[..., None]


@pytest.mark.parametrize(
    ("stored", "pixels", "upright"),
    [
        (noise(61, 47, 4), RGBA, grey_of(noise(61, 47, 4))),
        (noise(47, 61, 3), RGB, grey_of(noise(47, 61, 3))),
        (noise(50, 50, 1), GREY, noise(50, 50, 1)),
        (noise(61, 47, 1).repeat(4, axis=2), PixelFormat(4, grey=True), noise(61, 47, 1)),
        (noise(61, 47, 1, 16), PixelFormat(1, 16), noise(61, 47, 1, 16)),
    ],
    ids=["rgba", "rgb", "grey", "grey in rgba", "16-bit grey"],
)
def test_equals_float64(stored: np.ndarray, pixels: PixelFormat, upright: np.ndarray) -> None:
    entry = network_input(9, low=-1.0, high=1.0, mean=(0.1,), std=(0.3,))
    found = tensors(stored, pixels, {"classifier": entry})["classifier"]
    np.testing.assert_allclose(found, reference(upright, entry, pixels.full_scale), rtol=0, atol=2e-6)


def test_colour_network_with_its_own_normalisation() -> None:
    entry = network_input(9, "rgb", fraction=0.875, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
    stored = noise(61, 47, 4, seed=3)
    found = tensors(stored, RGBA, {"classifier": entry})["classifier"]
    np.testing.assert_allclose(found, reference(stored[..., :3], entry, 255), rtol=0, atol=2e-6)


def test_16_bit_colour() -> None:
    stored = noise(40, 33, 3, 16, seed=4)
    colour, grey = network_input(5, "rgb"), network_input(6)
    found = tensors(stored, PixelFormat(3, 16), {"colour": colour, "grey": grey})
    np.testing.assert_allclose(found["colour"], reference(stored, colour, 65535), rtol=0, atol=1e-6)
    red, green, blue = (stored[..., channel].astype(np.int64) for channel in range(3))
    luma = ((19595 * red + 38470 * green + 7471 * blue + 32768) >> 16)[..., None]
    np.testing.assert_allclose(found["grey"], reference(luma, grey, 65535), rtol=0, atol=1e-6)


@pytest.mark.parametrize("pixels", [GREY, PixelFormat(4, grey=True)])
def test_a_colour_network_sees_a_grey_image_three_times(pixels: PixelFormat) -> None:
    stored = noise(20, 20, 1).repeat(pixels.channels, axis=2)
    entry = network_input(5, "rgb", mean=(0.0, 0.5, 0.25), std=(1.0, 1.0, 0.5))
    found = tensors(stored, pixels, {"classifier": entry})["classifier"]
    np.testing.assert_allclose(found, reference(stored[..., :1].repeat(3, axis=2), entry, 255), rtol=0, atol=1e-6)


def test_literal_16_bit_shares_full_scale() -> None:
    stored = np.full((16, 16, 1), 65535, dtype="<u2")
    stored[:8] = 13107  # a fifth
    found = tensors(stored, PixelFormat(1, 16), {"gate": network_input(2, high=5.0)})["gate"]
    assert found.reshape(-1).tolist() == [1.0, 1.0, 5.0, 5.0]


@given(
    width=st.integers(16, 50),
    height=st.integers(16, 50),
    strips=st.lists(st.integers(1, 20), max_size=6),
    kind=st.sampled_from([RGBA, RGB, GREY, PixelFormat(1, 16), PixelFormat(3, 16), PixelFormat(4, grey=True)]),
    orientation=st.integers(1, 8),
)
@settings(max_examples=60)
def test_strips_of_any_height_give_the_same_tensors(
    width: int, height: int, strips: list[int], kind: PixelFormat, orientation: int
) -> None:
    stored = noise(width, height, kind.channels, kind.sample_bits, seed=width)
    inputs = {"classifier": network_input(7, "rgb"), "gate": network_input(5, fraction=0.6)}
    whole = tensors(stored, kind, inputs, orientation)
    parts = tensors(stored, kind, inputs, orientation, strips)
    assert {role: values.tobytes() for role, values in parts.items()} == {
        role: values.tobytes() for role, values in whole.items()
    }


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(("width", "height"), [(41, 30), (30, 41)])
def test_orientation_equals_turning_the_image_first(width: int, height: int, orientation: int) -> None:
    stored = noise(width, height, 3, seed=orientation)
    image = Image.fromarray(stored)
    image.getexif()[0x0112] = orientation
    upright = np.asarray(ImageOps.exif_transpose(image))
    inputs = {"classifier": network_input(7, "rgb"), "gate": network_input(11, fraction=0.7)}
    assert_same(tensors(stored, RGB, inputs, orientation), tensors(upright, RGB, inputs))


def test_networks_do_not_disturb_each_other() -> None:
    stored = noise(64, 48, 4, seed=5)
    inputs = {
        "classifier": network_input(12, "rgb"),
        "gate": network_input(8),
        "inner": network_input(10, fraction=0.5),
    }
    alone = {role: tensors(stored, RGBA, {role: entry})[role] for role, entry in inputs.items()}
    assert_same(tensors(stored, RGBA, inputs), alone)


def test_window_covers_all_squares_and_no_more() -> None:
    inputs = {"large": network_input(4), "small": network_input(4, fraction=0.5)}
    preprocessor = Preprocessor(100, 40, 6, GREY, inputs)
    assert preprocessor.window == (30, 0, 40, 40)
    assert {role: view.place for role, view in preprocessor.views.items()} == {
        "large": square(0, 30, 40),
        "small": square(10, 40, 20),
    }


def test_an_image_of_fewer_pixels_than_cells_is_enlarged_exactly() -> None:
    stored = noise(16, 16, 1, seed=6)
    found = tensors(stored, GREY, {"classifier": network_input(48)})["classifier"]
    expected = (stored[..., 0].astype(np.float64) / 255).astype(np.float32)
    assert found.reshape(48, 48).tolist() == expected.repeat(3, axis=0).repeat(3, axis=1).tolist()


def test_rounding_is_that_of_the_exact_fraction() -> None:
    stored = noise(17, 17, 1, seed=7)
    found = tensors(stored, GREY, {"classifier": network_input(1)})["classifier"]
    assert found.item() == np.float32(float(Fraction(int(stored.sum(dtype=np.int64)), 289 * 255)))


@pytest.mark.parametrize(("width", "height"), [(15, 400), (400, 15), (1, 1)])
def test_too_small(width: int, height: int) -> None:
    with pytest.raises(TooSmall, match=f"{width} x {height} pixels; at least 16 x 16"):
        Preprocessor(width, height, 1, GREY, {"classifier": network_input(4)})


def assert_same(first: dict[str, np.ndarray], second: dict[str, np.ndarray]) -> None:
    assert first.keys() == second.keys()
    for role, values in first.items():
        np.testing.assert_array_equal(values, second[role], err_msg=role)
