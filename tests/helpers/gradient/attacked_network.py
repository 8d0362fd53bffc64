"""A smooth network of float64 as an ONNX graph with its compiled gradient, the same in PyTorch, and a driver."""

from __future__ import annotations  # array[float] is a name for type checkers until Python 3.12

from array import array
from collections.abc import Generator
from typing import Any, TypeVar

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor

from sitegen import gradient
from sitegen_runtime.bundle.model import Graph, Label, Model, NetworkInput, Output, Vector
from sitegen_runtime.requests import Request, RunGraph

T = TypeVar("T")
SIDE, CHANNELS, LABELS = 10, 2, ("Effusion", "Mass", "Nodule")
ENTRY = NetworkInput(
    "image", (1, CHANNELS, SIDE, SIDE), "rgb", 1.0, (-0.5, 1.5), (0.1, 0.3), (0.5, 0.25)
)  # channels whose ε differ
_DOUBLE = TensorProto.DOUBLE


class SmoothNetwork:
    """Two layers with tanh between them, float64 in ONNX, in its compiled gradient and in PyTorch."""

    def __init__(self, seed: int = 3) -> None:
        random = np.random.default_rng(seed)
        self.weights = {
            "hidden": random.normal(0, 0.1, (CHANNELS * SIDE**2, 6)),
            "linear": random.normal(0, 1, (6, len(LABELS))),
            "bias": random.normal(0, 1, len(LABELS)),
        }
        forward = _graph(self.weights)
        self._sessions = {
            role: onnxruntime.InferenceSession(each.SerializeToString(), providers=["CPUExecutionProvider"])
            for role, each in {"classifier": forward, "gradient": gradient.compile(forward, wrt="image")}.items()
        }
        logits = Output("logits", (1, len(LABELS)))
        outputs = {"logits": logits, "gradient": Output("grad_image", ENTRY.shape)}
        graphs = {
            "classifier": Graph((ENTRY,), (), {"logits": logits}),
            "gradient": Graph((ENTRY,), (Vector("seed", (1, len(LABELS))),), outputs),
        }
        labels = tuple(Label(name, point, None) for name, point in zip(LABELS, (0.5, 0.3, 0.7), strict=True))
        self.model = Model("smooth", "1", "0" * 64, graphs, labels, None)

    def drive(self, requests: Generator[Request, Any, T]) -> T:
        """Answer what a way asks for, in float64."""
        answer: Any = None
        while True:
            try:
                request = requests.send(answer)
            except StopIteration as end:
                result: T = end.value
                return result
            answer = self._answer(request) if isinstance(request, RunGraph) else None

    def logits(self, image: Tensor) -> Tensor:
        """The same network in PyTorch: float64 [1, C, H, W] to [1, labels]."""
        hidden, linear, bias = (torch.from_numpy(self.weights[name]) for name in ("hidden", "linear", "bias"))
        return (image.flatten(1) @ hidden).tanh() @ linear + bias

    def image(self, seed: int) -> array[float]:
        """An image of float64 that lies in the range, with values at both of its ends."""
        shares = np.random.default_rng(seed).uniform(-0.2, 1.2, (CHANNELS, SIDE, SIDE)).clip(0, 1)
        mean, std = (np.array(part).reshape(-1, 1, 1) for part in (ENTRY.mean, ENTRY.std))
        low, high = ENTRY.range
        return array("d", ((low + shares * (high - low) - mean) / std).ravel())

    def _answer(self, request: RunGraph) -> dict[str, array[float]]:
        feeds = {feed.name: np.array(feed.values, np.float64).reshape(feed.shape) for feed in request.feeds}
        values = self._sessions[request.role].run(list(request.outputs), feeds)
        return {
            name: array("d", np.ravel(value).tobytes()) for name, value in zip(request.outputs, values, strict=True)
        }


def _graph(weights: dict[str, np.ndarray]) -> onnx.ModelProto:
    nodes = [
        helper.make_node("Flatten", ["image"], ["flat"]),
        helper.make_node("Gemm", ["flat", "hidden"], ["summed"]),
        helper.make_node("Tanh", ["summed"], ["active"]),
        helper.make_node("Gemm", ["active", "linear", "bias"], ["logits"]),
    ]
    given = [helper.make_tensor_value_info("image", _DOUBLE, list(ENTRY.shape))]
    made = [helper.make_tensor_value_info("logits", _DOUBLE, [1, len(LABELS)])]
    tensors = [numpy_helper.from_array(value, name) for name, value in weights.items()]
    graph = helper.make_graph(nodes, "smooth", given, made, tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
