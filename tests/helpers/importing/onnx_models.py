"""ONNX files as users have them: exported by PyTorch in several ways, and small ones written operator by operator."""

import warnings
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from sitegen.export.onnx_export import _quiet
from sitegen.importing.settings import ImportSettings, LabelSettings
from tests.helpers.gradient.networks_table import NETWORKS, make

End = Callable[[Tensor], Tensor]


def sigmoid(values: Any) -> Any:
    return 0.5 * (1 + np.tanh(0.5 * np.asarray(values, np.float64)))


def softmax(values: Any) -> Any:
    powers = np.exp(np.asarray(values, np.float64) - np.max(values, axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def settings(labels: int, side: int | None = None, colour: str = "rgb", **others: Any) -> ImportSettings:
    """What a user says of a model with so many findings."""
    image: dict[str, Any] = {"range": [0, 1], **({"side": side} if side else {}), "colour": colour}
    names = tuple(LabelSettings(f"Finding {index + 1}") for index in range(labels))
    return ImportSettings(labels=names, image=image, **others)


class Ended(nn.Module):
    """One of the networks that the gradient compiler is proved on, with an end of its own."""

    def __init__(self, name: str, end: End | None = None) -> None:
        super().__init__()
        self.network, self.end = network(name), end

    def forward(self, images: Tensor) -> Tensor:
        logits = self.network(images)[0]
        return logits if self.end is None else self.end(logits)


@cache
def network(name: str) -> nn.Module:
    return make(name)


def logits_of(name: str, images: np.ndarray) -> np.ndarray:
    """What PyTorch says, float64 [N, labels]."""
    with torch.inference_mode():
        return network(name)(torch.from_numpy(images))[0].double().numpy()


def images(name: str, count: int = 3) -> np.ndarray:
    return NETWORKS[name].images(5, batch=count).numpy()


def export(
    name: str, path: Path, *, opset: int, end: End | None = None, whole: bool = False, dynamic: bool = False
) -> Path:
    """Write a network by PyTorch's newer exporter, or, below opset 18, by its older one; `whole` leaves its feature map
    an output, too, and `dynamic` leaves batch and, with the older one, sides open."""
    module = network(name) if whole else Ended(name, end)
    example = NETWORKS[name].images(0, batch=2 if dynamic else 1)
    options: dict[str, Any] = {"dynamo": True}
    if opset < 18:
        axes = {"scan": {0: "batch", 2: "rows", 3: "columns"}} if dynamic else None
        options = {"dynamo": False, "input_names": ["scan"], "output_names": ["given"], "dynamic_axes": axes}
    elif dynamic:
        options["dynamic_shapes"] = ({0: torch.export.Dim("batch")},)
    with _quiet(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the older exporter's own age
        torch.onnx.export(module.eval(), (example,), str(path), opset_version=opset, verbose=False, **options)
    return path


def graph(
    nodes: Sequence[onnx.NodeProto],
    shape: Sequence[int | str | None] = (1, 1, 8, 8),
    output: Sequence[int | str | None] | None = (1, 3),
    *,
    opset: int = 18,
    kind: int = TensorProto.FLOAT,
    domains: Sequence[str] = (),
    **weights: np.ndarray,
) -> onnx.ModelProto:
    """A model from "x" to "y"."""
    made = helper.make_graph(
        list(nodes),
        "made by hand",
        [helper.make_tensor_value_info("x", kind, list(shape))],
        [helper.make_tensor_value_info("y", kind, None if output is None else list(output))],
        [numpy_helper.from_array(values, name) for name, values in weights.items()],
    )
    versions = [helper.make_opsetid("", opset), *(helper.make_opsetid(domain, 1) for domain in domains)]
    return helper.make_model(made, opset_imports=versions, ir_version=8)


def small(
    *end: onnx.NodeProto, labels: int = 3, kind: type = np.float32, channels: int = 1, **weights: Any
) -> onnx.ModelProto:
    """A convolution, a rectifier, the average over the image, and a linear layer that gives "z", or "y" without an end;
    the end goes from "z" to "y"."""
    random = np.random.default_rng(7)
    nodes = [
        helper.make_node("Conv", ["x", "kernel", "shift"], ["convolved"], strides=[2, 2], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["convolved"], ["maps"]),
        helper.make_node("GlobalAveragePool", ["maps"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("Gemm", ["flat", "matrix", "bias"], ["z" if end else "y"], transB=1),
        *end,
    ]
    return graph(
        nodes,
        (1, channels, 8, 8),
        (1, labels),
        kind=TensorProto.FLOAT if kind == np.float32 else helper.np_dtype_to_tensor_dtype(np.dtype(kind)),
        kernel=random.normal(0, 0.5, (5, channels, 3, 3)).astype(kind),
        shift=random.normal(0, 0.1, 5).astype(kind),
        matrix=random.normal(0, 2, (labels, 5)).astype(kind),
        bias=random.normal(0, 1, labels).astype(kind),
        **weights,
    )


def small_logits(model: onnx.ModelProto, tensors: np.ndarray) -> np.ndarray:
    """What the model of `small` gives before its end, by PyTorch in float64."""
    stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    kernel, shift, matrix, bias = (
        torch.from_numpy(stored[name].astype(np.float64)) for name in ("kernel", "shift", "matrix", "bias")
    )
    maps = nn.functional.conv2d(torch.from_numpy(tensors.astype(np.float64)), kernel, shift, 2, 1).relu()
    return np.asarray(maps.mean((2, 3)) @ matrix.T + bias)


def written(model: onnx.ModelProto, path: Path) -> Path:
    path.write_bytes(model.SerializeToString())
    return path


def tensors(count: int = 3, channels: int = 1, side: int = 8) -> np.ndarray:
    return np.random.default_rng(11).normal(size=(count, channels, side, side)).astype(np.float32)
