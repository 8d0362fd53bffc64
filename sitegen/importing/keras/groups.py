"""Weights in HDF5, in both forms that Keras has had: groups with lists of names, and places by class and count."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sitegen.errors import ModelError
from sitegen.importing.keras.classes import MODELS, layer_of
from sitegen.importing.keras.hdf5 import Hdf5
from sitegen.importing.keras.network import Layer, Values
from sitegen.importing.keras.weights import NamedWeights, Weights, in_order, roles_of

_CONTAINERS = ("layers", "_layer_checkpoint_dependencies")  # Keras 3 and 2.13 on; 2.12
_VARIABLES = "vars"
Item = tuple[tuple[str, ...], str]  # a layer's place, and a role


def group_weights(file: Hdf5, path: Sequence[str], entry: Mapping[str, Any]) -> Weights:
    """Return the weights at a path of a file, for the model of a configuration. Raises ModelError."""
    top = file.group(path)
    if top is None:
        raise ModelError("The file has no weights. Save the model anew.")
    if file.names(top, "layer_names") is not None:
        return _ListedWeights(file, top, entry)
    return _PlacedWeights(file, path, entry)


class _PlacedWeights:
    """`layers/conv2d_1/vars/0`: the second Conv2D of a model, its first variable."""

    def __init__(self, file: Hdf5, path: Sequence[str], entry: Mapping[str, Any]) -> None:
        self._file, self._path = file, list(path)
        self._places = dict(_places(entry, (), ()))

    def of(self, layer: Layer, roles: Sequence[str]) -> Mapping[str, Values]:
        for container in _CONTAINERS:
            parts = [part for name in self._places[layer.place] for part in (container, name)]
            group = self._file.group([*self._path, *parts, _VARIABLES])
            if group is not None:
                found = [(str(at), self._file.values(group, str(at))) for at in range(min(len(group), len(roles) + 1))]
                return in_order(layer, roles, found)
        raise ModelError(f"The file has no weights for the layer {layer.name!r}. Get it again, or save the model anew.")


def _places(
    entry: Mapping[str, Any], around: tuple[str, ...], parts: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Yield for each layer its place and the names of the groups that lead to it."""
    taken: dict[str, int] = {}
    for inner in _entries(entry):
        layer = layer_of(inner, around)
        name = _snake(str(inner["class_name"]))
        count = taken.get(name, 0)
        taken[name] = count + 1
        own = (*parts, f"{name}_{count}" if count else name)
        yield layer.place, own
        if layer.kind in MODELS:
            yield from _places(inner, layer.place, own)


def _entries(entry: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    config = entry.get("config")
    layers = config.get("layers") if isinstance(config, dict) else config
    return [inner for inner in layers if isinstance(inner, dict)] if isinstance(layers, list) else []


def _snake(name: str) -> str:
    """Return the name of a class as Keras writes it in files: "BatchNormalization" as "batch_normalization"."""
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", name))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


class _ListedWeights:
    """A group for each layer of the outermost model, with the attribute `weight_names`."""

    def __init__(self, file: Hdf5, top: Any, entry: Mapping[str, Any]) -> None:
        self._file, self._top, self._entry = file, top, entry
        self._read: dict[str, list[tuple[str, Values]]] = {}

    def of(self, layer: Layer, roles: Sequence[str]) -> Mapping[str, Values]:
        found = self._group(layer)
        if len(layer.place) == 1:
            return in_order(layer, roles, found)
        try:
            return NamedWeights(dict(found)).of(layer, roles)
        except ModelError:
            items = self._items(layer.place[0])
            if len(items) != len(found):
                raise
            by_item = dict(zip(items, (values for _, values in found), strict=True))
            return {role: by_item[(layer.place, role)] for role in roles}

    def _group(self, layer: Layer) -> list[tuple[str, Values]]:
        outermost = layer.place[0]
        if outermost not in self._read:
            # A name with slashes, as "conv1/bn", is groups within groups.
            group: Any = self._top
            for part in outermost.split("/"):
                group = self._file.inside(group, part)
            names = (self._file.names(group, "weight_names") or []) if group is not None else []
            self._read[outermost] = [(name, self._file.values(group, name)) for name in names]
        return self._read[outermost]

    def _items(self, outermost: str) -> list[Item]:
        """Return the weights of a model within, in the order of its group: what is trained comes first."""
        for inner in _entries(self._entry):
            if layer_of(inner, ()).place == (outermost,):
                return [item for part in _trained_first(inner, ()) for item in part]
        return []


def _trained_first(entry: Mapping[str, Any], around: tuple[str, ...]) -> tuple[list[Item], list[Item]]:
    """Return the weights that are trained, and those that are not; of what is frozen, none is."""
    layer = layer_of(entry, around)
    trainable = layer.flag("trainable", True)
    if layer.kind in MODELS:
        parts = [_trained_first(inner, layer.place) for inner in _entries(entry)]
        trained = [item for part in parts for item in part[0]] if trainable else []
        rest = [item for part in parts for item in (part[1] if trainable else [*part[0], *part[1]])]
        return trained, rest
    items = [(layer.place, role) for role in roles_of(layer)]
    moving = [item for item in items if item[1] in ("moving_mean", "moving_variance", "mean", "variance", "count")]
    return ([item for item in items if item not in moving], moving) if trainable else ([], items)
