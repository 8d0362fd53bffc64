"""Options that several verbs share."""

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from sitegen.bundle import Bundle
    from sitegen.graphs.weight_forms import Weights

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


def choice(name: str, table: Collection[str], help: str) -> Any:
    """Return an option that takes the name of an item in a table, or nothing where None is its default."""

    def known(value: str | None) -> str | None:
        if value is not None and value not in table:
            raise typer.BadParameter(f"{value!r} is not one of {', '.join(map(repr, table))}.")
        return value

    return typer.Option(name, metavar=f"<{'|'.join(table)}>", callback=known, help=help)


def weights_form(weights: Any, half: bool) -> "Weights | None":
    """Return the form that is asked for, None where nothing is. Raises SettingsError where it is two."""
    from sitegen.errors import SettingsError

    if half and weights not in (None, "half"):
        raise SettingsError(f"--half is the same as --weights half, and --weights {weights} is named, too: name one.")
    form: Weights | None = "half" if half else weights
    return form


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
