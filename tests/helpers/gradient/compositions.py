"""Small random graphs of operators from the table, mirrored in torch node by node as they are drawn."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import onnx
import torch
from onnx import helper

from tests.helpers.gradient.proof import Arrays, model_of

Choose = Callable[[Sequence[Any]], Any]
Part = Callable[["Composition", str, Choose], str | None]
"""Adds nodes that read a tensor, and returns what they end in; None where the tensor's shape does not suit."""

OPSET = 21  # the first with every operator that is drawn
_LARGEST_VALUE = 4.0


class Composition:
    """A graph under construction. Every tensor has shape [batch, channels, height, width] and depends on "x"."""

    def __init__(self, x: np.ndarray, rng: np.random.Generator) -> None:
        """The graph of an input alone; constants will be drawn from `rng`."""
        self.rng = rng
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, np.ndarray] = {}
        self.steps: list[tuple[list[str], Callable[..., Any], list[str]]] = []
        self.values = {"x": torch.tensor(x).double()}
        self.tensors = ["x"]

    def __repr__(self) -> str:
        return "; ".join(
            f"{', '.join(node.output)} {[list(self.shape(name)) for name in node.output]} = {node.op_type}"
            f"({', '.join(node.input)}) {[helper.printable_attribute(entry) for entry in node.attribute]}"
            for node in self.nodes
        )

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of a tensor."""
        return tuple(self.values[name].shape)

    def add(self, operator: str, function: Callable[..., Any], *operands: str | np.ndarray | None, **rest: Any) -> str:
        """Add a node and return its output. Operands are names, constants, or None for inputs left out.

        `function` does the same to torch tensors. Where it gives a tuple, so does the node, and the first is returned.
        """
        names = [self._operand(operand) for operand in operands]
        read = [name for name in names if name]
        made = function(*(self._value(name, torch.float64) for name in read))
        parts = made if isinstance(made, tuple) else (made,)
        outputs = [f"t{len(self.steps)}_{index}" for index in range(len(parts))]
        self.nodes.append(helper.make_node(operator, names, outputs, name=f"{operator}_{len(self.steps)}", **rest))
        self.steps.append((outputs, function, read))
        self.values.update(zip(outputs, parts, strict=True))
        return outputs[0]

    def random(self, *shape: int, low: float = -1.0, high: float = 1.0) -> np.ndarray:
        """A constant of random numbers."""
        return self.rng.uniform(low, high, shape).astype(np.float32)

    def evaluate(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        """All tensors, in the precision of x."""
        known = {"x": x}
        for outputs, function, read in self.steps:
            made = function(*(known.get(name, self._value(name, x.dtype)) for name in read))
            known.update(zip(outputs, made if isinstance(made, tuple) else (made,), strict=True))
        return known

    def keep(self, name: str) -> None:
        """Let others build on a tensor, in a range where no function overflows or goes flat."""
        largest = float(self.values[name].abs().max())
        if largest > _LARGEST_VALUE:
            factor = 2.0 ** -math.ceil(math.log2(largest / _LARGEST_VALUE))
            name = self.add("Mul", lambda t, f: t * f, name, np.array(factor, np.float32))
        self.tensors.append(name)

    def model(self, *, dynamic: bool) -> tuple[onnx.ModelProto, str]:
        """The graph, with all that nothing reads joined as its output, and that output's name."""
        read = {name for _, _, names in self.steps for name in names}
        leaves = [name for name in self.tensors if name not in read] or ["x"]
        flat = [self.add("Reshape", lambda t, _: t.flatten(1), leaf, np.array([0, -1])) for leaf in leaves]
        y = self.add("Concat", lambda *parts: torch.cat(parts, 1), *flat, axis=1)
        between = {name: ["N" if dynamic else value.shape[0], *value.shape[1:]] for name, value in self.values.items()}
        del between["x"], between[y]
        model = model_of(self.nodes, self.feeds(), self.constants, [y], opset=OPSET, dynamic=dynamic, between=between)
        return model, y

    def feeds(self) -> Arrays:
        """The input that the graph was drawn with."""
        return {"x": self.values["x"].float().numpy()}

    def _operand(self, operand: str | np.ndarray | None) -> str:
        if isinstance(operand, np.ndarray):
            name = f"c{len(self.constants)}"
            self.constants[name] = operand
            return name
        return operand or ""

    def _value(self, name: str, kind: torch.dtype) -> torch.Tensor:
        value = torch.tensor(self.constants[name]) if name in self.constants else self.values[name]
        return value.to(kind) if value.is_floating_point() else value
