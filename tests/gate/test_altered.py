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
    assert altered(images, entry(64), kind).tobytes() == altered(images, entry(64), kind, 0).tobytes()
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


def drawn(kind: str, image: np.ndarray, count: int = 60) -> np.ndarray:
    """So many alterations [count, side, side] of one image [side, side], each by chance."""
    side = image.shape[-1]
    return altered(np.repeat(image[np.newaxis, np.newaxis], count, axis=0).astype(np.float32), entry(side), kind)[:, 0]


def spread_over(values: np.ndarray, low: float, high: float, off: float) -> None:
    """Values lie in low..high, and near both ends of it; each may be off by so much."""
    # Of 60 values none in the lowest, or highest, sixth has a chance of (5/6)^60 = 2e-5.
    sixth = (high - low) / 6
    assert low - off <= values.min() <= low + sixth + off
    assert high - sixth - off <= values.max() <= high + off


def test_a_shrunk_image_has_a_third_to_half_of_the_side_on_an_even_ground() -> None:
    found = drawn("shrunk", np.ones((96, 96)))
    ground = found.min(axis=(1, 2))
    spread_over(ground, 0, 1, 0)
    inside = found > (ground[:, np.newaxis, np.newaxis] + 1) / 2
    sides = np.sqrt(inside.mean(axis=(1, 2)))
    spread_over(sides, 0.3, 0.6, 2 / 96)
    spread_over(inside.any(axis=1).argmax(axis=1) / 96 / (1 - sides), 0, 1, 4 / 96)
    spread_over(inside.any(axis=2).argmax(axis=1) / 96 / (1 - sides), 0, 1, 4 / 96)


def test_a_shrunk_image_is_averaged_first_the_more_the_smaller_it_is() -> None:
    stripes = np.broadcast_to(np.arange(96) % 2, (96, 96))
    for plain, striped in zip(drawn("shrunk", np.ones((96, 96))), drawn("shrunk", stripes), strict=True):
        rows, columns = np.nonzero(plain == 1)
        side = (np.ptp(rows) + 1) / 96
        inside = striped[rows.min() + 2 : rows.max() - 1, columns.min() + 2 : columns.max() - 1]
        # A Gaussian of (1 / side - 1) / 2 cells leaves an eighth of stripes at 0.4 of the side, four fifths at 0.55.
        assert np.ptp(inside) < 0.15 or side > 0.39
        assert np.ptp(inside) > 0.75 or side < 0.56


def test_a_squeezed_image_is_a_strip_of_it() -> None:
    ramp = np.linspace(0, 1, 64)
    across, down = drawn("squeezed", np.tile(ramp, (64, 1))), drawn("squeezed", np.tile(ramp, (64, 1)).T)
    parts = np.ptp(across, axis=(1, 2))
    lying = parts < 0.9
    assert 15 < lying.sum() < 45  # of 60, half by chance: four deviations
    assert np.array_equal(np.ptp(down, axis=(1, 2)) > 0.9, lying)
    # The other direction stays as it is.
    assert np.abs(down[lying] - ramp[:, np.newaxis]).max() < 1e-6
    assert np.abs(across[~lying] - ramp).max() < 1e-6
    spread_over(parts[lying], 0.3, 0.5, 1 / 32)
    spread_over(across[lying].min(axis=(1, 2)) / (1 - parts[lying]), 0, 1, 1 / 16)


def grains(found: np.ndarray) -> int:
    """How many squares of even grey there are along a side of 64 cells."""
    sizes = (
        size
        for size in (64, 32, 16, 8, 4, 2, 1)
        if (found == np.kron(found[::size, ::size], np.ones((size,) * 2))).all()
    )
    return 64 // next(sizes)


def test_noise_is_of_grains() -> None:
    found = drawn("noise", np.zeros((64, 64)))
    assert {grains(each) for each in found} == {8, 16, 32, 64}
    spread_over(found, 0, 1, 0)


def test_a_noisy_image_keeps_a_fifth_to_a_half_of_its_contrast() -> None:
    white, black = drawn("noisy", np.ones((64, 64))), drawn("noisy", np.zeros((64, 64)))
    contrast = white - black
    assert np.ptp(contrast, axis=(1, 2)).max() < 1e-6
    spread_over(contrast[:, 0, 0], 0.2, 0.5, 1e-6)
    assert {grains(each) for each in black} == {32, 64}
    assert (black.max(axis=(1, 2)) > 0.95 * (1 - contrast[:, 0, 0])).all()


def test_a_grey_is_even_or_falls_off_to_a_side() -> None:
    found = drawn("grey", np.zeros((64, 64)))
    assert (found == found[:, :, :1]).all()
    middle, slope = found[:, 31:33, 0].mean(axis=1), found[:, 33, 0] - found[:, 32, 0]
    spread_over(middle, 0, 1, 0.01)
    even = np.ptp(found, axis=(1, 2)) == 0
    assert 15 < even.sum() < 45
    spread_over(64 * slope[~even], -0.5, 0.5, 0.01)


def test_a_blurred_image_is_smeared_over_a_twelfth_to_a_fifth_of_the_side() -> None:
    edge = np.broadcast_to(np.arange(256) >= 128, (256, 256))
    # The slope of a blurred edge is the Gaussian at its middle: 1 / (sigma sqrt(2 pi)).
    slope = np.diff(drawn("blurred", edge)[:, 128], axis=1)[:, 127]
    spread_over(1 / (slope * np.sqrt(2 * np.pi)) / 256, 0.08, 0.2, 0.002)


def test_two_greys_have_a_third_to_two_thirds_of_each() -> None:
    found = drawn("two-greys", np.random.default_rng(0).random((64, 64)))
    assert set(np.unique(found)) == {0.0, 1.0}
    spread_over(found.mean(axis=(1, 2)), 0.3, 0.7, 1 / 64**2)


def test_a_crop_lies_anywhere() -> None:
    ramp = np.tile(np.linspace(0, 1, 64), (64, 1))
    for found in (drawn("cropped", ramp), drawn("cropped", ramp.T)):
        part = np.ptp(found, axis=(1, 2))
        spread_over(part, 0.3, 0.6, 1 / 32)
        spread_over(found.min(axis=(1, 2)) / (1 - part), 0, 1, 1 / 16)


def test_shuffled_tiles_are_a_quarter_of_the_side() -> None:
    place = np.arange(16).reshape(4, 4) / 16
    for found in drawn("shuffled", np.kron(place, np.ones((8, 8))), 5):
        tiles = found.reshape(4, 8, 4, 8).swapaxes(1, 2).reshape(16, 64)
        assert np.ptp(tiles, axis=1).max() < 1e-6
        assert sorted(np.rint(tiles[:, 0] * 16)) == list(range(16))
    # Within a tile nothing moves.
    ramp = np.tile(np.linspace(0, 1, 32), (32, 1))
    for found in drawn("shuffled", ramp, 5):
        assert np.diff(found.reshape(32, 4, 8), axis=2) == pytest.approx(1 / 31, abs=1e-6)
