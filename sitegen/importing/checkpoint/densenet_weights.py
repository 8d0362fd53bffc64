"""Weights with torchvision's names for a DenseNet: the network that they are of, read off their names and shapes."""

import re
from pathlib import Path

from sitegen.errors import ModelError
from sitegen.importing.checkpoint.weights import Weights
from sitegen.networks.densenet import DenseNetSettings

_FIRST, _HEAD = "features.conv0.weight", "classifier.weight"
_LAYER = re.compile(r"features\.denseblock(\d+)\.denselayer(\d+)\.conv2\.weight")


def densenet_settings(weights: Weights, file: Path) -> DenseNetSettings:
    """Return the settings of the DenseNet with a linear head that weights are of, DenseNet-121 or any other.

    Raises ModelError where they are of another network.
    """
    layers: dict[int, int] = {}
    for name in weights:
        if match := _LAYER.fullmatch(name):
            block, layer = int(match[1]), int(match[2])
            layers[block] = max(layers.get(block, 0), layer)
    one = "features.denseblock1.denselayer1"
    shapes = [
        tuple(weights[name].shape) if name in weights else ()
        for name in (_FIRST, f"{one}.conv1.weight", f"{one}.conv2.weight", _HEAD)
    ]
    if sorted(layers) != list(range(1, len(layers) + 1)) or [len(shape) for shape in shapes] != [4, 4, 4, 2]:
        known = ", ".join(list(weights)[:4])
        raise ModelError(
            f"{file} has not the weights of a DenseNet as torchvision names them; it begins with {known}. Import "
            "it with sitegen import torch, and name its network."
        )
    first, narrow, wide, head = shapes
    return DenseNetSettings(
        growth=wide[0],
        blocks=tuple(layers[number] for number in sorted(layers)),
        stem=first[0],
        bottleneck=max(narrow[0] // wide[0], 1),
        channels=first[1],
        labels=head[0],
    )
