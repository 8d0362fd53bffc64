"""DenseNet-121 with random weights, as each of the engines that are compared takes it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper
from torch import Tensor, nn

from sitegen import gradient
from sitegen.export.onnx_export import export_onnx
from sitegen.gradient.files import save
from sitegen.networks.densenet import DenseNet, DenseNetSettings

SIDE = 224
DENSENET_121 = DenseNetSettings(growth=32, blocks=(6, 12, 24, 16), stem=64, bottleneck=4, channels=1, labels=18)
FORWARD, GRADIENT, SWITCH = "forward.onnx", "gradient.onnx", "switch.onnx"
_WARMING = (4, 4)  # batches, images in each

FloatArray = NDArray[np.float32]
Tree = dict[str, Any]


def random_densenet(settings: DenseNetSettings = DENSENET_121, side: int = SIDE) -> DenseNet:
    """Return a network in evaluation mode, always the same, whose activations are of the size that a trained one's are.

    The statistics of its batch normalisations are those of random images; fresh ones would let activations grow from
    layer to layer, and kernels do not all take the same time for all numbers.
    """
    torch.manual_seed(0)
    network = DenseNet(settings)
    settle(network, settings.channels, side)
    return network.eval()


def settle(network: nn.Module, channels: int, side: int) -> None:
    """Give a network's normalisations the statistics of random images."""
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        nn.init.normal_(norm.weight, 1, 0.2)
        nn.init.normal_(norm.bias, 0, 0.2)
        norm.momentum = None  # the mean over all batches
    network.train()
    with torch.no_grad():
        for _ in range(_WARMING[0]):
            network(torch.randn(_WARMING[1], channels, side, side))


def random_feeds(side: int = SIDE, labels: int = DENSENET_121.labels) -> dict[str, FloatArray]:
    """Return an image [1, 1, side, side] and weights of the logits [1, labels], always the same."""
    generator = np.random.default_rng(0)
    shapes = {"image": (1, 1, side, side), "seed": (1, labels)}
    return {name: generator.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}


def write_graphs(network: DenseNet, folder: Path, side: int = SIDE) -> None:
    """Write the forward graph with its weights, the gradient graph, and the one with the gradient behind a switch."""
    forward = folder / FORWARD
    export_onnx(network, (1, DENSENET_121.channels, side, side), "logits", forward)
    save(gradient.compile(forward, wrt="image"), folder / GRADIENT, forward)
    save(gradient.compile(forward, wrt="image", switch="explain"), folder / SWITCH, forward)


def write_identity(path: Path) -> None:
    """Write the smallest graph there is: its session starts an engine."""
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in ("before", "after")]
    graph = helper.make_graph([helper.make_node("Identity", ["before"], ["after"])], "identity", values[:1], values[1:])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), str(path))


@dataclass
class WeightFile:
    """Float32 arrays one after another; their places are kept in trees of {"offset", "shape"}."""

    parts: list[bytes] = field(default_factory=list)
    size: int = 0

    def add(self, values: Tensor) -> Tree:
        """Append an array and return its place."""
        content = np.ascontiguousarray(values.detach().numpy(), np.float32).tobytes()
        place = {"offset": self.size, "shape": list(values.shape)}
        self.parts.append(content)
        self.size += len(content)
        return place


def tensorflow_layers(network: DenseNet, file: WeightFile) -> Tree:
    """Write the weights as TensorFlow.js takes them, and return the tree of layers that tfjs_worker.js reads.

    Kernels are [height, width, in, out]. A batch normalisation that follows a convolution is folded into it; the others
    are a scale and a shift.
    """
    parts, linear = dict(network.features.named_children()), network.classifier
    assert isinstance(linear, nn.Linear)
    blocks = [part for name, part in parts.items() if name.startswith("denseblock")]
    transitions = [part for name, part in parts.items() if name.startswith("transition")]
    return {
        "stem": _convolution(file, parts["conv0"], parts["norm0"]),
        "blocks": [[_layer(file, layer) for layer in block.children()] for block in blocks],
        "transitions": [_transition(file, part) for part in transitions],
        "norm": _normalisation(file, parts[f"norm{len(blocks) + 1}"]),
        "classifier": {"kernel": file.add(linear.weight.T), "bias": file.add(linear.bias)},
    }


def _layer(file: WeightFile, layer: nn.Module) -> Tree:
    parts = dict(layer.named_children())
    return {
        "norm": _normalisation(file, parts["norm1"]),
        "narrow": _convolution(file, parts["conv1"], parts["norm2"]),
        "grow": _convolution(file, parts["conv2"]),
    }


def _transition(file: WeightFile, transition: nn.Module) -> Tree:
    parts = dict(transition.named_children())
    return {"norm": _normalisation(file, parts["norm"]), "conv": _convolution(file, parts["conv"])}


def _convolution(file: WeightFile, convolution: nn.Module, norm: nn.Module | None = None) -> Tree:
    assert isinstance(convolution, nn.Conv2d)
    kernel: Tensor = convolution.weight
    bias = None
    if norm is not None:
        scale, shift = scale_and_shift(norm)
        kernel, bias = kernel * scale[:, None, None, None], file.add(shift)
    return {"kernel": file.add(kernel.permute(2, 3, 1, 0)), "bias": bias}


def _normalisation(file: WeightFile, norm: nn.Module) -> Tree:
    scale, shift = scale_and_shift(norm)
    return {"scale": file.add(scale), "shift": file.add(shift)}


def scale_and_shift(norm: nn.Module) -> tuple[Tensor, Tensor]:
    """Return a and b such that the normalisation, in evaluation, is a * x + b."""
    assert isinstance(norm, nn.BatchNorm2d) and norm.running_mean is not None and norm.running_var is not None
    scale: Tensor = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    return scale, norm.bias - norm.running_mean * scale
