"""ONNX files of strangers, read as data: every size and place that a file names is checked before it is followed."""

from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from math import prod
from pathlib import Path, PurePosixPath, PureWindowsPath

import numpy as np
import onnx
from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, helper, inliner, numpy_helper

from sitegen.errors import ModelError

STANDARD = ("", "ai.onnx")
LARGEST = 2_000_000_000  # bytes: what one protobuf message can hold, and more than a page can
_FLOATS = {TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.BFLOAT16, TensorProto.DOUBLE}
_NUMBERS = _FLOATS | {
    *(TensorProto.INT8, TensorProto.INT16, TensorProto.INT32, TensorProto.INT64, TensorProto.BOOL),
    *(TensorProto.UINT8, TensorProto.UINT16, TensorProto.UINT32, TensorProto.UINT64),
}


def read_onnx(file: Path) -> ModelProto:
    """Return the model in an ONNX file, with its weights inside.

    Postconditions: it is valid to onnx.checker; it has standard operators only, and no functions of its own; its
    weights are numbers, none of them NaN. External data are read from the file's folder alone. Raises ModelError.
    """
    model = _parsed(file)
    del model.training_info[:]
    for tensor in _tensors(model):
        _check_kind(tensor, file)
    _bring_in_weights(model, file)
    model = _with_standard_operators(model, file)
    _sort(model.graph)
    try:
        onnx.checker.check_model(model)
    except Exception as error:  # ValidationError, and what protobuf raises
        raise ModelError(f"{file} is no valid ONNX model: {_first_line(error)}. Export it again.") from error
    for tensor in _tensors(model):
        _check_numbers(tensor, file)
    return model


def _sort(graph: GraphProto) -> None:
    """Put operators behind those that make what they read, as ONNX demands and converters forget, if they can be."""
    nodes = list(graph.node)
    makers = {name: at for at, node in enumerate(nodes) for name in node.output if name}
    needs = [
        {makers[name] for inner in (node, *_inside(node)) for name in inner.input if name in makers} - {at}
        for at, node in enumerate(nodes)
    ]
    if all(not places or max(places) < at for at, places in enumerate(needs)):
        return
    order = TopologicalSorter(dict(enumerate(needs)))
    try:
        kept = [nodes[at] for at in order.static_order()]
    except CycleError:
        return  # onnx.checker says so
    del graph.node[:]
    graph.node.extend(kept)


def _inside(node: NodeProto) -> Iterator[NodeProto]:
    for attribute in node.attribute:
        for inner in _graphs(attribute):
            yield from nodes_of(inner)


def nodes_of(graph: GraphProto) -> Iterator[NodeProto]:
    """Yield all nodes of a graph, and of the graphs within them."""
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            for inner in _graphs(attribute):
                yield from nodes_of(inner)


def _graphs(attribute: AttributeProto) -> Iterator[GraphProto]:
    if attribute.HasField("g"):
        yield attribute.g
    yield from attribute.graphs


def _parsed(file: Path) -> ModelProto:
    try:
        size = file.stat().st_size
        if size > LARGEST:
            raise ModelError(f"{file} has {size} bytes; no page can hold more than {LARGEST}. Use a smaller model.")
        model = onnx.load_model_from_string(file.read_bytes())
    except OSError as error:
        raise ModelError(f"{file} cannot be read: {error.strerror}. Name an ONNX file.") from error
    except ModelError:
        raise
    except Exception as error:  # protobuf's own exceptions differ between its implementations
        raise ModelError(
            f"{file} is no ONNX file, or is cut short ({type(error).__name__}). Export it again."
        ) from error
    if not model.graph.node:
        raise ModelError(f"{file} has no operators, so it is no ONNX model, or an empty one. Export it again.")
    return model


def _tensors(model: ModelProto) -> Iterator[TensorProto]:
    """Yield all constants, wherever they are."""
    for graph in _all_graphs(model):
        yield from graph.initializer
    for node in [*nodes_of(model.graph), *(node for function in model.functions for node in function.node)]:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            yield from attribute.tensors


def _all_graphs(model: ModelProto) -> Iterator[GraphProto]:
    yield model.graph
    for node in [*nodes_of(model.graph), *(node for function in model.functions for node in function.node)]:
        for attribute in node.attribute:
            yield from _graphs(attribute)


def _check_kind(tensor: TensorProto, file: Path) -> None:
    if tensor.data_type not in _NUMBERS:
        known = TensorProto.DataType.keys()
        name = known[tensor.data_type] if tensor.data_type < len(known) else str(tensor.data_type)
        raise ModelError(
            f"{file}: the constant {tensor.name!r} is of the type {name}, and models of sitegen compute with plain "
            "numbers. Export the model in float32."
        )
    if any(size < 0 for size in tensor.dims) or _bytes(tensor) > LARGEST:
        raise ModelError(
            f"{file}: the constant {tensor.name!r} says that its shape is {list(tensor.dims)}, which cannot be. "
            "The file is damaged: get it again."
        )


