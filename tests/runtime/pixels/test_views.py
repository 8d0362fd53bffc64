"""Crop, squash and pad: what is seen, where the input lies in the image, and tensors against Pillow's resizing."""

from array import array
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageOps

from sitegen.phantom import phantom
from sitegen_runtime.bundle.model import Fit, NetworkInput
from sitegen_runtime.pixels.geometry import ORIENTATIONS, Place
from sitegen_runtime.pixels.preprocess import PixelFormat, Preprocessor
from sitegen_runtime.pixels.views import View, padded, unpadded, view
from tests.helpers.runtime.models import network_input

LEVEL = 1 / 255


def entry(fit: Fit, cells: int = 8, fraction: float = 1.0, colour: str = "grey", fill: float = 0.0) -> NetworkInput:
    made = network_input(cells, colour, fraction=fraction)
    return replace(made, fit=fit, fill=(fill,) * made.shape[1] if fit == "pad" else ())


def tensor(stored: np.ndarray, given: NetworkInput, orientation: int = 1) -> np.ndarray:
    grey = stored.ndim == 2
    preprocessor = Preprocessor(
        stored.shape[1], stored.shape[0], orientation, PixelFormat(1 if grey else 3), {"classifier": given}
    )
    left, top, width, height = preprocessor.window
    preprocessor.add_rows(np.ascontiguousarray(stored[top : top + height, left : left + width]).tobytes())
    return np.array(preprocessor.tensors()["classifier"]).reshape(given.shape)[0]


@pytest.mark.parametrize(
    ("size", "given", "expected", "place"),
    [
        ((200, 100), entry("crop"), View(Place(50, 0, 100, 100), 8, 8, 0, 0, (8, 8)), (50, 0, 100, 100)),
        ((200, 100), entry("squash"), View(Place(0, 0, 200, 100), 8, 8, 0, 0, (8, 8)), (0, 0, 200, 100)),
        (
            (201, 100),
            entry("squash", fraction=0.5),
            View(Place(50, 25, 101, 50), 8, 8, 0, 0, (8, 8)),
            (50, 25, 101, 50),
        ),
        ((200, 100), entry("pad"), View(Place(0, 0, 200, 100), 8, 4, 0, 2, (8, 8)), (0, -50, 200, 200)),
        ((100, 300), entry("pad"), View(Place(0, 0, 100, 300), 3, 8, 2, 0, (8, 8)), (-200 / 3, 0, 800 / 3, 300)),
        ((200, 100), entry("pad", fraction=0.8), View(Place(20, 0, 160, 100), 8, 5, 0, 1, (8, 8)), (20, -20, 160, 160)),
        ((200, 100), entry("pad", fraction=0.5), View(Place(50, 0, 100, 100), 8, 8, 0, 0, (8, 8)), (50, 0, 100, 100)),
        ((1000, 16), entry("pad"), View(Place(0, 0, 1000, 16), 8, 1, 0, 3, (8, 8)), (0, -48, 1000, 128)),
    ],
)
def test_what_is_seen(
    size: tuple[int, int], given: NetworkInput, expected: View, place: tuple[float, float, float, float]
) -> None:
    found = view(*size, given)
    assert found == expected
    assert (found.place.left, found.place.top, found.place.width, found.place.height) == pytest.approx(place)


def test_squashing_is_pillows_where_blocks_are_whole() -> None:
    image = phantom(1, 96)[:64]  # 96 x 64, whose blocks of 12 x 8 pixels are the cells
    wanted = np.asarray(Image.fromarray(image).resize((8, 8), Image.Resampling.BOX), np.float64) / 255
    assert np.abs(tensor(image, entry("squash"))[0] - wanted).max() <= LEVEL  # Pillow rounds twice


def test_padding_is_pillows_where_blocks_are_whole() -> None:
    image = np.stack([phantom(seed, 96)[:48] for seed in (1, 2, 3)], axis=-1)
    fill = (51, 102, 204)
    given = replace(entry("pad", colour="rgb"), fill=tuple(level / 255 for level in fill))
    wanted = ImageOps.pad(Image.fromarray(image), (8, 8), Image.Resampling.BOX, color=fill)
    made = tensor(image, given)
    assert np.abs(made - np.asarray(wanted, np.float64).transpose(2, 0, 1) / 255).max() <= LEVEL
    assert made[:, [0, 1, 6, 7]].tolist() == [
        [[float(np.float32(level / 255))] * 8] * 4 for level in fill
    ]  # the fill is a fill to the last cell


@pytest.mark.parametrize("fit", ["squash", "pad"])
def test_other_sizes_differ_from_pillows_by_resampling_alone(fit: Fit) -> None:
    image = phantom(4, 200)[:137]
    picture, method = Image.fromarray(image), Image.Resampling.BILINEAR
    wanted = picture.resize((32, 32), method) if fit == "squash" else ImageOps.pad(picture, (32, 32), method)
    apart = np.abs(tensor(image, entry(fit, 32))[0] - np.asarray(wanted, np.float64) / 255)
    assert apart.mean() < 0.01  # and 0.04 for the centred square, which is another part of the image
    assert np.abs(tensor(image, entry("crop", 32))[0] - np.asarray(wanted, np.float64) / 255).mean() > 0.03


@pytest.mark.parametrize("fit", ["squash", "pad"])
@pytest.mark.parametrize("orientation", list(ORIENTATIONS))
def test_a_turned_file_is_its_upright_image(fit: Fit, orientation: int) -> None:
    stored = np.random.default_rng(3).integers(0, 256, (37, 61)).astype(np.uint8)
    tagged = Image.fromarray(stored)
    tagged.getexif()[0x0112] = orientation
    upright = np.asarray(ImageOps.exif_transpose(tagged))
    given = entry(fit, 9, 0.9, fill=0.25)
    assert tensor(stored, given, orientation).tolist() == tensor(upright, given).tolist()


def test_what_is_padded_can_be_taken_out_again() -> None:
    given = replace(entry("pad", 4, fill=0.5), range=(-1.0, 1.0), mean=(0.25,), std=(0.5,))
    seen = view(40, 20, given)
    assert padded(array("f", range(8)), seen, given).tolist() == [-0.5] * 4 + list(range(8)) + [-0.5] * 4
    assert unpadded([*[9.0] * 4, *range(8), *[9.0] * 4], seen) == list(range(8))
