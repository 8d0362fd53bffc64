"""Images of seeds and of latents: what is the same, what is refused, and that memory holds a batch alone."""

from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch

from sitegen.errors import CheckpointError, SettingsError
from sitegen.generation.draw import Draw, drawn_of_latents, drawn_of_seeds
from sitegen.generation.pictures import write_grid
from sitegen.generation.reading import open_generator
from sitegen.generation.seeds import read_seeds
from sitegen.networks.stylegan2.trained import drawn_z
from tests.helpers.generation.generators import saved_generator, small_generator


def test_seeds_and_ranges_in_their_order() -> None:
    assert [list(each) for each in read_seeds("7, 2-4,0")] == [[7], [2, 3, 4], [0]]


@pytest.mark.parametrize("text", ["", "a", "3-", "-3", "1..4"])
def test_what_is_no_seed_is_named(text: str) -> None:
    with pytest.raises(SettingsError, match="is no seed and no range of seeds"):
        read_seeds(text)


def test_a_range_that_ends_before_it_begins() -> None:
    with pytest.raises(SettingsError, match=r"'5-3' ends before it begins\. Write 3-5"):
        read_seeds("5-3")


def test_the_image_of_a_seed_is_the_networks_own() -> None:
    trained = small_generator()
    ((name, image),) = drawn_of_seeds(trained, [range(4, 5)], Draw())
    with torch.inference_mode():
        values = trained.generator(drawn_z(4, 16), noise=trained.generator.synthesis.constant_noise())[0, 0].numpy()
    assert name == "seed000004"
    np.testing.assert_array_equal(image, np.rint(np.clip(127.5 * values.astype(np.float64) + 127.5, 0, 255)))


def test_the_batch_changes_nothing_but_rounding() -> None:
    one, many = (
        dict(drawn_of_seeds(small_generator(), [range(5)], Draw(noise="random", batch=size))) for size in (1, 4)
    )
    assert one.keys() == many.keys()
    assert all(np.abs(one[name].astype(int) - many[name]).max() <= 1 for name in one)


def test_noise_and_truncation_change_the_image() -> None:
    drawn = [
        next(drawn_of_seeds(small_generator(), [range(1)], how))[1]
        for how in (Draw(), Draw(noise="none"), Draw(noise="random"), Draw(psi=0.5))
    ]
    assert len({image.tobytes() for image in drawn}) == 4


def test_without_truncation_left_every_seed_gives_the_mean_image() -> None:
    drawn = [image for _, image in drawn_of_seeds(small_generator(), [range(3)], Draw(psi=0))]
    assert len({image.tobytes() for image in drawn}) == 1


def test_images_are_drawn_as_they_are_asked_for() -> None:
    # A billion images would neither fit memory nor be drawn in time.
    endless = drawn_of_seeds(small_generator(), [range(10**9)], Draw(batch=2))
    assert [name for name, _ in islice(endless, 3)] == ["seed000000", "seed000001", "seed000002"]


def test_classes() -> None:
    trained = small_generator(classes=2)
    drawn = [next(drawn_of_seeds(trained, [range(1)], Draw(label=label)))[1].tobytes() for label in (0, 1)]
    assert drawn[0] != drawn[1]
    with pytest.raises(SettingsError, match="classes 0 to 1, and there is no class 2"):
        next(drawn_of_seeds(trained, [range(1)], Draw(label=2)))
    with pytest.raises(SettingsError, match="no class was named"):
        next(drawn_of_seeds(trained, [range(1)], Draw()))
    with pytest.raises(SettingsError, match="has no classes, so it has no class 1"):
        next(drawn_of_seeds(small_generator(), [range(1)], Draw(label=1)))


def test_colour() -> None:
    ((_, image),) = drawn_of_seeds(small_generator(channels=3), [range(1)], Draw())
    assert image.shape == (32, 32, 3)


def test_a_grid_has_its_images_in_rows(tmp_path: Path) -> None:
    from PIL import Image

    images = [(str(shade), np.full((2, 3), shade, np.uint8)) for shade in (10, 20, 30)]
    assert write_grid(images, tmp_path / "grid.png") == 3
    grid = np.asarray(Image.open(tmp_path / "grid.png"))
    np.testing.assert_array_equal(grid[::2, ::3], [[10, 20], [30, 0]])


def test_latents_of_another_generator_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "w.npz", latents=np.zeros((1, 8, 7), np.float32))
    with pytest.raises(SettingsError, match=r"shape \[1, 8, 7\]; this generator takes \[images, 8, 16\]"):
        next(drawn_of_latents(small_generator(), tmp_path / "w.npz", Draw()))
    (tmp_path / "text.npz").write_text("no")
    with pytest.raises(SettingsError, match="has no latents"):
        next(drawn_of_latents(small_generator(), tmp_path / "text.npz", Draw()))


def test_what_is_no_generator(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="is a folder"):
        open_generator(tmp_path)
    with pytest.raises(CheckpointError, match="does not exist"):
        open_generator(tmp_path / "none.safetensors")
    assert open_generator(saved_generator(tmp_path)).shape.side == 32
