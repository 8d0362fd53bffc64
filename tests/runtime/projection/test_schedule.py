"""The schedule of a projection, against the numbers of the paper, and what is refused."""

from math import isclose
from typing import Any

import pytest

from sitegen_runtime.errors import BadProjection
from sitegen_runtime.projection.schedule import Draws, Wish, corrections, jitter, rate, read_wish


def test_the_rate_rises_stays_and_falls_along_a_cosine() -> None:
    assert rate(0, 1000) == 0
    assert isclose(rate(25, 1000), 0.05)
    assert rate(50, 1000) == rate(400, 1000) == rate(750, 1000) == 0.1
    assert isclose(rate(875, 1000), 0.05)
    assert rate(999, 1000) < 1e-5


def test_noise_on_the_latent_ends_after_three_quarters() -> None:
    assert jitter(0, 1000) == 0.05
    assert isclose(jitter(375, 1000), 0.0125)  # a quarter of it, half way
    assert jitter(750, 1000) == jitter(900, 1000) == 0


def test_moments_are_corrected_for_their_start() -> None:
    first, second = corrections(0)
    assert isclose(first, 10) and isclose(second, 1000)


def test_one_latent_is_the_same_row_for_all_layers() -> None:
    one, each = (Draws(Wish(space=space), (3, 2)).latent() for space in ("w", "w+"))
    assert list(one) == list(one[:2]) * 3
    assert len(set(each)) == 6


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"steps": 0}, "takes 1 to 20000 steps, not 0"),
        ({"steps": 1.5}, "takes 1 to 20000 steps, not 1.5"),
        ({"steps": True}, "takes 1 to 20000 steps, not True"),
        ({"seed": -1}, "a whole number from 0, not -1"),
        ({"space": "z"}, "no space of latents 'z'. There are 'w', 'w\\+'"),
        ({"seconds": 0}, "seconds above 0, not 0"),
        ({"seconds": float("nan")}, "seconds above 0, not nan"),
        ({"stpes": 3}, "must be a mapping of 'steps'"),
        ([], "must be a mapping of 'steps'"),
    ],
)
def test_what_is_no_projection_is_named(fields: Any, said: str) -> None:
    with pytest.raises(BadProjection, match=said):
        read_wish(fields)
