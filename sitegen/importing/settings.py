"""What a user says of a model that its file does not: names, labels, and what the network sees of an image.

    name = "my-model"                  of the bundle
    output = "logits"                  what the network gives: or "probabilities", "softmax", "percentages"

    [image]                            as in a recipe; what is left out is as the source has it
    side = 224

    [[labels]]
    name = "Effusion"
    operating_point = 0.31             the probability from which the page says that the finding is there

docs/import.md describes every key.
"""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from sitegen.bundle import Calibration, Label
from sitegen.errors import SettingsError
from sitegen.settings.expects import ExpectsSettings
from sitegen.settings.reading import STRICT, read_settings
from sitegen.settings.recipe import ImageSettings, network_input
from sitegen_runtime.bundle.model import NetworkInput

OutputKind = Literal["logits", "probabilities", "softmax", "percentages"]


@dataclass(frozen=True)
class LabelSettings:
    """A finding; `operating_point` is on the scale of the model's own probabilities."""

    __pydantic_config__ = STRICT
    name: Annotated[str, Field(min_length=1)]
    operating_point: Annotated[float, Field(gt=0, lt=1)] = 0.5


@dataclass(frozen=True)
class ImportSettings:
    """The settings of an import; what is empty is the source's own."""

    __pydantic_config__ = STRICT
    name: Annotated[str, Field(pattern=r"^([a-z0-9][a-z0-9._-]*)?$")] = ""
    title: str = ""
    version: str = "0.1.0"
    licence_weights: str = "not stated"
    licence_data: str = "not stated"
    output: OutputKind | None = None
    outputs: tuple[str, ...] = ()  # of a graph with several, or what is before its end: side by side, in this order
    image: dict[str, Any] = field(default_factory=dict)
    labels: tuple[LabelSettings, ...] = ()
    expects: ExpectsSettings | None = None  # of DICOM files' headers
    card: str = ""  # a Markdown file, from where the settings lie, that the card ends with
    folder: str = ""  # where the settings lie


def read_import_settings(path: Path) -> ImportSettings:
    """Return the settings in a TOML file. Raises SettingsError, naming the file, with everything that does not fit."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}. Name a file of settings (TOML).") from error
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"{path} is not valid TOML: {error}") from error
    try:
        return read_settings(ImportSettings, {**document, "folder": str(path.parent.resolve())})
    except SettingsError as error:
        raise SettingsError(f"{path}: {error}") from None


def image_of(settings: ImportSettings, usual: ImageSettings) -> NetworkInput:
    """Return the network's input: what the settings say, and otherwise what is usual for the source.

    Raises SettingsError where they do not fit together.
    """
    return network_input(read_settings(ImageSettings, settings.image, usual))


def labels_of(settings: ImportSettings, usual: Sequence[Label] = ()) -> list[Label]:
    """Return the findings: those of the settings, or the source's own. Raises SettingsError where neither has any."""
    if not settings.labels and not usual:
        raise SettingsError(
            "the model does not say what its outputs mean. Name them, in the order of the outputs: "
            "--labels 'Effusion,Mass', or [[labels]] in the file of --config"
        )
    return [as_label(entry.name, entry.operating_point) for entry in settings.labels] or list(usual)


def as_label(name: str, operating_point: float = 0.5) -> Label:
    """Return a finding whose operating point people see as 50 %; at 0.5 the model's own probability is shown."""
    moved = Calibration(method="piecewise-linear") if operating_point != 0.5 else None
    return Label(name=name, operating_point=operating_point, calibration=moved)