def _bytes(tensor: TensorProto) -> int:
    return int(prod(tensor.dims)) * int(helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize)


def _bring_in_weights(model: ModelProto, file: Path) -> None:
    """Put external data into the model."""
    external = [tensor for tensor in _tensors(model) if tensor.data_location == TensorProto.EXTERNAL]
    if (total := sum(map(_bytes, external))) > LARGEST:
        raise ModelError(f"{file} has {total} bytes of weights; no page can hold more than {LARGEST}.")
    for tensor in external:
        tensor.raw_data = _external(tensor, file)
        tensor.data_location = TensorProto.DEFAULT
        del tensor.external_data[:]


def _external(tensor: TensorProto, file: Path) -> bytes:
    """Return the bytes of a tensor that lie in another file of the model's folder."""
    entries = {entry.key: entry.value for entry in tensor.external_data}
    path = path_inside(file.parent, entries.get("location", ""), f"{file}: the weights {tensor.name!r}")
    needed = _bytes(tensor)
    try:
        offset = int(entries.get("offset", "0"))
        length = int(entries.get("length", str(needed)))
    except ValueError:
        offset, length = -1, -1
    if offset < 0 or length != needed or offset + needed > path.stat().st_size:
        raise ModelError(
            f"{file}: the weights {tensor.name!r} of {needed} bytes are not in {path.name}, which has "
            f"{path.stat().st_size} bytes, at {entries.get('offset', '0')!r}. Get both files again."
        )
    with path.open("rb") as stream:
        stream.seek(offset)
        return stream.read(needed)


def path_inside(folder: Path, location: str, what: str) -> Path:
    """Return the file at a relative `location` in a folder; `what` begins the error's sentence.

    Raises ModelError where it is absolute, leads out of the folder (also by a link), or is no file.
    """
    parts = (PurePosixPath(location), PureWindowsPath(location))
    leads_out = any(part.is_absolute() or part.drive or part.root or ".." in part.parts for part in parts)
    path = folder / location
    if leads_out or ":" in location or not path.resolve().is_relative_to(folder.resolve()):
        raise ModelError(f"{what} are said to lie in {location!r}, outside of the model's folder. That is not read.")
    if not path.is_file():
        raise ModelError(f"{what} should lie in {str(path)!r}, and there is no such file. Put it beside the model.")
    return path


def _with_standard_operators(model: ModelProto, file: Path) -> ModelProto:
    """Return the model with its own functions written out. Raises ModelError where other operators are left."""
    if model.functions:
        try:
            model = inliner.inline_local_functions(model)
        except Exception as error:
            raise ModelError(f"{file}: its functions cannot be written out: {_first_line(error)}") from error
    nodes = list(nodes_of(model.graph))
    foreign = sorted({f"{node.domain}.{node.op_type}" for node in nodes if node.domain not in STANDARD})
    if foreign:
        raise ModelError(
            f"{file} needs operators that are not standard ONNX: {', '.join(foreign)}. Export it without optimisation "
            "for a certain engine, and with standard operators only."
        )
    for node in nodes:
        node.domain = ""
    version = max((entry.version for entry in model.opset_import if entry.domain in STANDARD), default=0)
    del model.opset_import[:]
    model.opset_import.append(helper.make_opsetid("", version))
    if any(graph.sparse_initializer for graph in _all_graphs(model)):
        raise ModelError(f"{file} keeps weights as sparse tensors. Export it with dense ones.")
    return model


def _check_numbers(tensor: TensorProto, file: Path) -> None:
    """Raise ModelError where a constant is not as long as it says, or holds NaN, or infinity as no mask does."""
    try:
        values = numpy_helper.to_array(tensor)
    except Exception as error:
        raise ModelError(
            f"{file}: the constant {tensor.name!r} does not hold a tensor {list(tensor.dims)}. Get the file again."
        ) from error
    if tensor.data_type not in _FLOATS:
        return
    values = values.astype(np.float64) if tensor.data_type == TensorProto.BFLOAT16 else values
    bad = ~np.isfinite(values)
    if not bad.any() or (values.size == 1 and not np.isnan(values).any()) or _is_mask(values):
        return
    raise ModelError(
        f"{file}: {int(bad.sum())} of the {values.size} numbers of the weights {tensor.name!r} are NaN or infinite, so "
        "the model says nothing of any image. Take a checkpoint from before its training failed."
    )


def _is_mask(values: np.ndarray[tuple[int, ...], np.dtype[np.floating]]) -> bool:
    """Whether there are zeros and minus infinity alone, as is added to what attention shall not see."""
    return bool(((values == 0) | np.isneginf(values)).all())


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].rstrip(".")
