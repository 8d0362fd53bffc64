"""The file that `sitegen train generator` reads, and presets by size.

    name = "chest"
    preset = "auto"                 shape and training by size, one of PRESETS
    [images]     which images       ImagesSettings
    [network]    changes of the preset's shape, `sitegen.networks.stylegan2.settings`
    [training]   changes of the preset's training, TrainingSettings
    [augment]    AugmentationSettings
    [snapshots]  SnapshotSettings

docs/generator.md describes every key.
"""

import json
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from sitegen.errors import SettingsError
from sitegen.networks.stylegan2.settings import SHAPES, GeneratorShape
from sitegen.settings.reading import STRICT, Count, read_settings
from sitegen.training.adaptive.parts import parts_of

Chance = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]


@dataclass(frozen=True)
class ImagesSettings:
    """Folders, archives and files of PNG, JPEG, WebP, DICOM or NIfTI; paths count from the settings file."""

    __pydantic_config__ = STRICT
    places: Annotated[tuple[str, ...], Field(min_length=1)]
    subset: Annotated[int, Field(ge=0)] = 0  # train on so many images, drawn by the seed; 0 for all
    flip: bool = False  # left and right are exchanged by chance: off, since hearts have a side
    fit: Literal["crop", "stretch"] = "crop"  # how an image that is no square becomes one
    classes: Literal["none", "folders"] = "none"  # "folders": the first folder of a file's path is its class
    axis: Literal["sagittal", "coronal", "axial"] = "axial"  # of NIfTI volumes
    window: tuple[float, float] | None = None  # their values of black and white; a volume's own ends if not given
    every: Count = 1  # which of their slices: each one, every second …


@dataclass(frozen=True)
class TrainingSettings:
    """Lengths are in images shown to the discriminator; weights and rates as in Karras et al. 2020a and 2020b."""

    __pydantic_config__ = STRICT
    images: Count = 25_000_000
    batch: Count = 32
    learning_rate: Positive = 0.0025
    r1: NotNegative = 1.0  # gamma
    r1_every: Count = 16
    path_length: NotNegative = 2.0
    path_length_every: Count = 4
    mixing: Chance = 0.9  # how often an image has two styles
    average: Positive = 10_000.0  # images after which half of the running average is forgotten
    average_begin: Annotated[float, Field(ge=0)] = 0.05  # at first, this share of the images so far; 0 for never
    precision: Literal["32", "bf16", "auto"] = "32"
    initial: str = ""  # a generator's file to begin with, or official weights as tensors
    freeze: Annotated[int, Field(ge=0)] = 0  # blocks of the discriminator, from the image on, that then learn nothing
    seed: int = 0


@dataclass(frozen=True)
class AugmentationSettings:
    """What the discriminator sees changed: nothing, with a fixed probability, or with one that adapts."""

    __pydantic_config__ = STRICT
    mode: Literal["none", "fixed", "adaptive"] = "adaptive"
    probability: Chance = 0.0  # the fixed one, or the one to begin with
    target: Annotated[float, Field(gt=0, lt=1)] = 0.6
    every: Count = 4
    images: Count = 500_000  # within which the probability can go from 0 to 1
    parts: tuple[str, ...] = ("blit", "geometry", "colour")


@dataclass(frozen=True)
class SnapshotSettings:
    """When to look at how it goes; and by which features, if any, the best is told."""

    __pydantic_config__ = STRICT
    every: Count = 200_000  # images
    save_every: Count = 20_000  # images after which the training is written down, to go on from
    columns: Count = 8  # of the grid of samples, which is as high
    count: Annotated[int, Field(ge=2)] = 2000  # generated, and at most so many real images, for the distance
    bundle: str = ""  # a bundle's folder, whose classifier gives features
    network: str = ""  # or an ONNX file's path
    output: str = ""  # its output with the features; the first if empty


