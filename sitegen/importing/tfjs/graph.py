"""TensorFlow.js graph models as ONNX graphs: classifiers, autoencoders, anything with one input."""

from collections.abc import Sequence
from pathlib import Path

from onnx import ModelProto, TensorProto, ValueInfoProto, helper

from sitegen.errors import ModelError
from sitegen.graphs.files import INPUT, OPSET
from sitegen.importing.graph.folding import fold
from sitegen.importing.graph.image import fix_image, image_slot
from sitegen.importing.graph.layout import sink_transposes
from sitegen.importing.graph.passes import (
    IR_VERSION,
    free_name,
    merge_pads,
    name_nodes,
    names_in,
    rename,
    with_fixed_pads,
)
from sitegen.importing.graph.shapes import shapes_of
from sitegen.importing.tfjs.files import TfGraph, read_tfjs
from sitegen.importing.tfjs.operators import NO_RULE_NEEDED, TABLE
from sitegen.importing.tfjs.writer import TO_NCHW, TfWriter


def to_onnx(path: Path, shape: Sequence[int]) -> ModelProto:
    """Return the model in `path` (model.json or its folder) as a graph of opset 18 with the input "image".

    An image has the shape [1, channels, rows, columns]. Where the model has channels last, its input and those of its
    outputs that are images are turned, so that both have channels first. Other inputs are as they are. Outputs keep
    their names. Raises ModelError for operators that are not known, all of which are named, and for damaged files.
    """
    model = literal(read_tfjs(path))
    try:
        if len(shape) == 4:
            slot = image_slot(model)
            fix_image(model, slot, shape)
            fold(model)
            if slot.last:
                _turn_outputs(model)
        else:
            model.graph.input[0].CopyFrom(_value(model.graph.input[0].name, shape))
            fold(model)
        rename(model, {model.graph.input[0].name: INPUT})
        sink_transposes(model)
        fold(model)
        with_fixed_pads(model)
        merge_pads(model)
        name_nodes(model)
        shapes = shapes_of(model)
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from error
    for output in model.graph.output:
        output.CopyFrom(_value(output.name, shapes.fixed(output.name)))
    return model


def literal(graph: TfGraph) -> ModelProto:
    """Return the graph, operator by operator, in ONNX; sizes that the input leaves open are open.

    Raises ModelError where an operator is not known, or says of itself what is not.
    """
    unknown = sorted({node.operator for node in graph.nodes} - TABLE.keys() - NO_RULE_NEEDED)
    if unknown:
        raise ModelError(
            f"{graph.files[0]} has operators that are not known here: {', '.join(unknown)}. Convert the model it was "
            "made of to ONNX, and import that."
        )
    writer = TfWriter(graph.nodes, graph.weights)
    for node in graph.nodes:
        if node.operator in TABLE:
            try:
                TABLE[node.operator](writer, node)
            except (ValueError, TypeError, IndexError, KeyError, AttributeError) as error:
                raise node.unsupported(f"its inputs or attributes are not those of the operator ({error})") from error
    constants = {node.name for node in graph.nodes if node.operator == "Const"}
    if constants.intersection(graph.outputs) or graph.image.name in graph.outputs:
        raise ModelError(f"{graph.files[0]}: an output is what was given. Get the file again.")
    made = helper.make_graph(
        writer.nodes,
        "network",
        [_value(graph.image.name, _stated(graph))],
        [_value(name, None) for name in graph.outputs],
        list(writer.initialisers.values()),
    )
    versions = [helper.make_opsetid("", OPSET)]
    return helper.make_model(made, producer_name="tensorflow.js", opset_imports=versions, ir_version=IR_VERSION)


def _stated(graph: TfGraph) -> Sequence[int | None]:
    """Return the shape that the input states; where it states none, it is taken for an image."""
    try:
        return graph.image.shape() or [None] * 4
    except (ValueError, TypeError, AttributeError) as error:
        raise graph.image.unsupported(f"its shape is none ({error})") from error


def _value(name: str, shape: Sequence[int | None] | None) -> ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, None if shape is None else list(shape))


def _turn_outputs(model: ModelProto) -> None:
    """Put channels first in outputs that are images."""
    shapes, taken = shapes_of(model), names_in(model)
    for output in model.graph.output:
        if len(shapes.sizes.get(output.name) or ()) == 4:
            inner = free_name(taken, output.name)
            for node in model.graph.node:
                node.input[:] = [inner if name == output.name else name for name in node.input]
                node.output[:] = [inner if name == output.name else name for name in node.output]
            turn = helper.make_node("Transpose", [inner], [output.name], name=output.name, perm=TO_NCHW)
            model.graph.node.append(turn)
