"""Shapes and types of all tensors of a graph, as onnx infers them."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

from onnx import ModelProto, ValueInfoProto, helper

from sitegen.errors import GradientError, ModelError
from sitegen.gradient.inference import infer, prepared

_SMALL = 4096  # elements: what shapes depend on is small, and weights need not be copied to know theirs


@dataclass(frozen=True)
class Shapes:
    """What is known of a graph's tensors, by name; a size that is open is None."""

    sizes: Mapping[str, tuple[int | None, ...]]
    types: Mapping[str, int]

    def fixed(self, name: str) -> tuple[int, ...] | None:
        """Return the shape of a tensor, None where it or one of its sizes is not known."""
        sizes = self.sizes.get(name)
        known = [size for size in sizes or () if size is not None]
        return tuple(known) if sizes is not None and len(known) == len(sizes) else None

    def elements(self, name: str) -> int | None:
        """Return how many elements a tensor has, None where that is not known."""
        sizes = self.fixed(name)
        return None if sizes is None else prod(sizes)


def shapes_of(model: ModelProto) -> Shapes:
    """Return the shapes of a model's tensors. Raises ModelError where operators and shapes contradict each other."""
    light = ModelProto()
    light.opset_import.extend(model.opset_import)
    light.ir_version = model.ir_version
    light.graph.name = "network"
    light.graph.input.extend(model.graph.input)
    light.graph.output.extend(model.graph.output)
    light.graph.node.extend(model.graph.node)
    listed = {value.name for value in model.graph.input}
    for tensor in model.graph.initializer:
        if prod(tensor.dims) <= _SMALL:
            light.graph.initializer.append(tensor)
        elif tensor.name not in listed:
            light.graph.input.append(helper.make_tensor_value_info(tensor.name, tensor.data_type, list(tensor.dims)))
    try:
        graph = infer(prepared(light, None))
    except GradientError as error:
        raise ModelError(f"The operators of the model do not fit together: {error}") from error
    values = {value.name: value for value in (*graph.input, *graph.value_info, *graph.output)}
    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    sizes = {name: found for name, value in values.items() if (found := declared(value)) is not None}
    return Shapes(
        sizes | {name: tuple(tensor.dims) for name, tensor in constants.items()},
        {name: value.type.tensor_type.elem_type for name, value in values.items()}
        | {name: tensor.data_type for name, tensor in constants.items()},
    )


def declared(value: ValueInfoProto) -> tuple[int | None, ...] | None:
    """Return the shape that a graph states for a tensor, None where not even the rank is stated."""
    entry = value.type.tensor_type
    if not entry.HasField("shape"):
        return None
    return tuple(dim.dim_value if dim.HasField("dim_value") and dim.dim_value > 0 else None for dim in entry.shape.dim)
