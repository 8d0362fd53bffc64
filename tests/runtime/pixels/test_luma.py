"""Lane rows: planes cut out of interleaved samples, and luma equal to Pillow's convert("L")."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from sitegen_runtime.pixels.luma import colour_planes, first_plane, luma, repeat_in_lanes, sample_planes


def lanes(samples: np.ndarray) -> int:
    return int.from_bytes(samples.astype("<u4").tobytes(), "little")


def unpacked(row: int, width: int) -> list[int]:
    return np.frombuffer(row.to_bytes(4 * width, "little"), "<u4").tolist()


def pillow_luma(rgb: np.ndarray) -> list[int]:
    """Pillow's luma of a row of 8-bit pixels."""
    return list(Image.fromarray(rgb.astype(np.uint8)[None], "RGB").convert("L").tobytes())


def exact_luma(rgb: np.ndarray) -> list[int]:
    """Luma in integers that do not overflow, for 16 bits, which Pillow cannot convert."""
    red, green, blue = (rgb[:, channel].astype(object) for channel in range(3))
    return list((19595 * red + 38470 * green + 7471 * blue + 32768) // 65536)


def luma_of(rgb: np.ndarray) -> list[int]:
    return unpacked(luma([lanes(rgb[:, channel]) for channel in range(3)], len(rgb)), len(rgb))


@given(width=st.integers(1, 300), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=60)
def test_luma_equals_pillow(width: int, seed: int) -> None:
    rgb = np.random.default_rng(seed).integers(0, 256, (width, 3))
    assert luma_of(rgb) == pillow_luma(rgb)


def test_luma_equals_pillow_at_the_corners_of_the_cube() -> None:
    levels = (0, 1, 2, 127, 128, 129, 253, 254, 255)
    rgb = np.array([(red, green, blue) for red in levels for green in levels for blue in levels])
    assert luma_of(rgb) == pillow_luma(rgb)


def test_literal_luma_of_the_primaries() -> None:
    assert luma_of(np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255], [0, 0, 0]])) == [
        76,
        150,
        29,
        255,
        0,
    ]


def test_grey_is_its_own_luma_at_every_16_bit_level() -> None:
    levels = np.arange(65536)
    assert luma_of(np.stack([levels] * 3, axis=1)) == levels.tolist()


def test_luma_of_16_bits_never_spills_into_the_next_lane() -> None:
    random = np.random.default_rng(5)
    rgb = random.choice([0, 1, 65534, 65535], (4000, 3))
    assert luma_of(rgb) == exact_luma(rgb)


@given(width=st.integers(1, 60), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=40)
def test_luma_of_16_bits(width: int, seed: int) -> None:
    rgb = np.random.default_rng(seed).integers(0, 65536, (width, 3))
    assert luma_of(rgb) == exact_luma(rgb)


def test_luma_of_one_plane_is_the_plane() -> None:
    assert luma([lanes(np.array([3, 4]))], 2) == 3 + (4 << 32)


def test_colour_planes_leave_alpha_out() -> None:
    rgba = np.random.default_rng(6).integers(0, 256, (37, 4), dtype=np.uint8)
    planes = colour_planes(rgba.tobytes(), 37)
    assert [unpacked(plane, 37) for plane in planes] == rgba[:, :3].T.tolist()
    assert unpacked(first_plane(memoryview(rgba.tobytes()), 37), 37) == rgba[:, 0].tolist()


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_sample_planes(channels: int, bits: int) -> None:
    samples = np.random.default_rng(channels * bits).integers(0, 1 << bits, (29, channels))
    row = samples.astype("u1" if bits == 8 else "<u2").tobytes()
    planes = sample_planes(row, 29, channels, bits)
    assert [unpacked(plane, 29) for plane in planes] == samples.T.tolist()


def test_repeat_in_lanes() -> None:
    assert repeat_in_lanes(0xFFFF, 3) == 0x0000FFFF_0000FFFF_0000FFFF
    assert repeat_in_lanes(0xFFFFFFFF, 2) == 0xFFFFFFFF_FFFFFFFF
