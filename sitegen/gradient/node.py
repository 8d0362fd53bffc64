"""A node of the forward graph as a rule sees it: inputs and outputs as tensors, attributes with their types."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import onnx
from onnx import helper

from sitegen.errors import GradientError
from sitegen.gradient.forward import Forward
from sitegen.gradient.rectifiers import is_rectifier
from sitegen.gradient.tensor import Tensor
from sitegen.gradient.writer import Array, Writer


class Node:
    """One node of the forward graph, while its gradient is written."""

    def __init__(self, proto: onnx.NodeProto, forward: Forward, writer: Writer, *, guided: bool = False) -> None:
        """With `guided`, rectifiers pass on positive gradients only (Springenberg et al. 2015)."""
        self.operator = proto.op_type
        self.guided = guided
        self.gradients: list[Tensor | None] = []
        """What arrives at each output: for rules of operators with several differentiable outputs."""
        self._proto = proto
        self._forward = forward
        self._writer = writer
        self._attributes = {entry.name: helper.get_attribute_value(entry) for entry in proto.attribute}

    @property
    def inputs(self) -> list[Tensor | None]:
        """All inputs; None for those left out."""
        return [self._tensor(name) if name else None for name in self._proto.input]

    @property
    def x(self) -> Tensor:
        """The first input."""
        return self._tensor(self._proto.input[0])

    @property
    def y(self) -> Tensor:
        """The first output."""
        return self._tensor(self._proto.output[0])

    @property
    def outputs(self) -> list[Tensor | None]:
        """All outputs; None for those left out."""
        return [self._tensor(name) if name else None for name in self._proto.output]

    @property
    def opset(self) -> int:
        """The version of the operators in the model."""
        return self._writer.opset

    @property
    def rectifies(self) -> bool:
        """Whether the node is one of those that guided backpropagation is about."""
        return is_rectifier(self._proto, self._forward)

    def input(self, index: int) -> Tensor:
        """Return an input that must be there. Raises GradientError where it was left out."""
        if not self.has_input(index):
            raise self.unsupported(f"input {index} is missing")
        return self._tensor(self._proto.input[index])

    def has_input(self, index: int) -> bool:
        """Whether an input was given."""
        return index < len(self._proto.input) and bool(self._proto.input[index])

    def wants(self, index: int) -> bool:
        """Whether the gradient of an input is asked for. Rules need not ask: what nothing uses is dropped."""
        return self.has_input(index) and self._proto.input[index] in self._forward.active

    def constant(self, index: int, what: str) -> Array | None:
        """Return the value of an input that the model must fix, None where it was left out.

        Raises GradientError, which calls it `what`, where it is computed from the model's inputs.
        """
        value = self.known(index)
        if value is None and self.has_input(index):
            raise self.unsupported(
                f"{what} ({self._proto.input[index]!r}) is computed when the model runs, or lies in an external file; "
                "export the model with it fixed, or give the model's path instead of its content"
            )
        return value

    def known(self, index: int) -> Array | None:
        """Return the value of an input where the model fixes it, else None."""
        return self._forward.value(self._proto.input[index]) if self.has_input(index) else None

    def get(self, attribute: str, default: Any = None) -> Any:
        """Return an attribute's value (text as str), or the default."""
        value = self._attributes.get(attribute, default)
        return value.decode() if isinstance(value, bytes) else value

    def sizes(self, tensor: Tensor, axes: Sequence[int] | None = None) -> list[int]:
        """Return the sizes of dimensions that must be known, by default all from the third on: the spatial ones."""
        wanted = tensor.dims[2:] if axes is None else [tensor.dims[axis] for axis in axes]
        if unknown := [size for size in wanted if not isinstance(size, int)]:
            raise self.unsupported(
                f"the shape {list(tensor.dims)} of {tensor.name!r} leaves {unknown} open; only the batch may be "
                "dynamic here: export the model with fixed sizes"
            )
        return [size for size in wanted if isinstance(size, int)]

    def unsupported(self, reason: str, attribute: str | None = None) -> GradientError:
        """Return an error that names this node, its operator, and an attribute with its value."""
        where = f"node {self._proto.name or self._proto.output[0]!r} ({self.operator})"
        if attribute:
            where += f", attribute {attribute}={self.get(attribute)!r}"
        return GradientError(f"No gradient for {where}: {reason}.")

    def _tensor(self, name: str) -> Tensor:
        return Tensor(self._writer, name, self._forward.dtype(name), self._forward.shape(name))
