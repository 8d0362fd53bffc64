"""Inputs that are no square: what is seen of an image, and the tensor against overlaps that NumPy adds up."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageOps

from sitegen.phantom import phantom
from sitegen_runtime.bundle.model import Fit, NetworkInput
from sitegen_runtime.pixels.geometry import ORIENTATIONS, Place
from sitegen_runtime.pixels.preprocess import PixelFormat, Preprocessor
from sitegen_runtime.pixels.views import View, view
from tests.helpers.runtime.models import network_input


def entry(
    fit: Fit, grid: tuple[int, int], fraction: float = 1.0, colour: str = "grey", fill: float = 0.0
) -> NetworkInput:
    made = network_input(grid[0], colour, columns=grid[1], fraction=fraction)
    return replace(made, fit=fit, fill=(fill,) * made.shape[1] if fit == "pad" else ())


def tensor(stored: np.ndarray, given: NetworkInput, orientation: int = 1) -> np.ndarray:
    channels = 1 if stored.ndim == 2 else 3
    preprocessor = Preprocessor(
        stored.shape[1], stored.shape[0], orientation, PixelFormat(channels), {"classifier": given}
    )
    left, top, width, height = preprocessor.window
    preprocessor.add_rows(np.ascontiguousarray(stored[top : top + height, left : left + width]).tobytes())
    return np.array(preprocessor.tensors()["classifier"]).reshape(given.shape)[0]


@pytest.mark.parametrize(
    ("size", "given", "expected", "place"),
    [
        ((200, 100), entry("crop", (8, 16)), View(Place(0, 0, 200, 100), 16, 8, 0, 0, (8, 16)), None),
        ((100, 200), entry("crop", (8, 16)), View(Place(0, 75, 100, 50), 16, 8, 0, 0, (8, 16)), None),
        ((300, 100), entry("crop", (8, 16)), View(Place(50, 0, 200, 100), 16, 8, 0, 0, (8, 16)), None),
        ((300, 100), entry("crop", (16, 8)), View(Place(125, 0, 50, 100), 8, 16, 0, 0, (16, 8)), None),
        ((300, 100), entry("crop", (8, 16), 0.5), View(Place(100, 25, 100, 50), 16, 8, 0, 0, (8, 16)), None),
        ((101, 99), entry("crop", (3, 4)), View(Place(0, 11, 101, 76), 4, 3, 0, 0, (3, 4)), None),
        ((16, 900), entry("crop", (3, 400)), View(Place(0, 449, 16, 1), 400, 3, 0, 0, (3, 400)), None),
        ((200, 100), entry("squash", (16, 8)), View(Place(0, 0, 200, 100), 8, 16, 0, 0, (16, 8)), None),
        ((200, 100), entry("pad", (8, 16)), View(Place(0, 0, 200, 100), 16, 8, 0, 0, (8, 16)), None),
        ((100, 100), entry("pad", (8, 16)), View(Place(0, 0, 100, 100), 8, 8, 4, 0, (8, 16)), (-50, 0, 200, 100)),
        ((200, 100), entry("pad", (16, 8)), View(Place(0, 0, 200, 100), 8, 4, 0, 6, (16, 8)), (0, -150, 200, 400)),
        (
            (100, 300),
            entry("pad", (8, 16), 0.5),
            View(Place(0, 75, 100, 150), 5, 8, 5, 0, (8, 16)),
            (-100, 75, 320, 150),
        ),
        ((300, 100), entry("pad", (8, 16), 0.5), View(Place(75, 12, 150, 75), 16, 8, 0, 0, (8, 16)), (75, 12, 150, 75)),
    ],
)
def test_what_is_seen(
    size: tuple[int, int], given: NetworkInput, expected: View, place: tuple[float, float, float, float] | None
) -> None:
    found = view(*size, given)
    assert found == expected
    seen = found.seen
    wanted = place or (seen.left, seen.top, seen.width, seen.height)
    assert (found.place.left, found.place.top, found.place.width, found.place.height) == pytest.approx(wanted)


def overlaps(length: int, cells: int) -> np.ndarray:
    """How much of each pixel lies in each of so many equal parts of a side, as shares of a part: [cells, length]."""
    borders, pixels = np.arange(cells + 1) * length / cells, np.arange(length)
    right, left = (np.minimum(borders[1:, None], pixels + 1), np.maximum(borders[:-1, None], pixels))
    return np.asarray(np.maximum(0, right - left) * (cells / length))


def averaged(image: np.ndarray, rows: int, columns: int) -> np.ndarray:
    return np.einsum(
        "rh,hw...,cw->rc...", overlaps(image.shape[0], rows), image / 255, overlaps(image.shape[1], columns)
    )


@pytest.mark.parametrize("grid", [(12, 24), (24, 12), (9, 10)])
@pytest.mark.parametrize("size", [(61, 37), (37, 61), (16, 90), (24, 16)])
def test_squashing_averages_the_whole_image(grid: tuple[int, int], size: tuple[int, int]) -> None:
    image = np.random.default_rng(1).integers(0, 256, (size[1], size[0], 3)).astype(np.uint8)
    wanted = averaged(image, *grid).transpose(2, 0, 1)
    assert np.abs(tensor(image, entry("squash", grid, colour="rgb")) - wanted).max() < 1e-6


@pytest.mark.parametrize("grid", [(12, 24), (24, 12)])
def test_a_crop_averages_the_middle_of_that_form(grid: tuple[int, int]) -> None:
    image = phantom(3, 96)[:60]
    rows, columns = grid
    down, across = (48, 96) if columns > rows else (60, 30)  # as 2 : 1 and as 1 : 2
    top, left = (60 - down) // 2, (96 - across) // 2
    wanted = averaged(image[top : top + down, left : left + across], rows, columns)
    assert np.abs(tensor(image, entry("crop", grid))[0] - wanted).max() < 1e-6


@pytest.mark.parametrize("grid", [(12, 24), (24, 12)])
@pytest.mark.parametrize("turned", [False, True])
def test_padding_is_pillows_where_blocks_are_whole(grid: tuple[int, int], turned: bool) -> None:
    image = phantom(1, 96)[:48]
    image = np.ascontiguousarray(image.T) if turned else image
    wanted = ImageOps.pad(Image.fromarray(image), grid[::-1], Image.Resampling.BOX, color=51)
    made = tensor(image, entry("pad", grid, fill=0.2))[0]
    assert np.abs(made - np.asarray(wanted, np.float64) / 255).max() <= 1 / 255  # Pillow rounds twice


@pytest.mark.parametrize("fit", ["crop", "squash", "pad"])
@pytest.mark.parametrize("orientation", list(ORIENTATIONS))
def test_a_turned_file_is_its_upright_image(fit: Fit, orientation: int) -> None:
    stored = np.random.default_rng(3).integers(0, 256, (37, 61)).astype(np.uint8)
    tagged = Image.fromarray(stored)
    tagged.getexif()[0x0112] = orientation
    upright = np.asarray(ImageOps.exif_transpose(tagged))
    given = entry(fit, (9, 14), 0.9, fill=0.25)
    assert tensor(stored, given, orientation).tolist() == tensor(upright, given).tolist()
