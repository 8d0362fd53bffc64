"""The variant that is rebuilt best is offered where it gains enough."""

import numpy as np
import pytest
from skimage.metrics import structural_similarity

from sitegen_runtime.gate.variants import SMALLEST_GAIN, Variant, closest, is_offered
from sitegen_runtime.pixels.corrections import CORRECTIONS

SIDE = 9


def test_the_closest_variant_has_the_least_squared_error_and_its_ssim() -> None:
    random = np.random.default_rng(2)
    images = random.uniform(0, 1, (4, SIDE * SIDE))
    errors = [0.3, 0.2, 0.05, 0.1]
    rebuilt = images + random.normal(0, 1, images.shape) * np.reshape(errors, (4, 1))
    pairs = {
        name: ([image.tolist()], [other.tolist()])
        for name, image, other in zip(CORRECTIONS, images, rebuilt, strict=True)
    }
    found = closest(pairs, SIDE)
    expected = structural_similarity(*(each[2].reshape(SIDE, SIDE) for each in (images, rebuilt)), data_range=1.0)
    assert found.correction == "turn-270"
    assert found.similarity == pytest.approx(expected, abs=1e-12)


def test_the_first_of_equals_is_the_closest() -> None:
    planes = [[0.5] * SIDE**2]
    assert closest(dict.fromkeys(CORRECTIONS, (planes, planes)), SIDE) == Variant("turn-90", 1.0)


@pytest.mark.parametrize(
    ("similarity", "as_it_is", "offered"),
    [
        (0.7, 0.3, True),
        (0.7, 0.7 - SMALLEST_GAIN - 1e-9, True),
        (0.7, 0.7 - SMALLEST_GAIN + 1e-9, False),
        (0.6, 0.3, True),
        (0.599, 0.3, False),  # not accepted either
        (0.7, 0.8, False),
    ],
)
def test_offered_where_accepted_and_better_by_enough(similarity: float, as_it_is: float, offered: bool) -> None:
    assert is_offered(Variant("invert", similarity), as_it_is, threshold=0.6) is offered
