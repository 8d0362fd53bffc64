import inspect
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import sitegen.phantom
from sitegen.bundle import load_bundle
from sitegen.phantom import phantom, write_phantom
from sitegen.prediction import Predictor
from sitegen.resources import default_bundle


@pytest.mark.parametrize("size", [16, 64, 333])
def test_a_phantom_has_the_size_asked_for_and_uses_the_grey_scale(size: int) -> None:
    image = phantom(2, size)
    assert image.shape == (size, size)
    assert image.dtype == np.uint8
    assert image.min() < 60
    assert image.max() > 180


def test_the_same_seed_gives_the_same_image_and_another_seed_another() -> None:
    drawn = inspect.unwrap(sitegen.phantom._drawn)  # each time anew: tests/conftest.py keeps what was drawn
    assert np.array_equal(drawn(5, 64, False), drawn(5, 64, False))
    assert not np.array_equal(phantom(5, 64), phantom(6, 64))


def test_lungs_are_darker_than_the_heart_and_the_air_darker_still() -> None:
    image = phantom(0, 128).astype(float)
    heart, lung, air = image[80:90, 66:76].mean(), image[50:70, 22:40].mean(), image[:8, :30].mean()
    assert air < lung < heart


def test_an_opacity_brightens_a_lung_and_nothing_else() -> None:
    plain, cloudy = phantom(9, 128).astype(int), phantom(9, 128, opacity=True).astype(int)
    difference = cloudy - plain
    assert difference.min() >= 0
    assert difference.max() > 20
    assert 0.01 < (difference > 5).mean() < 0.15


def test_a_size_that_shows_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="15"):
        phantom(0, 15)


@pytest.mark.parametrize("seed", range(1, 6))
def test_the_shipped_gate_accepts_phantoms(tmp_path: Path, seed: int) -> None:
    write_phantom(tmp_path / "phantom.png", seed, 384)
    with Image.open(tmp_path / "phantom.png") as image:
        assert (image.mode, image.size) == ("L", (384, 384))
    document = Predictor(load_bundle(default_bundle())).predict(tmp_path / "phantom.png")
    assert document["gate"]["accepted"], document["gate"]["score"]
