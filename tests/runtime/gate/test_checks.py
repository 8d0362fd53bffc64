"""Checks of the picture itself, and the sample of its colours."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sitegen_runtime.gate.checks import (
    LARGEST_ASPECT,
    LARGEST_COLOUR,
    SMALLEST_CONTRAST,
    blank_check,
    colour_check,
    narrow_check,
    small_check,
)
from sitegen_runtime.pixels.colour_sample import ColourSample
from sitegen_runtime.pixels.preprocess import PixelFormat, Preprocessor
from tests.helpers.runtime.models import network_input

SIDE = 8


def sampled(pixels: np.ndarray, bits: int = 8) -> float:
    """The mean colour of an image, height x width x channels."""
    sample = ColourSample()
    height, width, channels = pixels.shape
    sample.expect(width, height, channels, bits)
    for number, row in enumerate(pixels.astype("u1" if bits == 8 else "<u2")):
        sample.take(number, memoryview(row.tobytes()))
    return sample.mean


def grid(length: int) -> np.ndarray:
    step = max(1, length // 48)
    return np.arange(step // 2, length, step)


@given(
    width=st.integers(1, 200), height=st.integers(1, 200), channels=st.sampled_from([3, 4]), seed=st.integers(0, 2**32)
)
def test_the_colour_is_that_of_a_grid_of_pixels(width: int, height: int, channels: int, seed: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, channels))
    seen = pixels[grid(height)][:, grid(width), :3]
    expected = (seen.max(axis=2) - seen.min(axis=2)).mean() / 255
    assert sampled(pixels) == pytest.approx(expected, abs=1e-12)
    assert sampled(pixels * 257, bits=16) == sampled(pixels)  # alpha, if any, counts in neither


def test_literal_colours() -> None:
    red = np.zeros((60, 70, 3), np.uint8)
    red[..., 0] = 255
    assert sampled(red) == 1.0
    assert sampled(np.full((60, 70, 3), 99)) == 0.0


@pytest.mark.parametrize(("size", "most"), [((40, 50), 40 * 50), ((4000, 3000), 96 * 96)])
def test_few_pixels_of_a_large_image_are_looked_at(size: tuple[int, int], most: int) -> None:
    assert len(grid(size[0])) * len(grid(size[1])) <= most


@pytest.mark.parametrize(
    "pixels", [PixelFormat(1), PixelFormat(1, 16), PixelFormat(4, grey=True)], ids=["grey", "deep", "known to be grey"]
)
def test_a_grey_file_costs_nothing(pixels: PixelFormat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(ColourSample, "take")
    sample = ColourSample()
    preprocessor = Preprocessor(30, 20, 1, pixels, {"gate": network_input(4)}, sample)
    preprocessor.add_rows(bytes(preprocessor.window[2] * preprocessor.window[3] * pixels.pixel_bytes))
    assert sample.mean == 0.0


@pytest.mark.parametrize("strips", [1, 7, 20])
def test_rows_are_sampled_as_they_pass(strips: int) -> None:
    stored = np.random.default_rng(5).integers(0, 256, (140, 160, 4)).astype(np.uint8)
    sample = ColourSample()
    preprocessor = Preprocessor(160, 140, 1, PixelFormat(4), {"gate": network_input(4)}, sample)
    left, top, width, height = preprocessor.window
    window = stored[top : top + height, left : left + width]
    for start in range(0, height, strips):
        preprocessor.add_rows(window[start : start + strips].tobytes())
    assert sample.mean == sampled(window)


@pytest.mark.parametrize(("colour", "found"), [(0.0, []), (LARGEST_COLOUR, []), (LARGEST_COLOUR + 1e-9, ["colour"])])
def test_colour(colour: float, found: list[str]) -> None:
    assert [check.check for check in colour_check(colour)] == found


@pytest.mark.parametrize(("contrast", "found"), [(0.0, ["blank"]), (0.0199, ["blank"]), (0.0201, []), (0.3, [])])
@pytest.mark.parametrize("low", [0.0, -1.0])
def test_blank(contrast: float, found: list[str], low: float) -> None:
    entry = network_input(SIDE, low=low)
    shares = 0.5 + contrast * np.tile([-1, 1], SIDE * SIDE // 2)  # of this standard deviation
    values = low + (1 - low) * shares
    assert [check.check for check in blank_check(values.tolist(), entry)] == found
    assert 0.0199 < SMALLEST_CONTRAST < 0.0201


@pytest.mark.parametrize(("side", "found"), [(63, ["small"]), (64, []), (3000, [])])
def test_small(side: int, found: list[str]) -> None:
    checks = list(small_check(side, 64))
    assert [check.check for check in checks] == found
    assert all("63 x 63 pixels of it, and at least 64 x 64 are needed" in check.message for check in checks)


@pytest.mark.parametrize(("width", "height", "found"), [(300, 100, []), (100, 300, []), (301, 100, ["narrow"])])
def test_narrow(width: int, height: int, found: list[str]) -> None:
    assert LARGEST_ASPECT == 3
    assert [check.check for check in narrow_check(width, height)] == found
    assert [check.check for check in narrow_check(height, width)] == found
