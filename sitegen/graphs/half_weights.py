"""Weights stored with 16 bits a number: half the download, and the arithmetic stays in float32.

    round_weights(classifier)        the weights become the nearest numbers that float16 has, still as float32
    store_half(folder, graphs)       the same numbers with 16 bits each; every graph widens them again as it is loaded
    with_full_weights(model)         a graph as it was before `store_half`, with its weights in it

The graph after `round_weights` is the reference: `store_half` changes no number. Only what lies in the external file
is rounded. Small tensors stay in the graph as they are.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import GraphProto, ModelProto, TensorProto, helper, numpy_helper
from onnx.external_data_helper import uses_external_data

from sitegen.errors import ExportError
from sitegen.graphs.files import save_with_weights

SUFFIX = ".half"
LARGEST = float(np.finfo(np.float16).max)
_ALIGNMENT = 16  # bytes, so that engines may read the file in place


def round_weights(classifier: Path) -> int:
    """Round the external float32 weights of a graph to float16 numbers, in its file; return how many were rounded.

    Raises ExportError where a weight is too large for float16.
    """
    graph = onnx.load(str(classifier), load_external_data=False).graph
    names = {tensor.name for tensor in _external(graph) if tensor.data_type == TensorProto.FLOAT}
    model = onnx.load(str(classifier))
    count = 0
    for tensor in model.graph.initializer:
        if tensor.name in names:
            values = numpy_helper.to_array(tensor)
            tensor.CopyFrom(numpy_helper.from_array(_rounded(values, tensor.name), tensor.name))
            count += values.size
    if count:
        save_with_weights(model, classifier)
    return count


def store_half(folder: Path, graphs: Sequence[str]) -> None:
    """Store the weights that graphs of a folder share, in one external file, as float16, and write the graphs anew.

    `graphs` are all that share the file. Precondition: their external float32 weights went through `round_weights`.
    Postcondition: each graph computes what it did. Raises ExportError where a weight is no float16 number.
    """
    models = {name: onnx.load(str(folder / name), load_external_data=False) for name in graphs}
    tensors = [tensor for model in models.values() for tensor in _external(model.graph)]
    if not tensors:
        return
    locations = {_entry(tensor, "location") for tensor in tensors}
    if len(locations) != 1:
        raise ExportError(f"The graphs {', '.join(graphs)} keep weights in {sorted(locations)}, not in one file.")
    weights = folder / locations.pop()
    places = _write_half(weights, tensors)
    for name, model in models.items():
        _widen(model.graph, weights.name, places)
        (folder / name).write_bytes(model.SerializeToString(deterministic=True))
        onnx.checker.check_model(str(folder / name), full_check=True)


def with_full_weights(model: ModelProto) -> ModelProto:
    """Return a model, whose weights are in it, without what `store_half` put in; others as they are."""
    copy = ModelProto()
    copy.CopyFrom(model)
    graph = copy.graph
    stored = {tensor.name: tensor for tensor in graph.initializer if tensor.data_type == TensorProto.FLOAT16}
    for node in [node for node in graph.node if node.op_type == "Cast" and node.input[0] in stored]:
        if node.input[0] == node.output[0] + SUFFIX:
            tensor = stored[node.input[0]]
            tensor.CopyFrom(
                numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float32), str(node.output[0]))
            )
            graph.node.remove(node)
    return copy


def _rounded(values: NDArray[np.float32], name: str) -> NDArray[np.float32]:
    if not float(np.abs(values).max(initial=0)) <= LARGEST:
        raise ExportError(
            f"The weight {name!r} has values of up to {np.abs(values).max():.3g}, and 16 bits hold {LARGEST:g} at "
            "most. Leave out --half."
        )
    return values.astype(np.float16).astype(np.float32)


def _write_half(weights: Path, tensors: Sequence[TensorProto]) -> dict[int, tuple[int, int]]:
    """Write the file of weights anew; return the new offset and length of each tensor by its old offset."""
    content = weights.read_bytes()
    made = bytearray()
    places = {}
    for tensor in sorted(tensors, key=_offset):
        if (offset := _offset(tensor)) in places:
            continue
        stored = content[offset : offset + int(_entry(tensor, "length"))]
        if tensor.data_type == TensorProto.FLOAT:
            stored = _half(stored, tensor.name)
        made += bytes(-len(made) % _ALIGNMENT)
        places[offset] = len(made), len(stored)
        made += stored
    weights.write_bytes(made)
    return places


def _half(stored: bytes, name: str) -> bytes:
    values = np.frombuffer(stored, "<f4")
    half = values.astype("<f2")
    if not np.array_equal(half.astype(np.float32), values):
        raise ExportError(f"The weight {name!r} was not rounded to 16 bits before it is stored with them.")
    return half.tobytes()


def _widen(graph: GraphProto, location: str, places: dict[int, tuple[int, int]]) -> None:
    """Name the stored weights anew, and put before all nodes those that widen them."""
    casts = []
    for tensor in _external(graph):
        offset, length = places[_offset(tensor)]
        del tensor.external_data[:]
        for key, value in (("location", location), ("offset", offset), ("length", length)):
            tensor.external_data.add(key=key, value=str(value))
        if tensor.data_type != TensorProto.FLOAT:
            continue
        name = tensor.name
        tensor.name, tensor.data_type = name + SUFFIX, TensorProto.FLOAT16
        casts.append(helper.make_node("Cast", [tensor.name], [name], name=f"{name}.widened", to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)


def _external(graph: GraphProto) -> Iterator[TensorProto]:
    return (tensor for tensor in graph.initializer if uses_external_data(tensor))


def _offset(tensor: TensorProto) -> int:
    return int(_entry(tensor, "offset", "0"))


def _entry(tensor: TensorProto, key: str, usual: str = "") -> str:
    return next((entry.value for entry in tensor.external_data if entry.key == key), usual)
