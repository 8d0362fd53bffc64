"""The parts of the augmentation pipe by name, and how strong each is (Karras et al. 2020b, appendix B).

    blit        flip, quarter-turn, shift             pixels only change places
    geometry    scale, turn, stretch, move
    colour      brightness, contrast, inversion, hue, saturation
    filtering   filter
    corruption  noise, cutout

Each happens to an image with the probability p, `turn` twice with 1 - sqrt(1 - p), `filter` for each of its four bands.
Hue and saturation change nothing in an image of one channel, and are left out there.
"""

from collections.abc import Iterable
from math import log
from typing import Literal

from sitegen.errors import SettingsError

Part = Literal[
    "flip",
    "quarter-turn",
    "shift",
    "scale",
    "turn",
    "stretch",
    "move",
    "brightness",
    "contrast",
    "inversion",
    "hue",
    "saturation",
    "filter",
    "noise",
    "cutout",
]
GROUPS: dict[str, tuple[Part, ...]] = {
    "blit": ("flip", "quarter-turn", "shift"),
    "geometry": ("scale", "turn", "stretch", "move"),
    "colour": ("brightness", "contrast", "inversion", "hue", "saturation"),
    "filtering": ("filter",),
    "corruption": ("noise", "cutout"),
}
PARTS: tuple[Part, ...] = tuple(part for group in GROUPS.values() for part in group)
OF_COLOURS = frozenset(("hue", "saturation"))

SHIFT = 0.125  # of the side, either way; whole pixels
SCALE = 0.2 * log(2)  # deviation of the logarithm; also of stretching
MOVE = 0.125  # deviation, of the side
BRIGHTNESS = 0.2  # deviation, in values of -1..1
CONTRAST = 0.5 * log(2)  # deviation of the logarithm
SATURATION = log(2)  # deviation of the logarithm
BAND = log(2)  # deviation of the logarithm of a band's factor
NOISE = 0.1  # deviation of what the noise's deviation is the size of, in values of -1..1
CUTOUT = 0.5  # of the side


def parts_of(names: Iterable[str]) -> frozenset[Part]:
    """Return the parts that names of parts and of groups stand for. Raises SettingsError for any other name."""
    wanted = list(names)
    known: dict[str, tuple[Part, ...]] = dict(GROUPS)
    known.update({part: (part,) for part in PARTS})
    if unknown := [name for name in wanted if name not in known]:
        raise SettingsError(f"augment.parts: there is no {unknown[0]!r}; there are {', '.join(known)}")
    return frozenset(part for name in wanted for part in known[name])
