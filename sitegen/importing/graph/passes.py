"""Small changes of ONNX graphs that leave what they compute as it is. Each changes the model that it is given.

with_plain_constants    weights are initialisers with raw bytes, and none of them is an input
upgraded                standard operators of opset 18, where they were older
rename                  tensors have the names that they are given
drop_unused             every operator and weight is needed for an output
with_fixed_pads         no padding is left to be worked out from sizes
name_nodes              every operator has a name of its own
merge_pads              convolutions pad with zeros themselves
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper, version_converter

from sitegen.errors import ModelError
from sitegen.gradient import OPSETS
from sitegen.graphs.files import OPSET
from sitegen.importing.graph.reading import nodes_of
from sitegen.importing.graph.shapes import shapes_of

IR_VERSION = 10  # as the exporter of sitegen's own graphs writes


def with_plain_constants(model: ModelProto) -> None:
    """Make initialisers of Constant nodes with tensors, store all of them as raw bytes, and list none as an input."""
    graph = model.graph
    for node in [node for node in graph.node if node.op_type == "Constant"]:
        if node.attribute[0].name == "value":
            tensor = node.attribute[0].t
            tensor.name = node.output[0]
            graph.initializer.append(tensor)
            graph.node.remove(node)
    for tensor in graph.initializer:
        if not tensor.HasField("raw_data"):
            tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor), tensor.name))
    names = {tensor.name for tensor in graph.initializer}
    kept = [value for value in graph.input if value.name not in names]
    del graph.input[:]
    graph.input.extend(kept)


def upgraded(model: ModelProto) -> ModelProto:
    """Return the model with operators of opset 18, or as it is where its opset is newer, up to 26.

    Raises ModelError where an operator cannot be converted, or the opset is newer than is understood.
    """
    version = model.opset_import[0].version
    if version > OPSETS[-1]:
        raise ModelError(f"The model uses opset {version}; up to {OPSETS[-1]} is understood. Export it with opset 18.")
    if version < OPSET:
        model.ir_version = max(model.ir_version, IR_VERSION)  # before 4, weights had to be inputs as well
        try:
            model = version_converter.convert_version(model, OPSET)
        except Exception as error:  # the converter's own exceptions have no common base
            kinds = ", ".join(sorted({node.op_type for node in nodes_of(model.graph)}))
            reason = str(error).strip().split("failed: ")[-1]  # before it stands a line of onnx's own source
            raise ModelError(
                f"The model uses opset {version}, and not all its operators can be converted to opset {OPSET}: "
                f"{reason}. Export it with opset {OPSET}. Its operators are {kinds}."
            ) from error
    model.ir_version = max(model.ir_version, IR_VERSION)
    return model


def rename(model: ModelProto, names: Mapping[str, str]) -> None:
    """Give tensors other names, everywhere. What else has one of the new names already gets another one."""
    graph = model.graph
    made = {name for node in nodes_of(graph) for name in (*node.input, *node.output)}
    made |= {tensor.name for tensor in graph.initializer}
    taken = made | set(names.values())
    swaps = {name: free_name(taken, name) for name in names.values() if name in made and name not in names}
    swaps.update(names)
    for node in nodes_of(graph):
        node.input[:] = [swaps.get(name, name) for name in node.input]
        node.output[:] = [swaps.get(name, name) for name in node.output]
    for item in (*graph.initializer, *graph.input, *graph.output, *graph.value_info):
        item.name = swaps.get(item.name, item.name)


def name_nodes(model: ModelProto) -> None:
    """Give every operator a name of its own: that of its first output, where it has none or shares it."""
    seen: set[str] = set()
    for node in model.graph.node:
        if not node.name or node.name in seen:
            name = node.output[0]
            node.name = free_name(seen, name) if name in seen else name
        seen.add(node.name)


def free_name(taken: set[str], wanted: str) -> str:
    """Return a name like `wanted` that is not among those taken, and add it to them."""
    number = 1
    while f"{wanted}_{number}" in taken:
        number += 1
    taken.add(f"{wanted}_{number}")
    return f"{wanted}_{number}"


def drop_unused(model: ModelProto) -> None:
    """Remove operators, weights and shapes that no output needs."""
    graph = model.graph
    needed = {value.name for value in graph.output}
    kept: list[NodeProto] = []
    for node in reversed(graph.node):
        if needed.intersection(node.output):
            kept.append(node)
            needed.update(name for inner in (node, *_within(node)) for name in inner.input)
    nodes = kept[::-1]
    weights = [tensor for tensor in graph.initializer if tensor.name in needed]
    del graph.node[:], graph.initializer[:], graph.value_info[:]
    graph.node.extend(nodes)
    graph.initializer.extend(weights)


def _within(node: NodeProto) -> Iterable[NodeProto]:
    for attribute in node.attribute:
        for inner in (attribute.g, *attribute.graphs):
            yield from nodes_of(inner)


def with_fixed_pads(model: ModelProto) -> None:
    """Write out the pads that convolutions and pooling with `auto_pad` have, where the sizes are known.

    The formula is that of the operators' definition: as many windows as the size divided by the stride, rounded up; an
    odd pixel goes to the end with SAME_UPPER, to the beginning with SAME_LOWER.
    """
    shapes = shapes_of(model)
    for node in model.graph.node:
        mode = attribute(node, "auto_pad", b"NOTSET").decode()
        if node.op_type not in ("Conv", "MaxPool", "AveragePool", "LpPool") or mode == "NOTSET":
            continue
        read = shapes.fixed(node.input[0])
        kernel = attribute(node, "kernel_shape", None) or (shapes.fixed(node.input[1]) or ())[2:]
        if read is None or not kernel:
            continue
        pads = np.zeros(2 * len(kernel), int).tolist() if mode == "VALID" else _same(node, read[2:], kernel, mode)
        set_attributes(node, auto_pad=None, pads=pads)


def merge_pads(model: ModelProto) -> None:
    """Let a convolution pad what it reads with zeros by itself, where an operator does so before.

    Precondition: pads are fixed, as after `with_fixed_pads`. Pooling does not count its own padding as zeros, so that
    it stays as it is.
    """
    graph, constants = model.graph, constants_of(model)
    makers = {node.output[0]: node for node in graph.node if node.op_type == "Pad" and not node.domain}
    for node in graph.node:
        made = makers.get(node.input[0]) if node.op_type == "Conv" and not node.domain else None
        if made is None or attribute(node, "auto_pad", b"NOTSET") != b"NOTSET":
            continue
        around = _zeros_around(made, constants)
        if around is None or around.min() < 0 or around[:, :2].any():
            continue
        before = attribute(node, "pads", [0] * (around.size - 4))
        set_attributes(node, pads=[int(pad) for pad in np.add(before, around[:, 2:].reshape(-1))])
        node.input[0] = made.input[0]
    drop_unused(model)


def _zeros_around(node: NodeProto, constants: Mapping[str, TensorProto]) -> NDArray[Any] | None:
    """Return how many zeros a Pad adds [before and after, axes], None where that is not known or it adds no zeros."""
    named = [constants.get(name) for name in node.input[1:] if name]
    values = [numpy_helper.to_array(tensor) for tensor in named if tensor is not None]
    if len(values) < len(named) or len(node.input) > 3 or attribute(node, "mode", b"constant") != b"constant":
        return None
    return None if any(filler.any() for filler in values[1:]) else values[0].reshape(2, -1)


def _same(node: NodeProto, read: Iterable[int], kernel: Iterable[int], mode: str) -> list[int]:
    sizes, spans = np.array(list(read)), np.array(list(kernel))
    strides = np.array(attribute(node, "strides", [1] * len(sizes)))
    dilations = np.array(attribute(node, "dilations", [1] * len(sizes)))
    total = np.maximum((-(-sizes // strides) - 1) * strides + dilations * (spans - 1) + 1 - sizes, 0)
    less, more = total // 2, total - total // 2
    begin, end = (less, more) if mode == "SAME_UPPER" else (more, less)
    return [int(pad) for pad in (*begin, *end)]


def attribute(node: NodeProto, name: str, default: Any) -> Any:
    """Return the value of a node's attribute, or the default."""
    found = next((entry for entry in node.attribute if entry.name == name), None)
    if found is None:
        return default
    value = helper.get_attribute_value(found)
    return list(value) if isinstance(value, (list, tuple)) or hasattr(value, "append") else value


def set_attributes(node: NodeProto, **values: Any) -> None:
    """Set attributes of a node; those that are None are removed."""
    kept = [entry for entry in node.attribute if entry.name not in values]
    del node.attribute[:]
    node.attribute.extend(kept)
    node.attribute.extend(helper.make_attribute(name, value) for name, value in values.items() if value is not None)


def constants_of(model: ModelProto) -> dict[str, TensorProto]:
    """Return a model's initialisers by their name."""
    return {tensor.name: tensor for tensor in model.graph.initializer}


def add_constant(model: ModelProto, value: NDArray[Any], wanted: str, taken: set[str]) -> str:
    """Add an initialiser and return its name, which is like `wanted`."""
    name = free_name(taken, wanted)
    model.graph.initializer.append(numpy_helper.from_array(value, name))
    return name


def names_in(model: ModelProto) -> set[str]:
    """Return all names of tensors, also of inner graphs."""
    named = {name for node in nodes_of(model.graph) for name in (*node.input, *node.output)}
    return named | {item.name for item in (*model.graph.initializer, *model.graph.input, *model.graph.output)}
