"""The error overlay, the drawn reconstruction and explanations: literal pixels, and matplotlib's colours."""

from typing import Any

import matplotlib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sitegen_runtime.errors import BadExplanation
from sitegen_runtime.maps.colour_maps import COLOUR_MAPS, colours
from sitegen_runtime.maps.heat_map import (
    ERROR_COLOUR,
    FINE_BLUR,
    LARGEST_OPACITY,
    Look,
    drawn,
    error_overlay,
    legend,
    picture,
    picture_size,
    shares,
)
from sitegen_runtime.pixels.grids import enlarged, smoothed

RED, GREEN, BLUE = ERROR_COLOUR


def opacities(errors: list[float]) -> list[int]:
    overlay = error_overlay(errors)
    assert len(overlay) == 4 * len(errors)
    pixels = [tuple(overlay[start : start + 4]) for start in range(0, len(overlay), 4)]
    assert {pixel[:3] for pixel in pixels} == {(RED, GREEN, BLUE)}
    return [pixel[3] for pixel in pixels]


def test_literal_pixels() -> None:
    assert error_overlay([0.0, 0.5]) == bytes([213, 43, 30, 0, 213, 43, 30, 217])


def test_opacity_grows_in_proportion_up_to_the_largest_error() -> None:
    assert opacities([0.0, 0.1, 0.2, 0.4]) == [0, 54, 109, 217]


def test_small_errors_stay_faint() -> None:
    assert opacities([0.0, 0.01, 0.05, 0.1]) == [0, 22, 109, LARGEST_OPACITY]
    assert opacities([0.001, 0.001]) == [2, 2]


def test_an_error_beyond_full_scale_is_the_largest() -> None:
    assert opacities([0.0, 3.0, 1.5]) == [0, 217, 109]


def test_perfect_reconstructions_are_transparent() -> None:
    assert opacities([0.0] * 5) == [0] * 5


def test_a_grey_reconstruction_is_drawn_opaque() -> None:
    assert drawn([0.0, 0.5, 1.0], 1) == bytes([0, 0, 0, 255, 128, 128, 128, 255, 255, 255, 255, 255])


def test_the_channels_of_a_colour_reconstruction_follow_each_other() -> None:
    assert drawn([0.0, 1.0, 0.2, 0.4, 0.6, 0.8], 3) == bytes([0, 51, 153, 255, 255, 102, 204, 255])


def test_shares_outside_the_range_are_drawn_at_its_ends() -> None:
    assert drawn([-0.5, 1.5], 1) == bytes([0, 0, 0, 255, 255, 255, 255, 255])


PLAIN = Look(opacity=1, threshold=0, blur=0)


def pixels(rgba: bytes) -> np.ndarray:
    return np.frombuffer(rgba, np.uint8).reshape(-1, 4)


@pytest.mark.parametrize("name", COLOUR_MAPS)
def test_colours_are_matplotlibs(name: str) -> None:
    expected = np.array([matplotlib.colormaps[name](level)[:3] for level in range(256)]) * 255
    assert np.array_equal(np.array([list(part) for part in colours(name)]).T, expected.round())


@pytest.mark.parametrize("name", COLOUR_MAPS)
def test_colours_grow_lighter_for_all_kinds_of_eyes(name: str) -> None:
    """Luma rises all the way, so that the order can be seen without telling hues apart."""
    luma = np.array([0.2126, 0.7152, 0.0722]) @ np.array([list(part) for part in colours(name)], float)
    assert luma[-1] - luma[0] > 150
    assert np.diff(luma).min() > -1.0  # rounded to 8 bits


def test_a_picture_literally() -> None:
    made = picture([-1.0, 0.0, 1.0, 2.0], (2, 2), (2, 2), PLAIN)
    red, green, blue = colours("viridis")
    expected = [(red[level], green[level], blue[level], level) for level in (0, 0, 128, 255)]
    assert [tuple(pixel) for pixel in pixels(made)] == expected


def test_the_threshold_hides_weak_places_and_the_opacity_is_that_of_the_strongest() -> None:
    look = Look(opacity=0.6, threshold=0.5, blur=0)
    opacity = pixels(picture([0.1, 0.49, 0.75, 1.0], (2, 2), (2, 2), look))[:, 3]
    assert opacity.tolist() == [0, 0, 76, 153]


