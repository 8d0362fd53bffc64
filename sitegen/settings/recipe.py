"""The recipe file: TOML (or JSON) with a table for each step, read into typed settings.

    name = "chest-radiograph"          of the bundle
    [data]       which images, which labels, which split         DataSettings
    [audit]      what of the data's shortcuts is let pass        AuditSettings
    [image]      what the network sees of an image               ImageSettings
    [network]    `sitegen.networks.registry.read_network`
    [training]   `sitegen.training.presets.read_recipe`
    [gate]       how the gate is trained, what it measures       GatePlan
    [export]     calibration, title, licences, gate              ExportSettings

docs/recipe.md describes every key.
"""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from sitegen.bundle.calibration import Method
from sitegen.bundle.gate import PartName, ScoreName
from sitegen.errors import SettingsError
from sitegen.settings.audit import AuditSettings
from sitegen.settings.data import DataSettings, Share
from sitegen.settings.expects import ExpectsSettings
from sitegen.settings.reading import STRICT, Count, read_settings
from sitegen_runtime.bundle.model import NetworkInput


@dataclass(frozen=True)
class ImageSettings:
    """What a network sees of an image: a share of what `fit` takes, scaled to `side`, as numbers.

    `side` is that of a square, or rows and columns. `fit` says what becomes of images of another form: see
    `sitegen_runtime.pixels.views`. `fill` is what lies beside a padded image, from 0 for black to 1 for white.
    """

    __pydantic_config__ = STRICT
    side: Count | tuple[Count, Count] = 224
    colour: Literal["grey", "rgb"] = "grey"
    fraction: Annotated[float, Field(gt=0, le=1)] = 1.0
    range: tuple[float, float] = (-1.0, 1.0)  # of black and white
    mean: tuple[float, ...] = (0.0,)
    std: tuple[Annotated[float, Field(gt=0)], ...] = (1.0,)
    fit: Literal["crop", "squash", "pad"] = "crop"
    fill: tuple[Annotated[float, Field(ge=0, le=1)], ...] = (0.0,)

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.side if isinstance(self.side, tuple) else (self.side, self.side)


@dataclass(frozen=True)
class GatePlan:
    """The gate: its network's training, the scores that it measures, and how many images it is to let pass."""

    __pydantic_config__ = STRICT
    training: dict[str, Any] = field(default_factory=dict)  # `sitegen.gate.training.presets.read_gate_recipe`
    images: tuple[str, ...] = ()  # folders of further images without labels, from where the recipe lies; to train on
    # Further images this like one of another split are left out: their correlation, in the gate's input.
    apart: Annotated[float, Field(gt=0, le=1)] = 0.95
    thresholds: Annotated[tuple[str, ...], Field(min_length=1)] = ("valid",)  # the splits that thresholds are set with
    share: Share = 0.95  # of the images of every source in these splits that all scores together let pass
    scores: tuple[ScoreName, ...] = ("turned",)  # beside the SSIM
    # What the score "combined" is made of.
    combine: Annotated[tuple[PartName, ...], Field(min_length=1)] = ("ssim", "turned", "mahalanobis")


@dataclass(frozen=True)
class YoudenRule:
    """The point of each finding where sensitivity less false positive rate is largest."""

    __pydantic_config__ = STRICT
    kind: Literal["youden"] = "youden"


@dataclass(frozen=True)
class SpecificityRule:
    """The point of each finding that a share of the images without it stays below, in every source."""

    __pydantic_config__ = STRICT
    kind: Literal["specificity"] = "specificity"
    share: Share = 0.9


@dataclass(frozen=True)
class FalseAlarms:
    """The points with which no more than a share of the images without any finding is flagged, in every source."""

    __pydantic_config__ = STRICT
    kind: Literal["false-alarms"] = "false-alarms"
    share: Share = 0.2


GoldenKind = Literal["png", "dicom"]
PointRule = Annotated[YoudenRule | SpecificityRule | FalseAlarms, Field(discriminator="kind")]


@dataclass(frozen=True)
class ExportSettings:
    """What the bundle says and does apart from its network."""

    __pydantic_config__ = STRICT
    title: str = ""
    version: str = "0.1.0"
    licence_weights: str = "not stated"
    licence_data: str = "not stated"
    calibration: Method = "piecewise-linear"
    operating_points: PointRule = field(default_factory=YoudenRule)
    half: bool = False  # both networks' weights are rounded to 16 bits, and everything is measured with them
    bundle: str = ""  # the folder to write, from where the recipe lies; in the work folder if empty
    gate: str = ""  # a bundle's folder, from where the recipe lies, whose gate is taken over
    expects: ExpectsSettings | None = None  # of DICOM files' headers; as for chest radiographs if nothing is said
    golden: GoldenKind = "png"  # what kind of file the example image is
    card: str = ""  # a Markdown file, from where the recipe lies, that the card ends with: what no figure says


