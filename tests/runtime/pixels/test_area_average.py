"""The area average is exact: equal, as integers, to the definition with overlaps of intervals."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sitegen_runtime.pixels.area_average import AreaAverage

FULL_SCALE = {8: 255, 16: 65535}


def overlaps(side: int, cells: int) -> np.ndarray:
    """How much of pixel p lies in cell c, in units of 1 / cells pixel: the definition, in exact fractions."""
    weights = np.zeros((cells, side), dtype=object)
    for cell in range(cells):
        low, high = Fraction(cell * side, cells), Fraction((cell + 1) * side, cells)
        for pixel in range(side):
            share = min(high, Fraction(pixel + 1)) - max(low, Fraction(pixel))
            weights[cell, pixel] = int(max(share, Fraction(0)) * cells)
    return weights


def expected(pixels: np.ndarray, cells: int, rows: int = 0) -> list[int]:
    down, across = overlaps(len(pixels), rows or cells), overlaps(pixels.shape[1], cells)
    return list((down @ pixels.astype(object) @ across.T).reshape(-1))


def averaged(pixels: np.ndarray, cells: int, rows: int = 0) -> list[float]:
    average = AreaAverage(pixels.shape[1], len(pixels), cells, rows or cells)
    for row in pixels:
        average.add(int.from_bytes(row.astype("<u4").tobytes(), "little"))
    return average.sums


def noise(side: int, bits: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, FULL_SCALE[bits] + 1, (side, side))


def test_literal_three_pixels_onto_two_cells() -> None:
    # Cell 0 covers pixel 0 and half of pixel 1; weights in halves: 2 1 0 and 0 1 2.
    pixels = np.array([[1, 2, 3], [4, 5, 6], [7, 8, 9]])
    assert averaged(pixels, 2) == [
        2 * (2 * 1 + 2) + (2 * 4 + 5),
        2 * (2 + 2 * 3) + (5 + 2 * 6),
        (2 * 4 + 5) + 2 * (2 * 7 + 8),
        (5 + 2 * 6) + 2 * (8 + 2 * 9),
    ]


def test_a_multiple_of_the_cells_is_the_plain_sum_of_blocks() -> None:
    pixels = noise(24, 8, seed=1)
    blocks = pixels.reshape(6, 4, 6, 4).sum(axis=(1, 3)).reshape(-1)
    assert averaged(pixels, 6) == [36 * int(block) for block in blocks]


def test_as_many_cells_as_pixels_is_the_image() -> None:
    pixels = noise(13, 16, seed=2)
    assert averaged(pixels, 13) == [169 * int(pixel) for pixel in pixels.reshape(-1)]


def test_enlarging_repeats_pixels() -> None:
    pixels = noise(5, 8, seed=3)
    assert averaged(pixels, 15) == [25 * int(value) for value in pixels.repeat(3, axis=0).repeat(3, axis=1).reshape(-1)]


@given(
    side=st.integers(1, 40),
    cells=st.integers(1, 40),
    bits=st.sampled_from([8, 16]),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=120)
def test_equals_the_definition(side: int, cells: int, bits: int, seed: int) -> None:
    pixels = noise(side, bits, seed)
    assert averaged(pixels, cells) == expected(pixels, cells)


@pytest.mark.parametrize(("side", "cells"), [(1, 1), (1, 7), (17, 64), (64, 64), (65, 64), (127, 31), (97, 89)])
def test_equals_the_definition_at_edges_and_primes(side: int, cells: int) -> None:
    pixels = noise(side, 16, seed=side * cells)
    assert averaged(pixels, cells) == expected(pixels, cells)


@pytest.mark.parametrize("size", [(7, 19, 3, 5), (19, 7, 5, 9), (40, 3, 1, 8), (1, 30, 4, 30)])
def test_a_rectangle_equals_the_definition(size: tuple[int, int, int, int]) -> None:
    height, width, rows, columns = size
    pixels = np.random.default_rng(width).integers(0, 65536, (height, width))
    assert averaged(pixels, columns, rows) == expected(pixels, columns, rows)


@pytest.mark.parametrize(("side", "cells"), [(3001, 64), (3001, 1), (499, 498), (224, 224), (61, 224)])
def test_full_scale_16_bits_never_spills_into_the_next_lane(side: int, cells: int) -> None:
    white = int.from_bytes((65535).to_bytes(4, "little") * side, "little")
    average = AreaAverage(side, side, cells, cells)
    for _ in range(side):
        average.add(white)
    assert average.sums == [65535 * side * side] * (cells * cells)


def test_the_largest_side_of_16_bits_still_fits_a_lane() -> None:
    # 65,500 pixels is the longest side that any decoder takes; one cell adds up all rows in each lane.
    side = 65_500
    white = int.from_bytes((65535).to_bytes(4, "little") * side, "little")
    average = AreaAverage(side, side, 1, 1)
    average._whole, average._row = white * (side - 1), side - 1  # all rows but the last, as `add` leaves them
    average.add(white)
    assert average.sums == [65535 * side * side]


def test_the_total_is_kept() -> None:
    pixels = noise(50, 16, seed=4)
    assert sum(averaged(pixels, 7)) == 49 * int(pixels.sum())


@pytest.mark.parametrize(("side", "cells"), [(0, 4), (4, 0), (-1, 4)])
def test_nothing_cannot_be_averaged(side: int, cells: int) -> None:
    with pytest.raises(ValueError, match=f"not {side} x {side} and {cells} x {cells}"):
        AreaAverage(side, side, cells, cells)
