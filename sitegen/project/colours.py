"""Colours of the page: a project may change some, as long as everything stays legible.

Contrast is that of the Web Content Accessibility Guidelines 2.2 (relative luminance, success criteria 1.4.3 for text
and 1.4.11 for graphics). Colours of warnings and failures are not to be changed.
"""

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Annotated

from pydantic import Field

from sitegen import resources
from sitegen.errors import SettingsError
from sitegen.settings.reading import STRICT

Colour = Annotated[str, Field(pattern="^#[0-9a-fA-F]{6}$")]
TEXT, GRAPHICS = 4.5, 3.0
# What is drawn on what, and the contrast that it needs.
PAIRS = (
    ("ink", "paper", TEXT),
    ("ink", "surface", TEXT),
    ("quiet", "paper", TEXT),
    ("quiet", "surface", TEXT),
    ("accent", "paper", TEXT),
    ("accent", "surface", TEXT),
    ("accent_ink", "accent", TEXT),
    ("above", "surface", TEXT),
    ("above", "line", GRAPHICS),
    ("below", "line", GRAPHICS),
)


@dataclass(frozen=True)
class Palette:
    """Colours of one scheme, as "#rrggbb"; what is left out stays as the page has it."""

    __pydantic_config__ = STRICT

    paper: Colour | None = None
    surface: Colour | None = None
    ink: Colour | None = None
    quiet: Colour | None = None
    line: Colour | None = None
    accent: Colour | None = None
    accent_ink: Colour | None = None
    above: Colour | None = None
    below: Colour | None = None


@dataclass(frozen=True)
class ColourSettings:
    """The colours for those who prefer a light page, and for those who prefer a dark one."""

    __pydantic_config__ = STRICT

    light: Palette = field(default_factory=Palette)
    dark: Palette = field(default_factory=Palette)


def colour_style(colours: ColourSettings) -> str:
    """Return the CSS of the colours that are changed. Raises SettingsError where something would be illegible."""
    problems: list[str] = []
    parts = []
    for scheme, palette in (("light", colours.light), ("dark", colours.dark)):
        changed = {name: value for name, value in asdict(palette).items() if value is not None}
        problems += _problems(scheme, changed, own_colours(scheme) | changed)
        if changed:
            properties = "; ".join(f"--{name.replace('_', '-')}: {value}" for name, value in changed.items())
            parts.append(f"@media (prefers-color-scheme: {scheme}) {{ :root {{ {properties}; }} }}\n")
    if problems:
        raise SettingsError("\n".join(problems))
    return "".join(parts)


def _problems(scheme: str, changed: dict[str, str], colours: dict[str, str]) -> Iterator[str]:
    for front, back, needed in PAIRS:
        ratio = contrast(colours[front], colours[back])
        if changed.keys() & {front, back} and ratio < needed:
            key, other = (front, back) if front in changed else (back, front)
            yield (
                f"colours.{scheme}.{key}: {colours[key]} beside {other} ({colours[other]}) has a contrast of "
                f"{int(100 * ratio) / 100:.2f}:1, and {needed}:1 is needed. "
                f"Choose a {_direction(colours, front, back)}."
            )


def _direction(colours: dict[str, str], front: str, back: str) -> str:
    darker = luminance(colours[front]) <= luminance(colours[back])
    return f"darker {front} or a lighter {back}" if darker else f"lighter {front} or a darker {back}"


def own_colours(scheme: str) -> dict[str, str]:
    """Return the colours that the page has of its own for "light" or "dark", by the names of `Palette`."""
    style = (resources.templates() / "style.css").read_text("utf-8")
    light, dark = (_properties(block) for block in re.findall(r":root \{(.*?)\}", style, re.DOTALL)[:2])
    return light if scheme == "light" else light | dark


def _properties(block: str) -> dict[str, str]:
    return {name.replace("-", "_"): value for name, value in re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", block)}


def contrast(first: str, second: str) -> float:
    """Return the contrast ratio of two colours, from 1 to 21 (WCAG 2.2, "contrast ratio")."""
    lighter, darker = sorted((luminance(first), luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    """Return the relative luminance of "#rrggbb", from 0 to 1 (WCAG 2.2, "relative luminance")."""
    samples = (int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5))
    red, green, blue = (
        sample / 12.92 if sample <= 0.04045 else ((sample + 0.055) / 1.055) ** 2.4 for sample in samples
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
