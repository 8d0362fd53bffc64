"""Which network weights belong to: one of sitegen's by name, or one that a function of the user's makes.

densenet121                             a name of `sitegen.networks.registry`
densenet121, head = {kind = "pooled"}   with settings, as TOML
my_network:make                         a function without arguments, in my_network.py of the current folder
nets/my_network.py:make                 the same by the file's path
"""

import importlib
import importlib.util
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from sitegen.errors import SettingsError
from sitegen.networks.classifier import Classifier
from sitegen.networks.registry import NETWORKS, NetworkSettings, make_network, network_document, read_network


def is_factory(network: str) -> bool:
    """Return whether a choice names a function of the user's, and not one of sitegen's networks."""
    return ":" in network.partition(",")[0]


def registered_network(network: str, weights: Mapping[str, Tensor]) -> tuple[Classifier, dict[str, Any]]:
    """Return a new network by its name, and its settings as plain data.

    What the choice leaves open, the number of channels and of labels, is that of the weights. Raises SettingsError
    where there is no such network, or where settings do not fit.
    """
    document = _document(network)
    settings = _as_weights(read_network(document), document, weights)
    return make_network(settings), network_document(settings)


def factory_network(network: str) -> nn.Module:
    """Return what the user's function makes. Raises SettingsError where there is no such function, or it makes no
    network.
    """
    place, _, function = network.rpartition(":")
    make = getattr(_module(place, network), function, None)
    if not callable(make):
        raise SettingsError(
            f"--network {network}: {place} has no function {function!r}. Write one that makes the network."
        )
    try:
        made = make()
    except Exception as error:  # it is the user's code
        raise SettingsError(f"--network {network}: {function}() failed: {type(error).__name__}: {error}") from error
    if not isinstance(made, nn.Module):
        raise SettingsError(
            f"--network {network}: {function}() returned a {type(made).__name__}, and should return a torch.nn.Module "
            "that the weights fit"
        )
    return made


def _module(place: str, network: str) -> ModuleType:
    """Import a module of the current folder, of the Python path, or a file."""
    try:
        if place.endswith(".py"):
            return _from_file(Path(place))
        here = str(Path.cwd())
        if here not in sys.path:
            sys.path.insert(0, here)  # as python -m does; a console script leaves the current folder out
        importlib.invalidate_caches()
        return importlib.import_module(place)
    except Exception as error:  # it is the user's code
        raise SettingsError(
            f"--network {network}: {place} cannot be imported: {type(error).__name__}: {error}. Name it as "
            "module:function, from the folder where the module lies, or as path/to/file.py:function."
        ) from error


def _from_file(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"imported_network_{path.stem}", path)
    if spec is None or spec.loader is None or not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[module.__name__] = module  # before it runs, for classes that look their own module up
    spec.loader.exec_module(module)
    return module


def _document(network: str) -> dict[str, Any]:
    name, _, settings = network.partition(",")
    if not name.strip():
        raise SettingsError(
            "the file has weights alone, and does not say which network they belong to. Name it: --network with one of "
            f"{', '.join(NETWORKS)}, or with my_module:make for a function that makes yours"
        )
    try:
        changes = tomllib.loads(f"settings = {{{settings}}}")["settings"]
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise SettingsError(
            f"--network {network!r}: the settings are not as in TOML ({error}): name, key = value"
        ) from error
    return {**changes, "name": name.strip()}


def _as_weights(settings: NetworkSettings, said: Mapping[str, Any], weights: Mapping[str, Tensor]) -> NetworkSettings:
    """Fill in the channels and labels that nobody said, from the shapes of the first and the last layer's weights."""
    with torch.device("meta"):
        network = make_network(settings)
    first = next(name for name, value in network.named_parameters() if value.ndim == 4)
    last = next(name for name, value in network.named_parameters() if value is network.head.final.bias)
    if "channels" not in said and first in weights and weights[first].ndim == 4:
        settings = replace(settings, channels=int(weights[first].shape[1]))
    if "labels" not in said and last in weights and weights[last].ndim == 1:
        settings = replace(settings, labels=int(weights[last].shape[0]))
    return settings