@dataclass(frozen=True)
class EvaluationSettings:
    """What is measured besides the usual."""

    __pydantic_config__ = STRICT
    split: str = "test"
    also: tuple[str, ...] = ()  # further splits that `--final` opens, such as another hospital's images
    prevalence: tuple[Share, ...] = (0.01, 0.1, 0.5)  # for which predictive values are given
    boxes: str = ""  # a CSV file of radiologists' boxes, from the data's folder, for maps on test images


@dataclass(frozen=True)
class RecipeFile:
    """A recipe file; `network` and `training` are read by their own rooms. `folder` is where the file lies."""

    __pydantic_config__ = STRICT
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    data: DataSettings = field(default_factory=DataSettings)
    audit: AuditSettings = field(default_factory=AuditSettings)
    image: ImageSettings = field(default_factory=ImageSettings)
    network: dict[str, Any] = field(default_factory=dict)  # that of the training's preset if empty
    training: dict[str, Any] = field(default_factory=lambda: {"preset": "compact"})
    members: tuple[dict[str, Any], ...] = ()  # of each, what it changes in [training]; their weights are averaged
    evaluation: EvaluationSettings = field(default_factory=EvaluationSettings)
    gate: GatePlan | None = None  # without one, the bundle has the gate that `export` names, or none
    export: ExportSettings = field(default_factory=ExportSettings)
    folder: str = ""

    def place(self, name: str) -> Path:
        """Return a path of the recipe, which counts from where the recipe lies."""
        return Path(self.folder) / Path(name).expanduser()


def read_recipe_file(path: Path) -> RecipeFile:
    """Return a recipe file's settings. Raises SettingsError, naming the file, with everything that does not fit."""
    try:
        raw = path.read_text(encoding="utf-8")
        document = json.loads(raw) if path.suffix == ".json" else tomllib.loads(raw)
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}. Name a recipe file (TOML).") from error
    except (ValueError, RecursionError) as error:  # of both parsers, and of a text that is not UTF-8
        raise SettingsError(f"{path} is not valid {'JSON' if path.suffix == '.json' else 'TOML'}: {error}") from error
    return recipe_of(document, path.parent.resolve(), str(path))


def recipe_of(document: object, folder: Path | str, name: str = "the recipe") -> RecipeFile:
    """Return the settings of a recipe's nested keys and values; `folder` is what its paths count from."""
    if not isinstance(document, Mapping):
        raise SettingsError(f"{name} is no table of settings, it is a {type(document).__name__}")
    try:
        recipe = read_settings(RecipeFile, {**document, "folder": str(folder)})
    except SettingsError as error:
        raise SettingsError(f"{name}: {error}") from None
    rows, columns = recipe.image.grid
    if rows != columns:
        raise SettingsError(
            f"{name}: image.side is [{rows}, {columns}], and training takes square images alone. Give one number; "
            "a network with another input, trained elsewhere, can be imported (sitegen import)."
        )
    if recipe.gate and recipe.export.gate:
        raise SettingsError(
            f"{name} has a [gate], and its [export] names {recipe.export.gate}, whose gate is to be taken over. "
            "Keep one of them."
        )
    return recipe


def network_input(image: ImageSettings) -> NetworkInput:
    """Return the input as the runtime describes it. Raises SettingsError where colours and numbers do not agree."""
    channels = 3 if image.colour == "rgb" else 1
    mean, std = (values * channels if len(values) == 1 else values for values in (image.mean, image.std))
    if len(mean) != channels or len(std) != channels or image.range[0] >= image.range[1]:
        raise SettingsError(
            f"image: {image.colour} needs {channels} value(s) of mean and std each, and a range that rises, "
            f"not mean {image.mean}, std {image.std}, range {image.range}"
        )
    shape = (1, channels, *image.grid)
    fill = image.fill * channels if len(image.fill) == 1 else image.fill
    if image.fit == "pad" and len(fill) != channels:
        raise SettingsError(f"image: {image.colour} needs {channels} value(s) of fill, not {len(fill)}")
    filled = fill if image.fit == "pad" else ()
    return NetworkInput("image", shape, image.colour, image.fraction, image.range, mean, std, image.fit, filled)
