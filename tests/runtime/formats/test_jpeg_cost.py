"""JPEG files that would take too long are refused by work that is counted: the same whatever was read before."""

import io
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sitegen_runtime.errors import TooLarge
from sitegen_runtime.formats import inspect_image, jpeg_cost
from sitegen_runtime.formats.jpeg_entropy import block_counter

RANDOM = np.random.default_rng(5)
NOISE = RANDOM.integers(0, 256, (160, 160, 3), dtype=np.uint8)
SMOOTH = np.tile(np.linspace(0, 255, 240), (240, 1)).astype(np.uint8)
LIMIT = 40_000_000  # nanoseconds: small files stand for large ones


def jpeg(pixels: np.ndarray, **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", **({"quality": 90} | options))
    return buffer.getvalue()


@pytest.fixture(autouse=True)
def forgotten(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each test begins with nothing of files before, and leaves nothing."""
    monkeypatch.setattr(jpeg_cost, "LIMIT", LIMIT)
    block_counter.cache_clear()
    yield
    block_counter.cache_clear()


def accepted(data: bytes) -> bool:
    try:
        inspect_image(data)
    except TooLarge:
        return False
    return True


def test_noise_is_refused_and_what_is_smooth_is_not() -> None:
    with pytest.raises(TooLarge, match=r"JPEG of 160 x 160 pixels, with 0\.\d MB of image data, .* at most 1 million"):
        inspect_image(jpeg(NOISE))
    assert accepted(jpeg(SMOOTH))
    assert accepted(jpeg(NOISE[:24, :24]))


def test_what_would_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    """12 million grey pixels of 10 ns are twice the limit; what codes them, all black, is little beside it."""
    data = jpeg(np.zeros((3000, 4000), np.uint8))
    monkeypatch.setattr(jpeg_cost, "LIMIT", 60_000_000)
    with pytest.raises(TooLarge, match=r"4,000 x 3,000 pixels.* at most 5 million pixels"):
        inspect_image(data)
    monkeypatch.setattr(jpeg_cost, "LIMIT", 160_000_000)
    assert accepted(data)


@pytest.mark.parametrize(
    ("options", "limit"),
    [
        ({}, LIMIT),
        ({"progressive": True}, LIMIT / 3),
        ({"subsampling": 0}, LIMIT),
        ({"restart_marker_blocks": 1}, LIMIT),
    ],
)
def test_files_before_change_nothing(options: dict[str, Any], limit: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """For each size between what fits and what does not, the answer is the one that a fresh start gives."""
    monkeypatch.setattr(jpeg_cost, "LIMIT", limit)
    answers = []
    for side in range(25, 160, 45):
        data = jpeg(NOISE[:side, :side], **options)
        block_counter.cache_clear()
        fresh = accepted(data)
        for before in (jpeg(NOISE[::-1, :48], **options), jpeg(SMOOTH, **options), data):
            accepted(before)
        assert accepted(data) == fresh
        answers.append(fresh)
    assert answers == sorted(answers, reverse=True)
    assert set(answers) == {True, False}


def test_what_is_not_walked_over_costs_nothing() -> None:
    data = jpeg(NOISE[:24, :24])
    assert accepted(data)
    assert accepted(data + bytes(3_000_000))  # behind the image
    comment = b"\xff\xfe\xff\xff" + b"c" * 0xFFFD
    assert accepted(data[:2] + comment * 40 + data[2:])


def test_restart_markers_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    many, few = jpeg(SMOOTH, restart_marker_blocks=1), jpeg(SMOOTH)
    monkeypatch.setattr(jpeg_cost, "LIMIT", 900 * jpeg_cost.INTERVAL)  # there are 30 x 30
    assert not accepted(many)
    block_counter.cache_clear()
    assert accepted(few)
