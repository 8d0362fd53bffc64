"""Further images for a gate: what looks like an image that is held back is not trained on."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sitegen.gate.further import further_images, likeness
from sitegen.gate.run import prepare_gate
from sitegen.phantom import phantom
from sitegen.settings.recipe import read_recipe_file
from sitegen_runtime.bundle.model import NetworkInput
from tests.helpers.radiographs import write_radiographs, write_recipe

GREY = NetworkInput("image", (1, 1, 16, 16), "grey", 1.0, (0.0, 1.0), (0.0,), (1.0,))


def test_likeness_is_numpys_largest_correlation() -> None:
    drawn = np.random.default_rng(0)
    images, others = (drawn.random((count, 1, 5, 5)).astype(np.float32) for count in (1300, 7))
    expected = np.corrcoef(images.reshape(1300, -1), others.reshape(7, -1))[:1300, 1300:].max(axis=1)
    assert likeness(images, others) == pytest.approx(expected, abs=1e-5)


def test_other_contrast_is_the_same_image_and_an_even_one_is_like_none() -> None:
    image = np.random.default_rng(1).random((1, 1, 4, 4)).astype(np.float32)
    assert likeness(0.3 * image + 0.2, image) == pytest.approx([1.0], abs=1e-5)
    assert likeness(np.full_like(image, 0.5), image).tolist() == [0.0]
    assert likeness(image, image[:0]).tolist() == [-1.0]
    assert likeness(image[:0], image).shape == (0,)


def test_the_likes_of_held_back_images_are_counted_and_left_out(tmp_path: Path) -> None:
    for seed in (1, 2):
        Image.fromarray(phantom(seed, 48)).save(tmp_path / f"{seed}.png")
    (tmp_path / "broken.png").write_bytes(b"no image")
    held = np.asarray(Image.fromarray(phantom(2, 48)).resize((16, 16), Image.Resampling.BOX), np.float32) / 255
    found = further_images(
        tmp_path, GREY, tmp_path / "work", (held[None, None] * 0.5 + 0.2).astype(np.float32), apart=0.9999
    )
    assert (len(found.images), found.alike) == (1, 1)
    assert [path.name for path, _ in found.problems] == ["broken.png"]


def test_a_gate_is_not_trained_on_copies_of_validation_and_test_images(tmp_path: Path) -> None:
    data = write_radiographs(tmp_path / "data", {"train": 3, "valid": 2, "test": 2}, side=32)
    more = tmp_path / "more"
    more.mkdir()
    for seed in (0, 3, 5, 40):  # of training, of validation, of test, and of nobody
        Image.fromarray(phantom(seed, 32, opacity=seed % 2 == 1)).resize((24, 24)).save(more / f"{seed}.png")
    gate = {"training": {"network": {"side": 16, "latent": 4, "widths": [4, 8]}}, "apart": 0.995}
    recipe = write_recipe(tmp_path / "recipe.json", data, gate=gate)
    prepared = prepare_gate(read_recipe_file(recipe), tmp_path / "work", more=[more])
    assert prepared.alike == 2
    assert len(prepared.images.train) == 3 + 2
