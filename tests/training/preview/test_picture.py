"""The words and the layout of the preview of augmentation."""

import numpy as np
import pytest

from sitegen.training.augment import LEVELS, AugmentSettings, placement
from sitegen.training.preview.picture import augmentation_sheet, told


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (LEVELS["none"], "no augmentation"),
        (LEVELS["15° / 5 % / 5 %"], "rotation ±15°, shift ±5%, scale ±5%"),
        (
            AugmentSettings(0, 0, 0, 0.1, 0.25, zoom=1.3, zoom_chance=0.5, flip_chance=0.2),
            "brightness ±10%, contrast ±25%, zoom × 1.3 in 50%, flip in 20%",
        ),
    ],
)
def test_settings_in_words(settings: AugmentSettings, words: str) -> None:
    assert told(settings) == words


@pytest.mark.parametrize(("side", "shown"), [(32, 128), (100, 200), (128, 128), (224, 224)])
def test_small_images_are_enlarged_by_whole_numbers(side: int, shown: int) -> None:
    images = np.zeros((2, 1, side, side), np.float32)
    sheet = augmentation_sheet(images, ["a", "b"], placement(0, 0, 0), 1, 0)
    assert sheet.size == (2 * shown + 24, 2 * shown + 92)


def test_colours_keep_their_place_and_values_their_size() -> None:
    images = np.zeros((1, 3, 128, 128), np.float32)
    images[0, 0], images[0, 1] = 1.0, 0.2
    sheet = augmentation_sheet(images, ["a"], placement(0, 0, 0), 1, 0)
    assert sheet.getpixel((6 + 64, 60 + 64)) == (255, 51, 0)


def test_a_name_that_is_too_long_does_not_run_over_the_edge() -> None:
    images = np.zeros((1, 1, 128, 128), np.float32)
    sheet = augmentation_sheet(images, ["é" * 500], placement(0, 0, 0), 1, 0)
    pixels = np.asarray(sheet.convert("L"))
    line = pixels[40:60]
    assert (line < 128).any()
    assert (line[:, -5:] == 255).all()
