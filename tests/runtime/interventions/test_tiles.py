"""Random tiles: what they keep, how often, what a tally makes of them; and draws that are the same everywhere."""

from __future__ import annotations  # array[float] is a name for type checkers until Python 3.12

from array import array

import numpy as np
import pytest

from sitegen_runtime.interventions.draws import Draws
from sitegen_runtime.interventions.tiles import Tally, Tiles, draw_tiles


def dense(tiles: Tiles) -> np.ndarray:
    """1 where the mask keeps a cell, made by the way that images are masked."""
    ones, zeros = (array("f", [value] * (tiles.grid[0] * tiles.grid[1])) for value in (1.0, 0.0))
    return np.array(tiles.masked(ones, zeros)).reshape(tiles.grid)


@pytest.mark.parametrize("cells", [16, 20, 33])
def test_every_cell_is_kept_by_half_of_the_masks(cells: int) -> None:
    draws = Draws(5)
    masks = np.array([dense(draw_tiles((cells, cells), draws)) for _ in range(1500)])
    assert set(np.unique(masks)) == {0.0, 1.0}
    # A share of 1500 tosses of a coin; 5 of its standard deviations are not left by any of a thousand cells.
    assert np.abs(masks.mean(0) - 0.5).max() < 5 * 0.5 / np.sqrt(1500)
    assert masks[:, 0, 0].std() > 0.4


def test_neighbours_share_a_tile_as_often_as_its_moves_let_them() -> None:
    draws = Draws(6)
    masks = np.array([dense(draw_tiles((16, 16), draws, 8)) for _ in range(4000)])  # tiles of 2 x 2, moved by 0 or 1
    correlations = [np.corrcoef(masks[:, 8, 8], masks[:, 8, 8 + away])[0, 1] for away in (1, 2, 3)]
    assert np.allclose(correlations, [0.5, 0, 0], atol=0.06)


def test_the_kept_rectangles_are_the_mask() -> None:
    tiles = draw_tiles((20, 20), Draws(7))
    drawn = np.zeros((20, 20))
    for top, bottom, left, right in tiles.kept():
        drawn[top:bottom, left:right] += 1
    assert np.array_equal(drawn, dense(tiles))


def test_colours_are_masked_alike() -> None:
    tiles = draw_tiles((16, 16), Draws(8))
    image, filling = np.random.default_rng(1).random((2, 3, 16, 16)).astype(np.float32)
    masked = np.array(tiles.masked(array("f", image.tobytes()), array("f", filling.tobytes()))).reshape(3, 16, 16)
    assert np.array_equal(masked, np.where(dense(tiles) > 0, image, filling).astype(np.float32))


def test_a_tally_is_the_sum_over_masks() -> None:
    draws, tally, expected = Draws(9), Tally((20, 20)), np.zeros((20, 20))
    for number in (1.5, -2.0, 7.25):
        tiles = draw_tiles((20, 20), draws)
        tally.add(tiles, number)
        expected += number * dense(tiles)
    assert np.allclose(np.array(tally.sums()).reshape(20, 20), expected, atol=1e-12)


def test_draws_are_literal() -> None:
    draws = Draws(2019)
    assert [draws.below(100) for _ in range(5)] == [19, 31, 63, 20, 31]
    assert sorted(draws.places(7, 7)) == list(range(7))
    with_repeats = [tuple(draws.places(2, 3)) for _ in range(600)]
    assert len(set(with_repeats)) == 6
    assert min(with_repeats.count(pair) for pair in set(with_repeats)) > 60  # of 100 expected
