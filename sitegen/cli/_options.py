"""Options that several verbs share."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from sitegen.bundle import Bundle

BundleOption = Annotated[
    Path | None,
    typer.Option("--bundle", metavar="DIR", help="The model's bundle; the one that ships with sitegen by default."),
]

BundlesOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--bundle",
        metavar="DIR",
        help="A model's bundle, instead of the project's; without either the one that ships. Repeatable.",
    ),
]
ProjectOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="The project's file; sitegen.toml in this folder by default, where there is one."
    ),
]


def chosen_bundle(folder: Path | None) -> "Bundle":
    """Load the named bundle, or the one that ships."""
    from sitegen import resources
    from sitegen.bundle import load_bundle

    return load_bundle(folder or resources.default_bundle())


class Correction(StrEnum):
    """What can be done to an image before it is analysed, as the page offers it."""

    TURN_90 = "turn-90"
    TURN_180 = "turn-180"
    TURN_270 = "turn-270"
    INVERT = "invert"


class Method(StrEnum):
    """How an explanation is made: `sitegen_runtime.maps.methods.METHODS`."""

    SALIENCY = "saliency"
    CAM = "cam"
    GRAD_CAM = "grad-cam"
    GUIDED_GRAD_CAM = "guided-grad-cam"
    SMOOTHGRAD = "smoothgrad"
    INTEGRATED_GRADIENTS = "integrated-gradients"


class ColourMap(StrEnum):
    """The colours of a map: `sitegen_runtime.maps.colour_maps.COLOUR_MAPS`."""

    VIRIDIS = "viridis"
    CIVIDIS = "cividis"
    INFERNO = "inferno"


RecipeOption = Annotated[
    Path, typer.Option("--config", metavar="FILE", help="The recipe file (TOML); see docs/recipe.md.")
]
DataOption = Annotated[
    Path | None, typer.Option("--data", metavar="DIR|CSV", help="The data set, instead of the recipe's.")
]
WorkOption = Annotated[
    Path | None,
    typer.Option("--work", metavar="DIR", help="Caches and checkpoints; build/<name of the recipe> by default."),
]

WorkersOption = Annotated[
    int | None, typer.Option("--workers", min=1, help="Processes that read images; all cores by default.")
]
ResamplesOption = Annotated[int, typer.Option("--resamples", min=20, help="Resamples of the patients, for intervals.")]
FiguresOption = Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write every figure here.")]

ImagesOption = Annotated[
    list[Path] | None,
    typer.Option("--images", metavar="DIR", help="Further images, without labels, to train the gate on. Repeatable."),
]


def require_training() -> None:
    """Raise SettingsError, saying what to install, where the packages for training are not all there."""
    from importlib.util import find_spec

    from sitegen.errors import SettingsError

    needed = ("torch", "lightning_fabric", "matplotlib", "onnxscript", "scipy")
    if missing := [name for name in needed if find_spec(name) is None]:
        raise SettingsError(f"This needs {', '.join(missing)}: pip install 'offline-sitegen[train]'")


def work_folder(named: Path | None, recipe: str) -> Path:
    """Return the folder for what is made on the way."""
    return named or Path("build") / recipe


DataArgument = Annotated[Path, typer.Argument(metavar="DIR|CSV", help="The data set's folder, or its table.")]
FindingsOption = Annotated[
    str,
    typer.Option("--findings", metavar="COLUMN", help='The column of a CSV with the findings, such as "Mass|Nodule".'),
]
OnlyPresentOption = Annotated[
    bool, typer.Option("--only-present", help="Leave out images that are listed but are not there.")
]
