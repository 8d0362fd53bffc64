"""Checkpoints as others write them, of networks with random weights, and a second way to compute what those give."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from sitegen.errors import SettingsError
from sitegen.importing.checkpoint.optional_library import optional_library
from sitegen.importing.source import ImportedClassifier
from sitegen.networks.densenet import DenseNetSettings
from sitegen.networks.registry import make_network

SMALL = DenseNetSettings(growth=4, blocks=(2, 2, 2, 2), stem=8)
SIDE = 64


class Small(nn.Module):
    """A network that sitegen does not know; `end` is what comes after its linear layer."""

    def __init__(self, end: str = "", channels: int = 1, labels: int = 3) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, 6, 3, stride=2)
        self.norm = nn.BatchNorm2d(6)
        self.last = nn.Linear(6, labels)
        self.end = end

    def forward(self, images: Tensor) -> Tensor:
        maps = torch.relu(self.norm(self.first(images)))
        scores = self.last(maps.mean((2, 3)))
        if self.end == "sigmoid":
            return torch.sigmoid(scores)
        if self.end == "softmax":
            return torch.softmax(scores, 1)
        if self.end == "log-softmax":
            return torch.log_softmax(scores, 1)
        if self.end == "two sigmoids":
            return torch.cat([torch.sigmoid(scores[:, :1]), torch.sigmoid(scores[:, 1:])], 1)
        if self.end == "flat":
            return torch.sigmoid(scores[:, 0])
        if self.end == "hard":
            return functional.hardsigmoid(scores)
        return scores


class TwoOutputs(nn.Module):
    """Gives something else beside its probabilities."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = Small("sigmoid")

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        return self.inner(images), images.mean()


def randomised(network: nn.Module, seed: int = 0) -> nn.Module:
    """The network in evaluation, its weights and statistics drawn, so that logits differ and lie on both sides of 0."""
    generator = torch.Generator().manual_seed(seed)

    def draw(value: Tensor, low: float, high: float) -> None:
        value.data.copy_(torch.rand(value.shape, generator=generator) * (high - low) + low)

    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            span = (6 / module.weight[0].numel()) ** 0.5
            draw(module.weight, -span, span)
        elif isinstance(module, nn.BatchNorm2d):
            assert module.running_mean is not None and module.running_var is not None
            draw(module.weight, 0.5, 1.5)
            draw(module.bias, -0.2, 0.2)
            draw(module.running_mean, -0.2, 0.2)
            draw(module.running_var, 0.5, 1.5)
    return network.eval()


def dense_weights(settings: DenseNetSettings, largest: float = 1) -> dict[str, Tensor]:
    """The weights of a DenseNet, with torchvision's names, for images whose numbers go up to `largest`."""
    weights = randomised(make_network(settings)).state_dict()
    weights["features.conv0.weight"] /= largest
    return weights


def chexnet_checkpoint(weights: Mapping[str, Tensor]) -> dict[str, Any]:
    """As `model.pth.tar` has them: names of two wrappers, of layers before 2018, of a head with a sigmoid."""
    renamed = {}
    for name, value in weights.items():
        if name.endswith("num_batches_tracked"):
            continue  # there was none then
        old = re.sub(r"(denselayer\d+\.(?:norm|conv))([12])\.", r"\1.\2.", name)
        renamed["module.densenet121." + old.replace("classifier.", "classifier.0.")] = value
    return {
        "epoch": 3,
        "state_dict": renamed,
        "best_loss": 0.1,
        "optimizer": {"state": {}, "param_groups": [{"lr": 1e-4}]},
    }


def dense_logits(weights: Mapping[str, Tensor], images: NDArray[np.float32]) -> NDArray[np.float64]:
    """A DenseNet written out with functions alone, in float64: Huang et al. 2017, figure 1 and table 1."""
    values = {name: value.double() for name, value in weights.items()}

    def normalised(maps: Tensor, name: str) -> Tensor:
        mean, variance, scale, shift = (
            values[f"{name}.{part}"] for part in ("running_mean", "running_var", "weight", "bias")
        )
        return functional.relu(functional.batch_norm(maps, mean, variance, scale, shift))

    maps = functional.conv2d(torch.from_numpy(images).double(), values["features.conv0.weight"], stride=2, padding=3)
    maps = functional.max_pool2d(normalised(maps, "features.norm0"), 3, 2, 1)
    for block, layers in enumerate(_blocks(values), start=1):
        if block > 1:
            name = f"features.transition{block - 1}"
            maps = functional.conv2d(normalised(maps, f"{name}.norm"), values[f"{name}.conv.weight"])
            maps = functional.avg_pool2d(maps, 2)
        for layer in range(1, layers + 1):
            name = f"features.denseblock{block}.denselayer{layer}"
            narrow = functional.conv2d(normalised(maps, f"{name}.norm1"), values[f"{name}.conv1.weight"])
            new = functional.conv2d(normalised(narrow, f"{name}.norm2"), values[f"{name}.conv2.weight"], padding=1)
            maps = torch.cat([maps, new], 1)
    last = normalised(maps, f"features.norm{block + 1}").mean((2, 3))
    return functional.linear(last, values["classifier.weight"], values["classifier.bias"]).numpy()


def _blocks(values: Mapping[str, Tensor]) -> Iterator[int]:
    block = 1
    while f"features.denseblock{block}.denselayer1.conv1.weight" in values:
        layer = 1
        while f"features.denseblock{block}.denselayer{layer + 1}.conv1.weight" in values:
            layer += 1
        yield layer
        block += 1


def noise(model: ImportedClassifier, count: int = 2) -> NDArray[np.float32]:
    """Images of noise in the numbers that the model takes for them."""
    low, high = model.image.range
    drawn = np.random.default_rng(count).random((count, *model.image.shape[1:]))
    mean, std = (np.reshape(values, (-1, 1, 1)) for values in (model.image.mean, model.image.std))
    return ((low + (high - low) * drawn - mean) / std).astype(np.float32)


def graph_logits(model: ImportedClassifier, folder: Path, images: NDArray[np.float32]) -> NDArray[np.float64]:
    """What native ONNX Runtime makes of the graph that the model writes."""
    folder.mkdir(parents=True, exist_ok=True)
    model.write(folder)
    session = onnxruntime.InferenceSession(str(folder / "classifier.onnx"), providers=["CPUExecutionProvider"])
    (image,), (logits,) = session.get_inputs(), session.get_outputs()
    assert (image.name, image.shape) == ("image", list(model.image.shape))
    assert (logits.name, logits.shape) == ("logits", [1, len(model.labels)])
    return np.concatenate([session.run(None, {"image": one[np.newaxis]})[0] for one in images]).astype(np.float64)


def apart(made: NDArray[np.float64], expected: NDArray[np.float64]) -> float:
    """The largest difference, as a share of what is expected where that is beyond 1."""
    return float((np.abs(made - expected) / np.maximum(1, np.abs(expected))).max())


def installed(name: str) -> ModuleType:
    """A library that is not part of the project's, or the end of the test."""
    try:
        return optional_library(name, "This test")
    except SettingsError as error:
        pytest.skip(str(error))


def sigmoid(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1 / (1 + np.exp(-logits))
