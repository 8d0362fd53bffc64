"""Tensors of the graph that is being written, with arithmetic: what the rules compute with.

    g * (1 - y * y)                     writes Mul, Sub and Mul, and stands for their result
    op("Where", op("Greater", x, 0), g, 0)

Numbers become constants of the other operand's type, so that rules hold for float16 and double as for float32.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper

from sitegen.gradient.writer import Array, Writer

Dimension = int | str
"""A size, or the name of one that is known at run time only; two equal names are two equal sizes."""
Shape = tuple[Dimension, ...]

FLOATS = frozenset({TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE, TensorProto.BFLOAT16})
_TYPE_OF_RESULT = {
    "ArgMax": TensorProto.INT64,
    "Equal": TensorProto.BOOL,
    "Greater": TensorProto.BOOL,
    "GreaterOrEqual": TensorProto.BOOL,
    "Less": TensorProto.BOOL,
    "LessOrEqual": TensorProto.BOOL,
    "NonZero": TensorProto.INT64,
    "Shape": TensorProto.INT64,
}


@dataclass(frozen=True)
class Tensor:
    """A tensor by its name. `dtype` is onnx's number of the type; `shape` is None where it was not inferred."""

    writer: Writer
    name: str
    dtype: int
    shape: Shape | None = None

    def __add__(self, other: Tensor | float | Array) -> Tensor:
        return op("Add", self, other)

    def __sub__(self, other: Tensor | float | Array) -> Tensor:
        return op("Sub", self, other)

    def __rsub__(self, other: float | Array) -> Tensor:
        return op("Sub", other, self)

    def __mul__(self, other: Tensor | float | Array) -> Tensor:
        return op("Mul", self, other)

    def __truediv__(self, other: Tensor | float | Array) -> Tensor:
        return op("Div", self, other)

    def __rtruediv__(self, other: float | Array) -> Tensor:
        return op("Div", other, self)

    def __neg__(self) -> Tensor:
        return op("Neg", self)

    __radd__ = __add__
    __rmul__ = __mul__

    def shaped(self, shape: Shape | None) -> Tensor:
        """Return the same tensor, known to have a shape."""
        return replace(self, shape=shape)

    @property
    def dims(self) -> Shape:
        """The shape, which must be known: the walk makes sure of that for the inputs and outputs of a rule's node."""
        if self.shape is None:
            raise ValueError(f"the shape of {self.name!r} is not known")
        return self.shape

    @property
    def rank(self) -> int:
        """The number of dimensions."""
        return len(self.dims)


def op(operator: str, *inputs: Tensor | float | Array | None, **attributes: Any) -> Tensor:
    """Write an operator with one output. Inputs are tensors, numbers, arrays, or None for those left out.

    Numbers and float arrays take the type of the first floating input tensor.
    """
    tensors = [value for value in inputs if isinstance(value, Tensor)]
    writer = tensors[0].writer
    dtype = next((tensor.dtype for tensor in tensors if tensor.dtype in FLOATS), tensors[0].dtype)
    (made,) = writer.node(operator, [_name(value, writer, dtype) for value in inputs], attributes)
    return Tensor(writer, made, attributes["to"] if operator == "Cast" else _TYPE_OF_RESULT.get(operator, dtype))


def ints(*values: int) -> Array:
    """Return an int64 vector, for operands such as axes and shapes."""
    return np.array(values, dtype=np.int64)


def _name(value: Any, writer: Writer, dtype: int) -> str:
    if value is None:
        return ""
    if isinstance(value, Tensor):
        return value.name
    array = np.asarray(value)
    if not isinstance(value, np.ndarray) or array.dtype.kind == "f":
        array = array.astype(helper.tensor_dtype_to_np_dtype(dtype))
    return writer.constant(array)


def made_by(tensor: Tensor, operator: str) -> list[Tensor] | None:
    """Return the inputs of the new node that gives a tensor, where that is an operator of this kind."""
    node: onnx.NodeProto | None = tensor.writer.maker(tensor.name)
    if node is None or node.op_type != operator:
        return None
    return [Tensor(tensor.writer, name, tensor.dtype) for name in node.input]
