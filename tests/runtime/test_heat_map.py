"""The error overlay and the drawn reconstruction: literal pixels."""

from sitegen_runtime.heat_map import ERROR_COLOUR, LARGEST_OPACITY, drawn, error_overlay

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
