"""Altered images: the same at every size, reproducible, and what they are named for."""

import numpy as np
import pytest

from sitegen.errors import SettingsError
from sitegen.gate.altered import ALTERATIONS, altered
from sitegen.phantom import phantom
from sitegen_runtime.bundle.model import NetworkInput


def entry(side: int, low: float = 0.0, high: float = 1.0, mean: float = 0.0, std: float = 1.0) -> NetworkInput:
    return NetworkInput("image", (1, 1, side, side), "grey", 1.0, (low, high), (mean,), (std,))


def shares(side: int, count: int = 2) -> np.ndarray:
    """Phantoms as shares of the range, float32 [count, 1, side, side]."""
    return np.stack([phantom(seed, side) for seed in range(count)])[:, np.newaxis].astype(np.float32) / 255


def halved(images: np.ndarray) -> np.ndarray:
    count, channels, side, _ = images.shape
    return images.reshape(count, channels, side // 2, 2, side // 2, 2).mean(axis=(3, 5))


@pytest.mark.parametrize("kind", ALTERATIONS)
def test_every_kind_changes_the_image_and_is_reproducible(kind: str) -> None:
    images = shares(64)
    before = images.copy()
    first, again, other = (altered(images, entry(64), kind, seed) for seed in (1, 1, 2))
    assert (images == before).all()
    assert first.dtype == np.float32
    assert first.shape == images.shape
    assert (first >= 0).all() & (first <= 1).all()
    assert first.tobytes() == again.tobytes()
    assert np.abs(first - images).mean() > 0.04
    by_chance = kind not in {"turned-90", "turned-180", "turned-270", "upside-down", "inverted"}
    assert (first.tobytes() != other.tobytes()) == by_chance


@pytest.mark.parametrize("kind", ALTERATIONS)
def test_two_sizes_of_an_image_are_altered_alike(kind: str) -> None:
    large = shares(128)
    small = halved(large).astype(np.float32)
    from_large = halved(altered(large, entry(128), kind, 3))
    from_small = altered(small, entry(64), kind, 3)
    # Edges of tiles, and of black and white above all, fall a little differently.
    assert np.abs(from_large - from_small).mean() < (0.04 if kind == "two-greys" else 0.02)


@pytest.mark.parametrize("kind", ALTERATIONS)
def test_the_range_of_the_network_is_kept(kind: str) -> None:
    plain = shares(32)
    scaled = ((-2 + 4 * plain - 0.5) / 0.25).astype(np.float32)
    other = altered(scaled, entry(32, -2, 2, 0.5, 0.25), kind, 4)
    assert (other * 0.25 + 0.5 + 2) / 4 == pytest.approx(altered(plain, entry(32), kind, 4), abs=1e-5)


def test_turns_are_clockwise() -> None:
    image = np.array([[[[0.1, 0.2], [0.3, 0.4]]]], np.float32)
    expected = {
        "turned-90": [0.3, 0.1, 0.4, 0.2],
        "turned-180": [0.4, 0.3, 0.2, 0.1],
        "turned-270": [0.2, 0.4, 0.1, 0.3],
        "upside-down": [0.3, 0.4, 0.1, 0.2],
        "inverted": [0.9, 0.8, 0.7, 0.6],
    }
    for kind, values in expected.items():
        assert altered(image, entry(2), kind).ravel() == pytest.approx(values, abs=1e-7)


def test_a_crop_is_a_part_of_the_image_enlarged() -> None:
    ramp = np.broadcast_to(np.linspace(0, 1, 64, dtype=np.float32), (5, 1, 64, 64)).copy()
    for before, after in zip(ramp, altered(ramp, entry(64), "cropped"), strict=True):
        assert 0.3 - 0.02 < np.ptp(after) / np.ptp(before) < 0.6 + 0.02


def test_shuffling_keeps_the_greys_and_moves_them() -> None:
    images = shares(64, 1)
    mixed = altered(images, entry(64), "shuffled")
    assert np.sort(mixed.ravel()) == pytest.approx(np.sort(images.ravel()), abs=1e-6)


def test_images_of_one_batch_are_altered_each_in_its_own_way() -> None:
    twice = np.repeat(shares(64, 1), 2, axis=0)
    first, second = altered(twice, entry(64), "cropped")
    assert np.abs(first - second).max() > 0.05


def test_photographs_stay_out_of_all_fitting() -> None:
    assert not [kind for kind in ALTERATIONS if "photo" in kind or "screen" in kind]


def test_an_unknown_kind_is_told() -> None:
    with pytest.raises(SettingsError, match="no alteration 'eaten'; there are turned-90"):
        altered(shares(32), entry(32), "eaten")
