"""A bundle with a generator, made once: exporting it takes seconds."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sitegen.bundle import Bundle
from sitegen.generation.draw import Draw, drawn_of_seeds
from tests.helpers.bundles import make_bundle
from tests.helpers.generation.generators import bundle_with_generator, small_generator


@pytest.fixture(scope="session")
def generating(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """The small test model with the small generator."""
    folder = tmp_path_factory.mktemp("generating")
    return bundle_with_generator(make_bundle(folder / "plain"), folder)


@pytest.fixture(scope="session")
def drawn_images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of three images that the generator drew, and one of another shape."""
    folder = tmp_path_factory.mktemp("drawn")
    for name, image in drawn_of_seeds(small_generator(), [range(3)], Draw(noise="random")):
        Image.fromarray(image).save(folder / f"{name}.png")
    Image.fromarray(np.zeros((32, 48), np.uint8)).save(folder / "wide.png")
    return folder
