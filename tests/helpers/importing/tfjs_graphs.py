"""A graph model of TensorFlow.js as an ONNX graph with one input of a fixed shape, by the passes of the import."""

from collections.abc import Sequence
from pathlib import Path

from onnx import ModelProto, TensorProto, ValueInfoProto, helper

from sitegen.errors import ModelError
from sitegen.graphs.files import INPUT
from sitegen.importing.graph.folding import fold
from sitegen.importing.graph.image import fix_image, image_slot
from sitegen.importing.graph.layout import sink_transposes
from sitegen.importing.graph.passes import free_name, merge_pads, name_nodes, names_in, rename, with_fixed_pads
from sitegen.importing.graph.shapes import shapes_of
from sitegen.importing.tfjs.files import read_tfjs
from sitegen.importing.tfjs.graph import literal
from sitegen.importing.tfjs.writer import TO_NCHW


def to_onnx(path: Path, shape: Sequence[int]) -> ModelProto:
    """The model in `path` (model.json or its folder) as a graph of opset 18 with the input "image".

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
            model.graph.input[0].CopyFrom(value(model.graph.input[0].name, shape))
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
        known = shapes.fixed(output.name)
        assert known is not None
        output.CopyFrom(value(output.name, known))
    return model


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


def value(name: str, shape: Sequence[int]) -> ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape))
