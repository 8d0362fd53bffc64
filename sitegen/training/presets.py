"""How a classifier is trained, as typed settings; the recipes of two papers, and our own for small machines.

    PRESETS["chester"]                               a recipe
    read_recipe({"preset": "app", "batch": 16})      a recipe with changes, as a file gives them

"Cohen 2019" and "Cohen 2020" are the papers on Chester, "Elkins 2019" is "Developing an App to interpret Chest X-rays".
A number without a source is ours: the paper does not give it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal

from pydantic import Field

from sitegen.errors import SettingsError
from sitegen.networks.heads import PooledHeadSettings
from sitegen.networks.registry import NETWORKS, NetworkSettings
from sitegen.settings.reading import STRICT, Count, read_settings
from sitegen.training.augment import AugmentSettings, placement
from sitegen.training.losses import LossSettings, MultiLabelSettings, OneAgainstAllSettings
from sitegen.training.schedules import AdamSettings, OneCycleSettings, PlateauSettings, ScheduleSettings
from sitegen.training.transfer import Part

Precision = Literal["auto", "32", "bf16", "16"]
"""Of the arithmetic; "auto" is bfloat16 or float16 in part where a graphics card has it, and float32 elsewhere."""


@dataclass(frozen=True)
class Phase:
    """A stretch of training with an optimiser and a schedule of its own."""

    __pydantic_config__ = STRICT
    trains: Part
    epochs: Count
    schedule: ScheduleSettings


@dataclass(frozen=True)
class Draw:
    """Which images an epoch has: every image once, its weight in the loss; or so many, drawn by their weights."""

    __pydantic_config__ = STRICT
    by: Literal["turn", "weight"] = "turn"
    images: Count | None = None  # of an epoch drawn by weight; as many as there are, if None

    def count(self, images: int) -> int:
        """Return how many images an epoch has, where there are so many."""
        return images if self.by == "turn" else self.images or images


@dataclass(frozen=True)
class Recipe:
    """All that decides how a classifier is trained, apart from the network and the data."""

    __pydantic_config__ = STRICT
    phases: tuple[Phase, ...]
    loss: LossSettings = field(default_factory=MultiLabelSettings)
    adam: AdamSettings = field(default_factory=AdamSettings)
    augment: AugmentSettings = field(default_factory=AugmentSettings)
    draw: Draw = field(default_factory=Draw)
    mix: Annotated[float, Field(ge=0)] = 0.0  # images are mixed in pairs, by shares of Beta(mix, mix); 0: none are
    batch: Count = 32  # images of a step, over all processes together
    clip: Annotated[float, Field(ge=0)] = 0.0  # the largest norm of a step's gradient; any, if 0
    average: Annotated[float, Field(ge=0, lt=1)] = (
        0.0  # how much of the weights' running average a step leaves; 0: none
    )
    seed: Annotated[int, Field(ge=0)] = 1
    early_stopping: Count | None = None  # a phase ends after so many epochs without a better validation AUC
    keep: Literal["best", "last"] = "best"  # which epoch's weights a phase ends with, by validation AUC
    precision: Precision = "auto"

    def __post_init__(self) -> None:
        """Raise ValueError, which pydantic reports as one of the value, where the loss cannot take mixed targets."""
        if self.mix and isinstance(self.loss, OneAgainstAllSettings):
            raise ValueError("mix needs a loss of kind multi-label: one-against-all has no targets in between")

    def steps(self, images: int) -> int:
        """Return the steps of an epoch, where there are so many training images."""
        return batch_count(self.draw.count(images), self.batch)


def batch_count(images: int, size: int) -> int:
    """Return how many batches of about `size` so many images are: none of one image, unless one is asked for."""
    needed = -(-images // size)
    return needed if size == 1 else min(needed, max(images // 2, 1))


@dataclass(frozen=True)
class Preset:
    """A paper's network and recipe; the network is for images of 224 x 224 and 14 findings."""

    network: NetworkSettings
    recipe: Recipe


CHESTER = Preset(
    replace(NETWORKS["densenet121"], labels=14),  # Cohen 2019, section 2
    Recipe(
        phases=(
            Phase(
                "all",
                epochs=30,
                # Cohen 2020, appendix B: 0.001, decay of 0.1 when validation accuracy plateaus.
                schedule=PlateauSettings(learning_rate=1e-3, factor=0.1),
            ),
        ),
        loss=MultiLabelSettings(),
        adam=AdamSettings(betas=(0.9, 0.999), weight_decay=0.0),  # Cohen 2020, appendix B
        augment=placement(rotation=45, shift=0.15, scale=0.15),  # Cohen 2020, table 1
        batch=16,
    ),
)

APP = Preset(
    # Elkins 2019, section 1.3: the body of DenseNet-121 with a head of its own, images of 3 channels.
    replace(NETWORKS["densenet121"], labels=14, head=PooledHeadSettings()),
    Recipe(
        phases=(
            # Elkins 2019, section 1.3: end to end for 30 epochs, from 1.32e-2 to at most 1e-1. Momentum is fast.ai's.
            Phase("all", epochs=30, schedule=OneCycleSettings(initial_rate=1.32e-2, peak_rate=1e-1)),
            # "Freeze all the layers before the last classification layer", with "a different range".
            Phase("head", epochs=10, schedule=OneCycleSettings(initial_rate=1e-4, peak_rate=3e-3)),
        ),
        loss=MultiLabelSettings(class_weights=True),  # Elkins 2019, Eq. 1.1 and 1.3
        adam=AdamSettings(betas=(0.9, 0.999), weight_decay=1e-5),  # the least of those in figure 6, which hardly differ
        augment=AugmentSettings(
            # Elkins 2019, section 1.2.1: 0 to 30 degrees either way; half of the images zoomed by 1.3; brightness and
            # contrast of all changed by 0 to 0.4.
            rotation=30,
            shift=0.0,
            scale=0.0,
            zoom=1.3,
            zoom_chance=0.5,
            brightness=0.4,
            contrast=0.4,
        ),
        batch=64,  # Elkins 2019, section 1.2.1
    ),
)

COMPACT = Preset(
    # Ours, all of it: for a few thousand images on two cores of a laptop.
    replace(NETWORKS["densenet-compact"], labels=1),
    Recipe(
        phases=(Phase("all", epochs=30, schedule=OneCycleSettings(initial_rate=1.2e-4, peak_rate=3e-3)),),
        loss=MultiLabelSettings(smoothing=0.05),
        adam=AdamSettings(weight_decay=1e-2),
        batch=32,
        keep="last",  # the best of thirty noisy validation scores is no better than the end of the cycle
    ),
)

PRESETS: dict[str, Preset] = {"chester": CHESTER, "app": APP, "compact": COMPACT}


def read_recipe(document: Mapping[str, Any]) -> Recipe:
    """Return the recipe of `document["preset"]`, with the other keys as changes; without a preset, `phases` is needed.

    Raises SettingsError where the preset is unknown, or where keys or values do not fit.
    """
    name = document.get("preset")
    if name is not None and name not in PRESETS:
        raise SettingsError(f"there is no preset {name!r}; there are {', '.join(PRESETS)}")
    changes = {key: value for key, value in document.items() if key != "preset"}
    return read_settings(Recipe, changes, PRESETS[name].recipe if name else None)
