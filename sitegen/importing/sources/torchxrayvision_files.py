"""Files of TorchXRayVision's weights: found where the package keeps them, and read as data alone.

The package publishes most models as pickles of whole networks, which are read with stand-ins for its classes. Only
for a model's name, and for operating points that a file does not have, is the package itself needed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from types import ModuleType
from typing import Any

from sitegen.errors import ModelError, SettingsError
from sitegen.importing.checkpoint.optional_library import optional_library
from sitegen.importing.checkpoint.pickled_network import read_pickled_network
from sitegen.importing.checkpoint.safe_checkpoint import read_checkpoint, refused_names
from sitegen.importing.checkpoint.weights import Found, find_weights

_PACKAGE = "torchxrayvision"
_CLASSES = r"torchxrayvision\.\w+(\.\w+)*|torch\.nn\.modules(\.\w+)+"
_LABELS = ("pathologies", "targets", "labels")  # what the package, and checkpoints made with it, call them
_HOW = (
    "Where you trust the file, make one of the weights alone: model = torchxrayvision.models.get_model(name); "
    "torch.save({'state_dict': model.state_dict(), 'pathologies': model.pathologies}, 'weights.pt')"
)


@dataclass(frozen=True)
class XrvFile:
    """A file, its weights, and what it or the package says of it: empty, or 0, where that is not known."""

    file: Path
    found: Found
    labels: Sequence[str] = ()
    points: Sequence[float] = ()
    side: int = 0
    by_name: bool = False
    described: Mapping[str, Any] = field(default_factory=dict)


def read_xrv(file_or_name: str | Path) -> XrvFile:
    """Return what a file of weights has, or the file of a published model's name.

    Raises ModelError and SettingsError as `sitegen.importing.torchxrayvision.import_torchxrayvision` says.
    """
    file, by_name = Path(file_or_name), False
    published: Mapping[str, Any] = {}
    if not file.is_file():
        package = _library(f"There is no file {file_or_name}. A model's name")
        published, file, by_name = *_published(package, str(file_or_name)), True
    found, library = _found(file), _installed()
    if not published and library is not None:
        published = _by_file(library, file.name)
    labels = next((found.others[name] for name in _LABELS if name in found.others), published.get("labels", ()))
    return XrvFile(
        file,
        found,
        _texts(labels, file),
        [float(value) for value in published.get("op_threshs", ())],
        int(published.get("input_resolution", 0)),
        by_name,
        {_PACKAGE: library.__version__} if library is not None and published else {},
    )


def _library(needed_for: str) -> ModuleType:
    optional_library(f"{_PACKAGE}.models", needed_for)
    return optional_library(_PACKAGE, needed_for)


def _installed() -> ModuleType | None:
    try:
        return _library("")
    except SettingsError:
        return None


def _published(library: ModuleType, name: str) -> tuple[Mapping[str, Any], Path]:
    """Return what the package says of a model's name, and its file."""
    known = library.models.model_urls
    if name not in known:
        raise SettingsError(
            f"there is neither a file nor a model of TorchXRayVision called {name!r}. Its models: {', '.join(known)}"
        )
    file = Path(library.utils.get_cache_dir()).expanduser() / _file_name(known[name])
    if not file.is_file():
        raise SettingsError(
            f"the weights of {name!r} are not on this machine: {file} does not exist, and sitegen fetches nothing. "
            f"Make the package fetch them: python -c \"import torchxrayvision as xrv; xrv.models.get_model('{name}')\""
        )
    return known[name], file


def _by_file(library: ModuleType, name: str) -> Mapping[str, Any]:
    """Return what the package says of a published file, by the file's name; nothing for another."""
    return next((entry for entry in library.models.model_urls.values() if _file_name(entry) == name), {})


def _file_name(entry: Mapping[str, Any]) -> str:
    return PurePosixPath(str(entry["weights_url"])).name


def _found(file: Path) -> Found:
    """Return a file's weights: those of a state dict, or those that a pickled network of the package keeps."""
    network = file.suffix != ".safetensors" and any(name.startswith(f"{_PACKAGE}.") for name in refused_names(file))
    if not network:
        return find_weights(read_checkpoint(file), file)
    try:
        pickled = read_pickled_network(file, _CLASSES)
    except ModelError as error:
        raise ModelError(f"{error} {_HOW}") from error
    return Found(pickled.weights, pickled.attributes, ["the weights were taken from a pickled network, as data"])


def _texts(labels: object, file: Path) -> list[str]:
    if not isinstance(labels, (list, tuple)) or not all(isinstance(label, str) for label in labels):
        raise ModelError(f"{file} has labels that are no list of names. {_HOW}")
    return list(labels)
