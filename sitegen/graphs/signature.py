"""What an ONNX file takes and gives, and where its weights lie: read without the weights."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sitegen.errors import BundleError

Shape = list[int | None]
"""Sizes of a tensor's dimensions, None where the graph leaves one open."""


@dataclass(frozen=True)
class Signature:
    """Names and shapes of a graph's inputs and outputs, and the names of the external files that hold its weights."""

    inputs: dict[str, Shape]
    outputs: dict[str, Shape]
    weight_files: frozenset[str]


@dataclass(frozen=True)
class StoredTensor:
    """A tensor in an external file: which file, from which byte on, its shape, and whether it is of float32."""

    location: str
    offset: int
    shape: tuple[int, ...]
    float32: bool


def stored_tensors(path: Path) -> list[StoredTensor]:
    """Return the tensors that an ONNX file keeps in external files, as `read_signature` found it readable."""
    import onnx

    tensors = onnx.load(str(path), load_external_data=False).graph.initializer
    places = [(tensor, {entry.key: entry.value for entry in tensor.external_data}) for tensor in tensors]
    return [
        StoredTensor(
            place["location"],
            int(place.get("offset", 0)),
            tuple(tensor.dims),
            tensor.data_type == onnx.TensorProto.FLOAT,
        )
        for tensor, place in places
        if "location" in place
    ]


def read_signature(path: Path) -> Signature:
    """Return the signature of an ONNX file. Raises BundleError where it cannot be read."""
    import onnx  # heavy, and needed by those who load a bundle only

    try:
        graph = onnx.load(str(path), load_external_data=False).graph
    except Exception as error:  # protobuf's own exceptions differ between its implementations
        raise BundleError(f"{path.name}: not a readable ONNX file ({type(error).__name__}); export it again") from error
    places = (entry for tensor in graph.initializer for entry in tensor.external_data)
    weight_files = frozenset(entry.value for entry in places if entry.key == "location")
    stored = {tensor.name for tensor in graph.initializer}  # which old exporters list among the inputs, too
    inputs = [value for value in graph.input if value.name not in stored]
    return Signature(_shapes(inputs), _shapes(graph.output), weight_files)


def fits(actual: Shape, wanted: list[int]) -> bool:
    """Whether a tensor of the shape `wanted` may be given to, or come from, one of the shape `actual`."""
    return len(actual) == len(wanted) and all(a is None or a == w for a, w in zip(actual, wanted, strict=True))


def _shapes(values: Iterable[Any]) -> dict[str, Shape]:
    return {
        value.name: [dim.dim_value if dim.HasField("dim_value") else None for dim in value.type.tensor_type.shape.dim]
        for value in values
    }
