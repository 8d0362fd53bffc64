"""What a network saw of an image: literal squares, and every orientation and correction against marked pixels."""

import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from sitegen.bundle import Bundle
from sitegen.prediction import Predictor
from sitegen_runtime.pixels.corrections import CORRECTIONS
from sitegen_runtime.pixels.geometry import Place, upright_size
from sitegen_runtime.pixels.seen import seen_document
from tests.helpers.runtime.models import centred_square

TURNS = (None, *CORRECTIONS)
QUARTERS = {"turn-90": 3, "turn-180": 2, "turn-270": 1}  # anticlockwise, as NumPy turns


def seen(width: int, height: int, correction: str | None = None, **fractions: float) -> dict[str, Any]:
    """What the document says of an upright image, whose networks see these fractions."""
    turn = CORRECTIONS[correction].orientation if correction else 1
    turned = upright_size(width, height, turn)
    squares = {role: centred_square(*turned, fraction) for role, fraction in fractions.items()}
    return dict(seen_document(squares, "classifier", width, height, correction))


@pytest.mark.parametrize(
    ("width", "height", "fraction", "expected"),
    [
        (100, 100, 1.0, {"share": 1.0, "square": [0, 0, 100, 100]}),
        (200, 100, 1.0, {"share": 0.5, "square": [50, 0, 100, 100]}),
        (100, 400, 1.0, {"share": 0.25, "square": [0, 150, 100, 100]}),
        (103, 100, 1.0, {"share": 10000 / 10300, "square": [1, 0, 100, 100]}),
        (200, 100, 0.5, {"share": 0.125, "square": [75, 25, 50, 50]}),
    ],
)
def test_literal_squares(width: int, height: int, fraction: float, expected: dict[str, Any]) -> None:
    assert seen(width, height, classifier=fraction) == expected


def test_a_turned_image_has_its_square_in_the_file_s_own_frame() -> None:
    # 103 wide: one pixel is left off on the left and two on the right. Upside down it is the other way round.
    assert seen(103, 100, "turn-180", classifier=1.0)["square"] == [2, 0, 100, 100]
    # Turned clockwise, the left side is on top: floor(3 / 2) = 1 pixel is left off there.
    assert seen(103, 100, "turn-90", classifier=1.0)["square"] == [1, 0, 100, 100]
    assert seen(103, 100, "turn-270", classifier=1.0)["square"] == [2, 0, 100, 100]
    assert seen(103, 100, "invert", classifier=1.0)["square"] == [1, 0, 100, 100]


def test_the_gate_is_told_of_where_it_sees_something_else() -> None:
    assert "gate" not in seen(200, 100, classifier=1.0, gate=1.0)
    both = seen(200, 100, classifier=0.5, gate=1.0)
    assert both == {
        "share": 0.125,
        "square": [75, 25, 50, 50],
        "gate": {"share": 0.5, "square": [50, 0, 100, 100]},
    }


@given(
    width=st.integers(1, 60),
    height=st.integers(1, 60),
    fraction=st.floats(0.2, 1.0),
    correction=st.sampled_from(TURNS),
)
def test_the_square_holds_the_very_pixels_that_the_network_saw(
    width: int, height: int, fraction: float, correction: str | None
) -> None:
    upright = np.arange(width * height).reshape(height, width)
    analysed = np.rot90(upright, QUARTERS.get(correction or "", 0))
    at: Place = centred_square(analysed.shape[1], analysed.shape[0], fraction)
    first, start, side = int(at.top), int(at.left), int(at.width)
    looked_at = analysed[first : first + side, start : start + side]
    found = seen(width, height, correction, classifier=fraction)
    left, top, wide, high = found["square"]
    assert sorted(upright[top : top + high, left : left + wide].ravel()) == sorted(looked_at.ravel())
    assert found["share"] == wide * high / (width * height)
    assert 0 < found["share"] <= 1


@pytest.mark.parametrize("correction", TURNS)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_files_of_every_orientation(orientation: int, correction: str | None, bundle: Bundle) -> None:
    """Of 23 columns or rows 11 are left off where the analysed image begins, and 12 where it ends."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = np.zeros((40, 63), np.uint8)
    file = io.BytesIO()
    Image.fromarray(stored).save(file, "PNG", exif=exif.tobytes())
    document = Predictor(bundle).predict(file.getvalue(), correction=correction, force=True)
    with Image.open(file) as image:
        width, height = ImageOps.exif_transpose(image).size
    left, top, wide, high = document["seen"]["square"]
    assert (document["image"]["width"], document["image"]["height"]) == (width, height)
    assert document["seen"]["share"] == 40 * 40 / (40 * 63)
    assert (wide, high) == (40, 40)
    offset, others = (left, top) if width > height else (top, left)
    assert others == 0
    wide_image = width > height
    begins = {True: (None, "invert", "turn-90"), False: (None, "invert", "turn-270")}[wide_image]
    assert offset == (11 if correction in begins else 12)
