"""Files as cameras and scanners write them show what Pillow sees in them; the pages of browsers are asked elsewhere."""

import numpy as np
import pytest

from sitegen_runtime.errors import ImageError
from sitegen_runtime.formats import inspect_image
from tests.helpers.runtime.habits import HEIGHT, WIDTH, refused, taken
from tests.helpers.runtime.images import decoded

TAKEN, REFUSED = taken(), refused()


@pytest.mark.parametrize("name", TAKEN)
def test_what_loses_no_pixel_is_taken_as_it_is_seen(name: str) -> None:
    image = inspect_image(TAKEN[name])
    assert (image.width, image.height) == (WIDTH, HEIGHT)
    assert np.array_equal(decoded(image.payload), decoded(TAKEN[name]))
    assert image.orientation == 1  # a thumbnail's is its own


@pytest.mark.parametrize("name", REFUSED)
def test_what_decoders_read_differently_is_refused(name: str) -> None:
    with pytest.raises(ImageError):
        inspect_image(REFUSED[name])
