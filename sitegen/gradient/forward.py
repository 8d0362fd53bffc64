"""What is known of a forward graph before it runs: types, shapes, constants, and what depends on what."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, external_data_helper, numpy_helper

from sitegen.gradient.inference import SIZED_BY_INPUTS, infer, is_small, prepared, read_external, with_sizes
from sitegen.gradient.tensor import FLOATS, Dimension, Shape
from sitegen.gradient.writer import Array


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
        """Infer types and shapes; where sizes are computed in the graph, compute them too, and infer on from there."""
        readable, said = prepared(model, self.folder), set[str]()
        while True:
            self._note(infer(readable))
            self._values.clear()
            sizes = {name: value for name, value in self._computed_sizes() if name not in said}
            if not sizes:
                return
            readable = with_sizes(readable, sizes)
            said.update(sizes)

    def _note(self, inferred: onnx.GraphProto) -> None:
        numbers = itertools.count()
        for value in itertools.chain(inferred.input, inferred.value_info, inferred.output):
            entry = value.type.tensor_type
            self._types[value.name] = entry.elem_type
            if entry.HasField("shape"):
                self._shapes[value.name] = tuple(
                    dim.dim_value if dim.HasField("dim_value") else dim.dim_param or f"?{next(numbers)}"
                    for dim in entry.shape.dim
                )

    def _computed_sizes(self) -> Iterator[tuple[str, Array]]:
        """What tensors of unknown size are made by, as far as it is known."""
        for node in self.graph.node:
            shapes = [self.shape(name) for name in node.output if name]
            if node.op_type in SIZED_BY_INPUTS and any(shape is None or _is_open(shape) for shape in shapes):
                for name in node.input[1:]:
                    if name in self.makers and (value := self.value(name)) is not None:
                        yield name, value

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
            return _known(self._sizes(node))
        if node.op_type in ("Gather", "Slice") and (shape := self._shape_node(node.input[0])):
            return self._picked(node, self._sizes(shape))
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
        if not is_small(tensor):
            return None
        if external_data_helper.uses_external_data(tensor):
            if self.folder is None:
                return None
            tensor = read_external(tensor, self.folder)
        return numpy_helper.to_array(tensor)

    def _shape_node(self, name: str) -> onnx.NodeProto | None:
        node = self.makers.get(name)
        return node if node is not None and node.op_type == "Shape" else None

    def _sizes(self, node: onnx.NodeProto) -> Shape | None:
        """What a node Shape gives, as far as it is known."""
        bounds = {entry.name: entry.i for entry in node.attribute}
        shape = self.shape(node.input[0])
        return None if shape is None else shape[slice(bounds.get("start"), bounds.get("end"))]

    def _picked(self, node: onnx.NodeProto, sizes: Shape | None) -> Array | None:
        """The sizes that a node picks, where it picks none that are open: told by what it makes of their positions."""
        others = {entry: self.value(entry) for entry in node.input[1:] if entry}
        known = {entry: value for entry, value in others.items() if value is not None}
        if sizes is None or len(known) < len(others):
            return None
        positions = self._evaluate(node, {node.input[0]: np.arange(len(sizes)), **known}, node.output[0])
        found = None if positions is None else _known([sizes[index] for index in positions.reshape(-1)])
        return None if found is None or positions is None else found.reshape(positions.shape)


def _known(sizes: Sequence[Dimension] | None) -> Array | None:
    """Return sizes as a vector, None where one is open."""
    found = None if sizes is None else [size for size in sizes if isinstance(size, int)]
    return None if found is None or len(found) < len(sizes or ()) else np.array(found, dtype=np.int64)


def _is_open(shape: Shape) -> bool:
    return not all(isinstance(size, int) for size in shape)
