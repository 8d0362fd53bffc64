"""Networks by name, with typed settings: the one place that knows which architectures there are.

    read_network({"name": "densenet121", "labels": 14})    settings of a named size, with changes
    make_network(settings)                                  a new network
    network_document(settings)                              what `read_network` makes the same settings of

To add an architecture: a module beside this one with a settings dataclass and a `Classifier`; both in `_FAMILIES`.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sitegen.errors import SettingsError
from sitegen.networks.classifier import Classifier
from sitegen.networks.densenet import DenseNet, DenseNetSettings
from sitegen.networks.inverted import InvertedNetwork, InvertedSettings
from sitegen.networks.inverted_sizes import EFFICIENTNET_LITE0, MOBILENET_V2, MOBILENET_V3_LARGE, MOBILENET_V3_SMALL
from sitegen.networks.resnet import ResNet, ResNetSettings
from sitegen.networks.vit import TransformerSettings, VisionTransformer
from sitegen.settings.reading import read_settings, settings_document

NetworkSettings = DenseNetSettings | ResNetSettings | InvertedSettings | TransformerSettings

_FAMILIES: dict[str, tuple[type[NetworkSettings], type[Classifier]]] = {
    "densenet": (DenseNetSettings, DenseNet),
    "resnet": (ResNetSettings, ResNet),
    "inverted": (InvertedSettings, InvertedNetwork),
    "vit": (TransformerSettings, VisionTransformer),
}
_IMAGENET_DENSE = DenseNetSettings(growth=32, stem=64, channels=3)  # table 1 of the paper
_IMAGENET_RESIDUAL = ResNetSettings(stem=64, stages=(2, 2, 2, 2), channels=3)  # table 1 of the paper

NETWORKS: dict[str, NetworkSettings] = {
    "densenet121": replace(_IMAGENET_DENSE, blocks=(6, 12, 24, 16)),
    "densenet169": replace(_IMAGENET_DENSE, blocks=(6, 12, 32, 32)),
    "densenet201": replace(_IMAGENET_DENSE, blocks=(6, 12, 48, 32)),
    "densenet264": replace(_IMAGENET_DENSE, blocks=(6, 12, 64, 48)),
    "densenet": DenseNetSettings(),
    "densenet-compact": DenseNetSettings(growth=16, blocks=(3, 6, 8, 6), stem=24),  # of the bundle that ships
    "densenet-tiny": DenseNetSettings(growth=8, blocks=(2, 4, 4), stem=16),
    "resnet18": _IMAGENET_RESIDUAL,
    "resnet34": replace(_IMAGENET_RESIDUAL, stages=(3, 4, 6, 3)),
    "resnet50": replace(_IMAGENET_RESIDUAL, block="bottleneck", stages=(3, 4, 6, 3)),
    "resnet": ResNetSettings(),
    "efficientnet-lite0": EFFICIENTNET_LITE0,
    "mobilenet-v2": MOBILENET_V2,
    "mobilenet-v3-small": MOBILENET_V3_SMALL,
    "mobilenet-v3-large": MOBILENET_V3_LARGE,
    "inverted": replace(MOBILENET_V2, channels=1),
    "vit-tiny": TransformerSettings(width=192, depth=12, channels=3),  # the size that "DeiT" calls tiny
    "vit": TransformerSettings(),
}
"""Settings by name. A family's own name stands for a compact network of one channel."""


def read_network(document: Mapping[str, Any]) -> NetworkSettings:
    """Return the settings that `document["name"]` stands for, with its other keys as changes.

    Raises SettingsError where the name is unknown, or where keys or values do not fit the network's settings.
    """
    name = document.get("name")
    if name not in NETWORKS:
        raise SettingsError(f"there is no network {name!r}; there are {', '.join(NETWORKS)}")
    base = NETWORKS[name]
    changes = {key: value for key, value in document.items() if key != "name"}
    return read_settings(type(base), changes, base)


def network_document(settings: NetworkSettings) -> dict[str, Any]:
    """Return the family's name and every setting, as JSON can hold them: to be kept beside trained weights."""
    return {"name": _family(settings), **settings_document(settings)}


def make_network(settings: NetworkSettings) -> Classifier:
    """Return a new network, its weights drawn from torch's global generator."""
    constructor: Any = _FAMILIES[_family(settings)][1]
    network: Classifier = constructor(settings)
    return network


def _family(settings: NetworkSettings) -> str:
    return next(name for name, (kind, _) in _FAMILIES.items() if isinstance(settings, kind))
