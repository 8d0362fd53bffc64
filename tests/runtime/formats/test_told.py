"""A check of a large file tells how far it has come: rising shares, soon the first, and the last at the end."""

from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from sitegen_runtime.formats import inspect_image
from sitegen_runtime.formats.told import Told
from tests.helpers.runtime.images import encode_png, picture, saved


def large_png() -> bytes:
    return saved(Image.fromarray(np.zeros((4_000, 4_000, 3), np.uint8)), "PNG")


def deep_png() -> bytes:
    return saved(Image.fromarray(np.zeros((3_000, 3_000), np.uint16)), "PNG")


def long_jpeg() -> bytes:
    noise = np.random.default_rng(0).integers(0, 256, (16, 16), np.uint8)
    return saved(Image.fromarray(np.tile(noise, (90, 90))), "JPEG", quality=97)


@pytest.mark.parametrize("make", [large_png, deep_png, long_jpeg])
def test_the_share_rises_to_the_end(make: object) -> None:
    shares: list[float] = []
    data = make()  # type: ignore[operator]
    image = inspect_image(data, tell=shares.append)
    assert 10 <= len(shares) <= 50
    assert all(low < high for low, high in pairwise(shares))
    assert shares[0] <= 0.1
    assert shares[-1] >= 0.9
    assert image == inspect_image(data)


def test_what_telling_raises_ends_the_check() -> None:
    def stop(share: float) -> None:
        raise KeyboardInterrupt(share)

    with pytest.raises(KeyboardInterrupt):
        inspect_image(large_png(), tell=stop)


def test_small_files_need_no_telling() -> None:
    for data in (saved(picture(), "JPEG"), saved(picture(), "WEBP"), encode_png(np.zeros((9, 9, 1), np.int64), 0, 1)):
        inspect_image(data, tell=lambda share: None)


def test_nothing_is_told_twice_or_backwards() -> None:
    shares: list[float] = []
    told = Told(shares.append, 1_000)
    for done in (0, 10, 20, 21, 500, 20, 501, 2_000, 2_000):
        told.at(done)
    assert shares == [0.02, 0.5, 1.0]