@dataclass(frozen=True)
class GeneratorFile:
    """A settings file, its preset resolved; `folder` is where it lies."""

    __pydantic_config__ = STRICT
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    images: ImagesSettings
    network: GeneratorShape = SHAPES["small"]
    training: TrainingSettings = field(default_factory=TrainingSettings)
    augment: AugmentationSettings = field(default_factory=AugmentationSettings)
    snapshots: SnapshotSettings = field(default_factory=SnapshotSettings)
    folder: str = ""

    def place(self, name: str) -> Path:
        """Return a path of the file, which counts from where it lies."""
        return Path(self.folder) / Path(name).expanduser()


def auto(side: int) -> dict[str, Any]:
    """Return Karras et al. 2020b's choices for any size on one card: appendix C, with its rule for R1's weight."""
    batch = max(min(4096 // side, 32), 1)
    return {
        "network": {"name": "stylegan2" if side >= 512 else "half", "mapping_layers": 2, "group": min(batch, 4)},
        "training": {
            "batch": batch,
            "learning_rate": 0.002 if side >= 1024 else 0.0025,
            "r1": 0.0002 * side**2 / batch,
            "average": batch * 10_000 / 32,
        },
    }


def _paper(name: str, batch: int, rate: float, r1: float, average: float, group: int) -> dict[str, Any]:
    training = {"batch": batch, "learning_rate": rate, "r1": r1, "average": average, "average_begin": 0.0}
    return {"network": {"name": name, "group": group}, "training": training}


PRESETS: dict[str, dict[str, Any]] = {
    "paper256": _paper("half", 64, 0.0025, 1.0, 20_000, 8),  # Karras et al. 2020b, table 5
    "paper512": _paper("stylegan2", 64, 0.0025, 0.5, 20_000, 8),
    "paper1024": _paper("stylegan2", 32, 0.002, 2.0, 10_000, 4),
    # Ours: for a processor without a card, up to 64 pixels.
    "small": {
        "network": {"name": "small"},
        "training": {"images": 1_500_000, "batch": 16, "r1": 0.1, "average": 5_000},
    },
    "tiny": {"network": {"name": "tiny", "side": 32}, "training": {"images": 512, "batch": 8, "r1": 0.1}},  # for trials
}
"""Shape and training by name, beside "auto"."""


def read_generator_file(path: Path) -> GeneratorFile:
    """Return a settings file (TOML or JSON). Raises SettingsError, naming it, with everything that does not fit."""
    try:
        raw = path.read_text(encoding="utf-8")
        document = json.loads(raw) if path.suffix == ".json" else tomllib.loads(raw)
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}. Name a settings file (TOML).") from error
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"{path} is not valid {'JSON' if path.suffix == '.json' else 'TOML'}: {error}") from error
    if not isinstance(document, dict):
        raise SettingsError(f"{path} is no table of settings, it is a {type(document).__name__}")
    try:
        return generator_file({**document, "folder": str(path.parent.resolve())})
    except SettingsError as error:
        raise SettingsError(f"{path}: {error}") from None


def generator_file(document: dict[str, Any]) -> GeneratorFile:
    """Return the settings of nested keys and values. Raises SettingsError."""
    document = dict(document)
    name, network = document.pop("preset", "auto"), dict(document.get("network") or {})
    if name != "auto" and name not in PRESETS:
        raise SettingsError(f"there is no preset {name!r}; there are auto, {', '.join(PRESETS)}")
    base = auto(network.get("side", 64)) if name == "auto" else PRESETS[name]
    shape = {**base["network"], **network}
    known = shape.pop("name", "small")
    if known not in SHAPES:
        raise SettingsError(f"there is no generator {known!r}; there are {', '.join(SHAPES)}")
    document["network"] = vars(read_settings(GeneratorShape, shape, SHAPES[known]))
    document["training"] = {**base["training"], **dict(document.get("training") or {})}
    file = read_settings(GeneratorFile, document)
    parts_of(file.augment.parts)
    if file.snapshots.bundle and file.snapshots.network:
        raise SettingsError("snapshots: name a bundle or a network, not both")
    return file
