"""What is known of a forward graph before it runs: types, shapes, constants, and what depends on what."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, external_data_helper, numpy_helper, shape_inference

from sitegen.errors import GradientError
from sitegen.gradient.tensor import FLOATS, Shape
from sitegen.gradient.writer import Array

UNINFERRED = {"GroupNormalization"}
"""Operators whose output onnx does not infer, though it has the type and shape of the first input."""
_SMALL = 4096  # elements: constants that rules read are axes, pads, scales; never weights


class Forward:
    """Facts about a graph. `active` is set by the walk: the tensors whose gradients may be asked for."""

    def __init__(self, model: onnx.ModelProto, folder: Path | None) -> None:
        """`folder` is where external data lie, for small constants kept there. Raises GradientError for bad graphs."""
        self.graph = model.graph
        self.folder = folder
        self.opsets = list(model.opset_import)
        self.active: set[str] = set()
        self.makers = {name: node for node in model.graph.node for name in node.output if name}
        self._constants: dict[str, TensorProto] = {tensor.name: tensor for tensor in model.graph.initializer}
        self._types: dict[str, int] = {name: tensor.data_type for name, tensor in self._constants.items()}
        self._shapes: dict[str, Shape | None] = {name: tuple(tensor.dims) for name, tensor in self._constants.items()}
        self._values: dict[str, Array | None] = {}
        self._read_shapes(model)

    def _read_shapes(self, model: onnx.ModelProto) -> None:
        try:
            readable = self._with_small_constants(_with_stand_ins(model))
            inferred = shape_inference.infer_shapes(readable, strict_mode=True, data_prop=True).graph
        except shape_inference.InferenceError as error:
            raise GradientError(
                f"The shapes of the model cannot be inferred: {str(error).strip()}. Export it again; or, where weights "
                "lie in an external file, give the model's path instead of its content."
            ) from error
        numbers = itertools.count()
        for value in itertools.chain(inferred.input, inferred.value_info, inferred.output):
            entry = value.type.tensor_type
            self._types[value.name] = entry.elem_type
            if entry.HasField("shape"):
                self._shapes[value.name] = tuple(
                    dim.dim_value if dim.HasField("dim_value") else dim.dim_param or f"?{next(numbers)}"
                    for dim in entry.shape.dim
                )

    def _with_small_constants(self, model: onnx.ModelProto) -> onnx.ModelProto:
        """Return the model with the external constants that shapes may depend on: axes, sizes and their like."""
        outside = [index for index, tensor in enumerate(model.graph.initializer) if self._small_and_outside(tensor)]
        if not outside or self.folder is None:
            return model
        copy = onnx.ModelProto()
        copy.CopyFrom(model)
        for index in outside:
            external_data_helper.load_external_data_for_tensor(copy.graph.initializer[index], str(self.folder))
            copy.graph.initializer[index].data_location = TensorProto.DEFAULT
        return copy

    def _small_and_outside(self, tensor: TensorProto) -> bool:
        return _elements(tensor.dims) <= _SMALL and external_data_helper.uses_external_data(tensor)

    def names(self) -> Iterator[str]:
        """All names of tensors and nodes."""
        yield from self._constants
        yield from (value.name for value in self.graph.input)
        yield from self.makers
        yield from (node.name for node in self.graph.node)

    def knows(self, name: str) -> bool:
        """Whether the graph has a tensor of this name."""
        return name in self.makers or name in self._types

    def dtype(self, name: str) -> int:
        """The element type, 0 where it was not inferred."""
        return self._types.get(name, TensorProto.UNDEFINED)

    def shape(self, name: str) -> Shape | None:
        """The shape, None where not even the rank was inferred."""
        return self._shapes.get(name)

    def differentiable(self, name: str) -> bool:
        """Whether a tensor holds floating-point numbers: nothing flows back through integers and truth values."""
        return self.dtype(name) in FLOATS

    def value(self, name: str) -> Array | None:
        """Return the value of a small constant: an initialiser, or what small constants and known shapes determine.

        None where it depends on the model's inputs, is large, or lies in an external file whose folder is not known.
        """
        if name not in self._values:
            self._values[name] = None  # until found
            self._values[name] = self._find_value(name)
        return self._values[name]

    def _find_value(self, name: str) -> Array | None:
        if (tensor := self._constants.get(name)) is not None:
            return self._read(tensor)
        node = self.makers.get(name)
        if node is None or node.domain not in ("", "ai.onnx"):
            return None
        if node.op_type == "Shape":
            return self._known_shape(node)
        inputs = {entry: self.value(entry) for entry in node.input if entry}
        if any(value is None for value in inputs.values()) or any(
            entry.graphs or entry.g.node for entry in node.attribute
        ):
            return None
        return self._evaluate(node, {entry: value for entry, value in inputs.items() if value is not None}, name)

    def _evaluate(self, node: onnx.NodeProto, inputs: dict[str, Array], name: str) -> Array | None:
        from onnx.reference import ReferenceEvaluator  # costs a second to import, and few models need it

        values = [onnx.helper.make_tensor_value_info(entry, self.dtype(entry), None) for entry in inputs]
        results = [onnx.helper.make_tensor_value_info(name, self.dtype(name), None)]
        graph = onnx.helper.make_graph([node], "constant", values, results)
        model = onnx.helper.make_model(graph, opset_imports=self.opsets)
        results_found: list[Array] = list(ReferenceEvaluator(model).run(None, inputs))  # type: ignore[arg-type]
        return results_found[0]

    def _read(self, tensor: TensorProto) -> Array | None:
        if _elements(tensor.dims) > _SMALL:
            return None
        if external_data_helper.uses_external_data(tensor):
            if self.folder is None:
                return None
            copy = TensorProto()
            copy.CopyFrom(tensor)
            external_data_helper.load_external_data_for_tensor(copy, str(self.folder))
            tensor = copy
        return numpy_helper.to_array(tensor)

    def _known_shape(self, node: onnx.NodeProto) -> Array | None:
        shape = self.shape(node.input[0])
        if shape is None:
            return None
        bounds = {entry.name: entry.i for entry in node.attribute}
        part = shape[slice(bounds.get("start"), bounds.get("end"))]
        return np.array(part, dtype=np.int64) if all(isinstance(size, int) for size in part) else None


def _with_stand_ins(model: onnx.ModelProto) -> onnx.ModelProto:
    if not any(node.op_type in UNINFERRED for node in model.graph.node):
        return model
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    for node in copy.graph.node:
        if node.op_type in UNINFERRED:
            node.op_type = "Identity"
            del node.input[1:]
            del node.attribute[:]
    return copy


def _elements(dims: Iterable[int]) -> int:
    product = 1
    for size in dims:
        product *= size
    return product
