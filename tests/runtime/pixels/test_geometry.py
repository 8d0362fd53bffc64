"""The centred square, and EXIF orientations against Pillow's."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from sitegen_runtime.pixels.geometry import (
    Place,
    orient,
    square,
    stored_place,
    turned,
    upright_size,
)
from tests.helpers.runtime.models import centred_square

ORIENTATIONS = range(1, 9)
ORIENTATION_TAG = 0x0112


def turned_by_pillow(stored: np.ndarray, orientation: int) -> np.ndarray:
    """The upright image, as Pillow makes it of a file with this orientation."""
    exif = Image.Exif()
    exif[ORIENTATION_TAG] = orientation
    file = io.BytesIO()
    Image.fromarray(stored).save(file, "PNG", exif=exif.tobytes())
    with Image.open(file) as image:
        return np.asarray(ImageOps.exif_transpose(image))


def numbered(width: int, height: int) -> np.ndarray:
    """An image whose pixels are all different."""
    return np.arange(width * height, dtype=np.uint8).reshape(height, width)


@pytest.mark.parametrize(
    ("width", "height", "fraction", "expected"),
    [
        (100, 100, 1.0, square(0, 0, 100)),
        (101, 100, 1.0, square(0, 0, 100)),  # floor(1 / 2) = 0
        (103, 100, 1.0, square(1, 0, 100)),
        (100, 105, 1.0, square(0, 2, 100)),
        (2544, 3056, 1.0, square(0, 256, 2544)),
        (256, 256, 0.875, square(16, 16, 224)),
        (300, 256, 0.875, square(38, 16, 224)),
        (5, 5, 0.5, square(1, 1, 3)),  # 2.5 is rounded up
        (7, 7, 0.5, square(1, 1, 4)),
        (3, 9, 0.1, square(1, 4, 1)),  # never less than one pixel
    ],
)
def test_centred_square(width: int, height: int, fraction: float, expected: Place) -> None:
    assert centred_square(width, height, fraction) == expected


@given(width=st.integers(1, 5000), height=st.integers(1, 5000), fraction=st.floats(0, 1, exclude_min=True, width=32))
def test_the_square_lies_inside_and_in_the_middle(width: int, height: int, fraction: float) -> None:
    place = centred_square(width, height, fraction)
    assert 1 <= place.width <= min(width, height)
    right, below = width - place.left - place.width, height - place.top - place.width
    assert right - place.left in (0, 1)
    assert below - place.top in (0, 1)


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_upright_size_equals_pillow(orientation: int) -> None:
    upright = turned_by_pillow(numbered(7, 5), orientation)
    assert upright_size(7, 5, orientation) == (upright.shape[1], upright.shape[0])


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_orient_equals_pillow(orientation: int) -> None:
    stored = numbered(6, 6)
    assert orient(stored.reshape(-1).tolist(), 6, orientation) == turned_by_pillow(stored, orientation).ravel().tolist()


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize(("width", "height"), [(13, 8), (8, 13), (14, 9), (9, 9)])
@pytest.mark.parametrize("fraction", [1.0, 0.6])
def test_turning_the_stored_place_gives_the_upright_one(
    width: int, height: int, fraction: float, orientation: int
) -> None:
    stored = numbered(width, height)
    upright = turned_by_pillow(stored, orientation)
    wanted = centred_square(upright.shape[1], upright.shape[0], fraction)
    found = stored_place(wanted, width, height, orientation)
    part = cut(stored, found).reshape(-1).tolist()
    assert orient(part, int(found.width), orientation) == cut(upright, wanted).reshape(-1).tolist()


def cut(image: np.ndarray, place: Place) -> np.ndarray:
    left, top, wide, high = map(int, (place.left, place.top, place.width, place.height))
    part = image[top : top + high, left : left + wide]
    assert part.shape == (high, wide)
    return part


@pytest.mark.parametrize("turn", ORIENTATIONS)
@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_a_turn_comes_after_the_orientation(orientation: int, turn: int) -> None:
    stored = numbered(4, 3)
    expected = turned_by_pillow(turned_by_pillow(stored, orientation), turn)
    assert np.array_equal(turned_by_pillow(stored, turned(orientation, turn)), expected)
