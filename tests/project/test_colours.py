"""Colours: contrast as the guidelines define it, and a page that stays legible."""

import re

import pytest

from sitegen import resources
from sitegen.errors import SettingsError
from sitegen.project.colours import PAIRS, ColourSettings, Palette, colour_style, contrast, own_colours


@pytest.mark.parametrize(
    ("first", "second", "ratio"),
    # Published values: black on white, and the greys that just pass and fail 4.5:1 on white.
    [
        ("#000000", "#ffffff", 21.0),
        ("#ffffff", "#ffffff", 1.0),
        ("#767676", "#ffffff", 4.54),
        ("#777777", "#ffffff", 4.48),
    ],
)
def test_contrast(first: str, second: str, ratio: float) -> None:
    assert contrast(first, second) == pytest.approx(ratio, abs=0.005)
    assert contrast(second, first) == contrast(first, second)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_own_colours_are_legible(scheme: str) -> None:
    own = own_colours(scheme)
    assert [pair for pair in PAIRS if contrast(own[pair[0]], own[pair[1]]) < pair[2]] == []


def test_own_colours_are_those_of_the_style() -> None:
    assert own_colours("light")["accent"] == "#0b5cad"
    assert own_colours("dark")["accent"] == "#6db3f7"
    assert own_colours("light").keys() == own_colours("dark").keys() >= set(Palette.__dataclass_fields__)
    style = (resources.templates() / "style.css").read_text("utf-8")
    assert all(f"var(--{name.replace('_', '-')})" in style for name in Palette.__dataclass_fields__)


def test_changed_colours_become_properties_of_their_scheme() -> None:
    style = colour_style(ColourSettings(Palette(accent="#004080", accent_ink="#ffffff"), Palette(paper="#000000")))
    assert style == (
        "@media (prefers-color-scheme: light) { :root { --accent: #004080; --accent-ink: #ffffff; } }\n"
        "@media (prefers-color-scheme: dark) { :root { --paper: #000000; } }\n"
    )
    assert colour_style(ColourSettings()) == ""


def test_what_cannot_be_read_is_refused_with_key_and_ratio() -> None:
    with pytest.raises(SettingsError) as caught:
        colour_style(ColourSettings(light=Palette(accent="#ffcc00")))
    message = str(caught.value)
    line = "colours.light.accent: #ffcc00 beside surface (#ffffff) has a contrast of 1.51:1, and 4.5:1 is needed."
    assert line in message
    assert "Choose a darker accent or a lighter surface." in message
    assert "beside paper (#f6f7f9)" in message
    assert "colours.light.accent: #ffcc00 beside accent_ink (#ffffff)" in message


def test_a_changed_background_is_checked_with_the_text_that_stays() -> None:
    with pytest.raises(SettingsError, match=r"colours\.dark\.surface: #808080 beside ink"):
        colour_style(ColourSettings(dark=Palette(surface="#808080")))


def test_graphics_need_less() -> None:
    assert colour_style(ColourSettings(light=Palette(below="#4f7eab")))
    with pytest.raises(SettingsError, match=re.escape("colours.light.below: #a0b8d0 beside line (#d3dae1)")):
        colour_style(ColourSettings(light=Palette(below="#a0b8d0")))