@given(st.floats(0.001, 1), st.floats(0, 0.999), st.sampled_from(COLOUR_MAPS))
def test_opacity_follows_impact_and_the_strongest_is_never_transparent(
    opacity: float, threshold: float, name: str
) -> None:
    look = Look(opacity, name, threshold)
    opacities = pixels(legend(look))[:, 3].astype(int)
    assert opacities[0] == 0
    assert opacities[-1] == max(1, int(255 * opacity + 0.5))
    assert np.diff(opacities).min() >= 0
    assert not opacities[np.arange(256) / 255 <= threshold].any()


@given(st.lists(st.floats(-10, 10, width=32), min_size=9, max_size=9), st.integers(0, 3))
def test_the_strongest_place_has_the_last_colour(values: list[float], blur: int) -> None:
    made = pixels(picture(values, (3, 3), (12, 12), Look(blur=blur)))
    if max(values) <= 0:
        assert not made[:, 3].any()
    else:
        assert max(made[:, 3]) == int(255 * 0.75 + 0.5)


def test_a_map_with_nothing_above_zero_is_transparent() -> None:
    assert not pixels(picture([-1.0, 0.0, -2.0, 0.0], (2, 2), (4, 4), PLAIN))[:, 3].any()


def test_coarse_maps_are_enlarged_and_fine_ones_smoothed() -> None:
    coarse, fine = [1.0, 0.0, 0.0, 4.0], [float(index == 12) for index in range(25)]
    assert shares(coarse, (2, 2), (6, 6)) == pytest.approx([value / 4 for value in enlarged(coarse, (2, 2), (6, 6))])
    expected = smoothed(fine, (5, 5), FINE_BLUR)
    assert shares(fine, (5, 5), (5, 5)) == pytest.approx([value / max(expected) for value in expected])
    assert shares(fine, (5, 5), (5, 5), 0) == fine


def test_a_map_of_twice_the_side_is_halved_before_it_is_smoothed() -> None:
    fine = [0.0] * 36
    fine[14:16] = 2.0, 6.0  # the middle place of nine has the mean of cells 14, 15, 20, 21
    assert shares(fine, (6, 6), (3, 3), 0) == [0, 0, 0, 0, 1, 0, 0, 0, 0]
    expected = smoothed([0.0] * 4 + [2.0] + [0.0] * 4, (3, 3), FINE_BLUR)
    assert shares(fine, (6, 6), (3, 3)) == pytest.approx([value / max(expected) for value in expected])


def test_how_many_pixels_a_picture_has() -> None:
    assert picture_size((224, 224), (224, 224)) == (112, 112)
    assert picture_size((299, 299), (299, 299)) == (299, 299)  # four cells have no middle there
    assert picture_size((7, 7), (224, 224)) == (56, 56)
    assert picture_size((14, 14), (224, 224)) == (112, 112)
    assert picture_size((4, 4), (16, 16)) == (16, 16)
    assert picture_size((2, 7), (224, 224)) == (56, 56)


def test_negative_values_do_not_darken_their_neighbours() -> None:
    assert shares([-100.0, 1.0, 1.0, 1.0], (2, 2), (2, 2), 0) == [0, 1, 1, 1]


@given(st.integers(-100, 100))
def test_the_size_of_the_numbers_does_not_matter(exponent: int) -> None:
    scale, values = 2.0**exponent, [0.0, 1.0, 2.0, 4.0]
    assert picture([scale * value for value in values], (2, 2), (2, 2)) == picture(values, (2, 2), (2, 2))


def test_the_legend_has_the_colours_of_the_picture() -> None:
    look = Look(0.5, "cividis", 0.25, 0)
    values = [level / 255 for level in range(256)]
    assert legend(look) == picture(values, (16, 16), (16, 16), look)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"opacity": 0}, "above 0"),
        ({"opacity": 1.1}, "at most 1"),
        ({"opacity": True}, "not True"),
        ({"opacity": float("nan")}, "not nan"),
        ({"threshold": 1}, "less than 1"),
        ({"threshold": "0.5"}, "not '0.5'"),
        ({"colour_map": "jet"}, "no colour map 'jet'. There are 'viridis'"),
        ({"blur": 1.5}, "whole number"),
        ({"blur": -1}, "from 0 to 50"),
        ({"colour": "viridis"}, "has no ['colour']"),
    ],
)
def test_looks_out_of_range_are_refused(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(BadExplanation) as caught:
        Look.read(fields)
    assert words in str(caught.value)


def test_looks_have_defaults() -> None:
    assert Look.read(None) == Look.read({}) == Look()
    assert Look.read({"opacity": 1, "blur": 3}) == Look(1, Look().colour_map, Look().threshold, 3)
