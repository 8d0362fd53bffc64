"""The page of concepts: its pictures show the image and the place, its tables every effect; it loads nothing."""

import re
from base64 import b64decode
from html import unescape
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sitegen.evaluation.concepts.effects import INTERVENTIONS
from sitegen.evaluation.concepts.page import as_html
from sitegen.evaluation.concepts.pictures import GAP, Strongest, picture_of
from sitegen_runtime.bundle.model import NetworkInput

GREY = NetworkInput("image", (1, 1, 32, 32), "grey", 1.0, (-1.0, 1.0), (0.0,), (1.0,))
RGB = NetworkInput("image", (1, 3, 300, 300), "rgb", 1.0, (0.0, 1.0), (0.5, 0.5, 0.5), (0.25, 0.25, 0.25))


def shown(source: str) -> np.ndarray:
    return np.asarray(Image.open(BytesIO(b64decode(source.removeprefix("data:image/jpeg;base64,")))), np.int32)


def codes_peaking_at(row: int, column: int) -> np.ndarray:
    codes = np.full((4, 4), 0.5, np.float32)
    codes[row, column] = 2.5
    return codes


def test_a_picture_shows_the_image_and_frames_the_strongest_cell() -> None:
    image = np.full((32, 32), -1.0)
    image[:, 16:] = 0.0  # black, and grey at the right
    made = picture_of(Strongest(image.ravel().tolist(), codes_peaking_at(3, 0)), GREY)
    pixels = shown(made.source)
    assert pixels.shape == (made.height, made.width, 3) == (128, 256 + GAP, 3)
    plain, marked = pixels[:, :128], pixels[:, 128 + GAP :]
    assert plain[:, :60].max() < 12
    assert np.abs(plain[:, 68:] - 128).max() < 8
    assert np.abs(marked[:60, 68:] - 128).max() < 12  # nothing is coloured where the map is least
    strongest = marked[104:120, 8:24]  # the middle of the last row's first cell
    assert strongest.mean((0, 1)).max() > 100 and np.ptp(strongest.mean((0, 1))) > 60  # it has a colour
    assert marked[97:127, 2:4].mean() > 110 > marked[97:127, 0:1].mean() + 20  # white within black


def test_pictures_of_colour_images_keep_their_colours_and_are_made_smaller() -> None:
    image = np.stack([np.full((300, 300), level) for level in (2.0, -2.0, 0.0)])  # 1, 0 and 0.5 of the range
    made = picture_of(Strongest(image.ravel().tolist(), codes_peaking_at(0, 0)), RGB)
    assert (made.width, made.height) == (512 + GAP, 256)
    np.testing.assert_allclose(shown(made.source)[100, 100], [255, 0, 128], atol=6)


def document(**changed: Any) -> dict[str, Any]:
    of = {"value": -0.1234, "low": -0.2, "high": 0.05}
    findings = [
        {"label": name, "probability": of, "logit": {"value": value, "low": value, "high": value}}
        for name, value in (("Mass", 0.5), ("Nodule & <b>", -2.0))
    ]
    node = {
        "node": 0,
        "effects": {name: {"probability": of, "logit": of, "top": of} for name in INTERVENTIONS},
        "findings": findings,
        "strongest": [{"file": 'far/away/<i>".png', "left": 0.125, "top": 0.875, "value": 2.5}],
    }
    model = {"file": "B", "name": "n", "version": "1", "layer": "conv", "shape": [8, 4, 4]}
    return {
        "schema": "sitegen.concepts/1",
        "model": model | {"labels": ["Mass", "Nodule & <b>"]},
        "settings": {"masks": 4, "share": 0.1, "strength": 0.3, "steps": 10, "seed": 0},
        "resamples": 20,
        "train_images": 4,
        "images": 3,
        "patients": 3,
        "moved": of,
        "nodes": [node],
        "unreadable": [],
    } | changed


@pytest.fixture(scope="module")
def page() -> str:
    strongest = [[Strongest([0.0] * 1024, codes_peaking_at(3, 0))]]
    return as_html(document(), strongest, GREY)


def test_the_page_has_every_effect_and_says_what_a_concept_moves_most(page: str) -> None:
    words = re.sub(r"\s+", " ", unescape(re.sub("<[^>]+>", " ", page)))
    assert "L, N Z₀ masking FGSM BIM PGD JSMA conv, 0 -0.1234 -0.2000 to +0.0500" in words
    assert page.count('<th scope="row">conv, 0</th>') == 3
    assert "it moves Nodule & <b> most: by -2.000" in words
    assert "finding concept 0 Mass +0.5000" in words


def test_the_page_loads_nothing_escapes_and_tells_its_pictures_in_words(page: str) -> None:
    assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:" in page
    assert not re.search(r"<script|<link|url\(|https?:", page)
    assert [source[:22] for source in re.findall(r'src="([^"]*)"', page)] == ["data:image/jpeg;base64"]
    (told,) = re.findall(r'alt="([^"]*)"', page)
    assert unescape(told) == (
        '<i>".png as the classifier sees it, and again with concept 0 in colour, '
        "strongest at 12.5 % from the left and 87.5 % from the top"
    )
    assert "far/away" not in page and "<i>" not in page and "<b>" not in page
