"""Which input of an ONNX graph is the image, how its axes lie, and which output has a number for each finding."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto, helper

from sitegen.errors import ModelError
from sitegen.importing.graph.passes import add_constant, attribute, free_name, names_in
from sitegen.importing.graph.shapes import Shapes, declared

COLOURS = {1: "grey", 3: "rgb"}
_TO_NHWC = (0, 2, 3, 1)
_TO_NCHW = (0, 3, 1, 2)
# What may come between an image and the first convolution, and leaves the axes as they are.
_ON_THE_WAY = {"Add", "BatchNormalization", "Cast", "Clip", "Div", "Identity", "Mul", "Pad", "Sub"}


@dataclass(frozen=True)
class ImageSlot:
    """The image input of a graph; what the graph leaves open is None. `last` says that channels are the last axis.

    `levels` says that it takes bytes, 0 to 255.
    """

    name: str
    last: bool
    batch: int | None
    channels: int | None
    rows: int | None
    columns: int | None
    levels: bool = False

    @property
    def side(self) -> int | tuple[int, int] | None:
        """Return an image's side, or rows and columns where it is no square; None where the graph does not say.

        Where it states one of the two, both may be that; it has to be asked.
        """
        rows, columns = self.rows or self.columns, self.columns or self.rows
        return rows if rows is None or columns is None or rows == columns else (rows, columns)

    @property
    def colour(self) -> str | None:
        """Return "grey" or "rgb", None where the graph does not say."""
        return None if self.channels is None else COLOURS[self.channels]


def image_slot(model: ModelProto) -> ImageSlot:
    """Return the image input. Raises ModelError where there is none, or more than one input, or it is no image.

    Where the stated shape does not tell which axis has the channels, the first convolution does; where nothing does,
    they are taken to come before rows and columns, as in most ONNX files.
    """
    stored = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in stored]
    shapes = {value.name: declared(value) for value in inputs}
    if len(inputs) != 1:
        raise ModelError(
            f"The model has {len(inputs)} inputs, {shapes}, and takes one image only. Export it with one input."
        )
    (value,) = inputs
    sizes = shapes[value.name]
    if value.type.tensor_type.elem_type != TensorProto.FLOAT or sizes is None or len(sizes) != 4:
        raise ModelError(
            f"The input {value.name!r} is {_described(value)}, not a batch of images as floating-point numbers with "
            "four axes. Export the model so that it takes [batch, channels, rows, columns], or channels last."
        )
    last, by_convolution = _axes(model, value.name, sizes)
    channels = sizes[3 if last else 1] or by_convolution
    rows, columns = sizes[1:3] if last else sizes[2:4]
    if channels is not None and channels not in COLOURS:
        raise ModelError(f"The input {value.name!r} has {channels} channels; an image has 1 (grey) or 3 (rgb).")
    return ImageSlot(value.name, last, sizes[0], channels, rows, columns)


def as_numbers(model: ModelProto) -> bool:
    """Let an input of bytes be one of float32, with the same values; return whether it was."""
    stored = {tensor.name for tensor in model.graph.initializer}
    inputs = [value.type.tensor_type for value in model.graph.input if value.name not in stored]
    if len(inputs) != 1 or inputs[0].elem_type != TensorProto.UINT8:
        return False
    inputs[0].elem_type = TensorProto.FLOAT
    del model.graph.value_info[:]  # where other types may be stated
    return True


def _axes(model: ModelProto, name: str, sizes: Sequence[int | None]) -> tuple[bool, int | None]:
    """Return whether channels are the last axis, and how many the first convolution reads, None where unknown."""
    permutation, channels = _first_convolution(model, name)
    first, last = sizes[1] in COLOURS, sizes[3] in COLOURS
    if first != last:
        return last, channels
    return permutation == _TO_NCHW, channels


def _first_convolution(model: ModelProto, name: str) -> tuple[tuple[int, ...], int | None]:
    """Return how axes are permuted on the way to the first convolution, and how many channels that reads."""
    weights = {tensor.name: tuple(tensor.dims) for tensor in model.graph.initializer}
    permutation: tuple[int, ...] = (0, 1, 2, 3)
    reached = {name}
    for node in model.graph.node:
        if not reached.intersection(node.input):
            continue
        if node.op_type == "Conv" and len(shape := weights.get(node.input[1], ())) == 4:
            return permutation, shape[1] * attribute(node, "group", 1)
        if node.op_type == "Transpose" and sorted(turn := attribute(node, "perm", ())) == [0, 1, 2, 3]:
            permutation = tuple(permutation[axis] for axis in turn)
        elif node.op_type not in _ON_THE_WAY:
            continue
        reached.update(node.output)
    return permutation, None


def fix_image(model: ModelProto, slot: ImageSlot, shape: Sequence[int]) -> None:
    """Make the input float32 of the fixed `shape` [1, channels, side, side], and forget all shapes that follow.

    Where the graph has channels last, a transpose is put in front. Precondition: `slot` is that of the model.
    """
    graph = model.graph
    (value,) = graph.input
    value.CopyFrom(helper.make_tensor_value_info(slot.name, TensorProto.FLOAT, list(shape)))
    if slot.last:
        inner = free_name(names_in(model), slot.name)
        for node in graph.node:
            node.input[:] = [inner if name == slot.name else name for name in node.input]
        turn = helper.make_node("Transpose", [slot.name], [inner], name=inner, perm=_TO_NHWC)
        nodes = [turn, *graph.node]
        del graph.node[:]
        graph.node.extend(nodes)
    del graph.value_info[:]
    for output in graph.output:
        output.type.tensor_type.ClearField("shape")


def findings_outputs(model: ModelProto, shapes: Shapes) -> Iterator[tuple[str, int]]:
    """Yield the outputs that may have one number for each finding, each with how many it has.

    Those are floating-point outputs for one image of which all axes but one have the size 1; some have one axis alone,
    or none, where a network left out what has the size 1.
    """
    for output in model.graph.output:
        sizes = shapes.fixed(output.name)
        if sizes is None or shapes.types.get(output.name) != TensorProto.FLOAT or (len(sizes) > 1 and sizes[0] != 1):
            continue
        longer = [size for size in sizes if size != 1]
        if len(longer) < 2:
            yield output.name, longer[0] if longer else 1


def keep_output(model: ModelProto, name: str, shapes: Shapes) -> None:
    """Make `name` the model's only output, of the shape [1, labels].

    Precondition: `findings_outputs` yields it for the model. What nothing needs any more stays.
    """
    graph = model.graph
    sizes = shapes.fixed(name) or ()
    labels = max(sizes, default=1)
    del graph.output[:]
    if len(sizes) != 2:
        taken = names_in(model)
        flat, form = free_name(taken, name), add_constant(model, np.array([1, labels]), f"{name}_form", taken)
        graph.node.append(helper.make_node("Reshape", [name, form], [flat], name=flat))
        name = flat
    graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, labels]))


def labels_of_output(model: ModelProto) -> int:
    """Return how many findings the only output has. Precondition: its shape is stated."""
    return int(model.graph.output[0].type.tensor_type.shape.dim[-1].dim_value)


def _described(value: ValueInfoProto) -> str:
    kind = TensorProto.DataType.Name(value.type.tensor_type.elem_type).lower()
    sizes = declared(value)
    return f"{kind} of {'unknown shape' if sizes is None else [size or '?' for size in sizes]}"


def producer(model: ModelProto, name: str) -> NodeProto | None:
    """Return the node that makes a tensor, None for inputs and constants."""
    return next((node for node in model.graph.node if name in node.output), None)
