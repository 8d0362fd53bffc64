"""The shape of a generator and its discriminator, and shapes by name.

read_shape({"name": "small", "side": 64})     settings of a named shape, with changes
shape_document(settings)                       what `read_shape` makes the same settings of
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

from pydantic import Field

from sitegen.errors import SettingsError
from sitegen.settings.reading import STRICT, Count, read_settings, settings_document

Side = Literal[32, 64, 128, 256, 512, 1024]
_SMALLEST = 4  # side of the first maps


@dataclass(frozen=True)
class GeneratorShape:
    """Both networks' shape. At maps of side s there are `channel_base` / s channels, at most `channel_max`.

    `latent` is the length of z, `style` that of w; `classes` 0 is a generator without condition.
    """

    __pydantic_config__ = STRICT
    side: Side = 64
    channels: Literal[1, 3] = 1
    classes: Annotated[int, Field(ge=0)] = 0
    latent: Count = 512
    style: Count = 512
    mapping_layers: Count = 8
    mapping_rate: Annotated[float, Field(gt=0)] = 0.01  # learning rate of the mapping, as a share of all others'
    channel_base: Count = 32768
    channel_max: Count = 512
    group: Count = 4  # images whose deviation the discriminator sees
    clamp: Annotated[float, Field(gt=0)] | None = None  # largest value of a layer; official weights have 256

    def width(self, side: int) -> int:
        """Return the channels of maps of a side."""
        return max(1, min(self.channel_base // side, self.channel_max))

    @property
    def sides(self) -> tuple[int, ...]:
        """The sides of maps from the smallest to the image's."""
        return tuple(_SMALLEST << step for step in range((self.side // _SMALLEST).bit_length()))

    @property
    def layers(self) -> int:
        """How many styles an image takes: one for each convolution, and one for the last image layer."""
        return 2 * len(self.sides)


_FULL = GeneratorShape(side=256)
SHAPES: dict[str, GeneratorShape] = {
    "stylegan2": _FULL,  # Karras et al. 2020a, configuration F
    "half": replace(_FULL, channel_base=16384),  # Karras et al. 2020b, up to 256 pixels
    "auto": replace(_FULL, channel_base=16384, mapping_layers=2),  # the same, with a shallow mapping
    "small": GeneratorShape(latent=128, style=128, mapping_layers=2, channel_base=2048, channel_max=128),
    "tiny": GeneratorShape(side=32, latent=16, style=16, mapping_layers=2, channel_base=128, channel_max=8),
}
"""Shapes by name: three of the papers, one that a CPU trains in hours, one for trials."""


def read_shape(document: Mapping[str, Any]) -> GeneratorShape:
    """Return the shape that `document["name"]` stands for ("small" if there is none), with its other keys as changes.

    Raises SettingsError where the name is unknown, or where keys or values do not fit.
    """
    name = document.get("name", "small")
    if name not in SHAPES:
        raise SettingsError(f"there is no generator {name!r}; there are {', '.join(SHAPES)}")
    return read_settings(GeneratorShape, {k: v for k, v in document.items() if k != "name"}, SHAPES[name])


def shape_document(shape: GeneratorShape) -> dict[str, Any]:
    """Return every setting as JSON can hold it: to be kept beside trained weights."""
    return settings_document(shape)
