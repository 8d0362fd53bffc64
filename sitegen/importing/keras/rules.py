"""The one table: layer of Keras -> how it is written in ONNX.

Every rule is literal. Images have channels last; what ONNX has for channels first alone gets a Transpose before and
after, which `graph.layout.sink_transposes` cancels.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sitegen.importing.graph.writing import NodeWriter
from sitegen.importing.keras.network import Layer, Step, Values, is_whole
from sitegen.importing.keras.stated import borders, numbers

TO_NCHW, TO_NHWC = (0, 3, 1, 2), (0, 2, 3, 1)
Rule = Callable[["KerasWriter", Step], None]
TABLE: dict[str, Rule] = {}


class KerasWriter(NodeWriter):
    """Writes the nodes of steps; a step's result has the step's name. `ranks` are the numbers of axes by name."""

    def __init__(self, steps: Sequence[Step], image: str, version: int) -> None:
        super().__init__([image, *(step.name for step in steps)])
        self.ranks = {image: 4}
        self.version = version

    def rank(self, step: Step, *allowed: int) -> int:
        """Return the number of axes of what a step reads first. Raises ModelError where it is not allowed."""
        found = max(self.ranks[name] for name in step.inputs if name)
        if allowed and found not in allowed:
            raise step.layer.unsupported(f"it is given {found} axes instead of {' or '.join(map(str, allowed))}")
        return found

    def weight(self, step: Step, role: str, values: Values | None = None) -> str:
        """Add a weight in float32, as it is or as given, and return its name."""
        return self.constant(
            np.asarray(step.weights[role] if values is None else values, np.float32), f"{step.name}/{role}"
        )

    def first(self, step: Step) -> str:
        """Return an image that a step reads as [batch, channels, rows, columns]."""
        self.rank(step, 4)
        return self.write("Transpose", [step.inputs[0]], perm=TO_NCHW)

    def last(self, step: Step, name: str) -> None:
        """Make an image [batch, channels, rows, columns] a step's result."""
        self.write("Transpose", [name], step.name, perm=TO_NHWC)


def rule(*kinds: str) -> Callable[[Rule], Rule]:
    """Enter a rule into the table."""

    def enter(made: Rule) -> Rule:
        TABLE.update(dict.fromkeys(kinds, made))
        return made

    return enter


def padding(layer: Layer) -> dict[str, Any]:
    """Return the attributes of ONNX that pad as a layer says: "same" puts what is odd behind."""
    mode = layer.text("padding", "valid")
    if mode not in ("same", "valid"):
        raise layer.unsupported(f"the padding {mode!r} is not known")
    return {"auto_pad": "SAME_UPPER"} if mode == "same" else {"pads": [0, 0, 0, 0]}


def checked(step: Step, role: str, shape: Sequence[int | None]) -> Values:
    """Return a weight of a shape, None for any size. Raises ModelError where it has another."""
    values = step.weights[role]
    fits = len(shape) == values.ndim and all(b in (None, a) for a, b in zip(values.shape, shape, strict=True))
    if not fits:
        raise step.layer.unsupported(f"its {role} has the shape {list(values.shape)}, which does not fit its settings")
    return values


def _spaced(layer: Layer, size: Sequence[int]) -> dict[str, Any]:
    """Return steps and padding of a convolution. Engines take no "same" for spread kernels, whose steps are of 1."""
    strides, spread = layer.pair("strides"), layer.pair("dilation_rate")
    padded = padding(layer)
    if spread != (1, 1) and "auto_pad" in padded:
        if strides != (1, 1):
            raise layer.unsupported("it has both strides and a dilation_rate")
        totals = [gap * (span - 1) for gap, span in zip(spread, size, strict=True)]
        padded = {"pads": [*(total // 2 for total in totals), *(total - total // 2 for total in totals)]}
    return {"strides": strides, "dilations": spread, **padded}


def _bias(writer: KerasWriter, step: Step, count: int) -> list[str]:
    if "bias" not in step.weights:
        return []
    return [writer.weight(step, "bias", checked(step, "bias", [count]))]


@rule("Conv2D")
def convolution(writer: KerasWriter, step: Step) -> None:
    """A kernel [rows, columns, channels of a group, filters]."""
    groups, filters = step.layer.pair("groups")[0], step.layer.config.get("filters")
    kernel = checked(
        step, "kernel", [*step.layer.pair("kernel_size", None), None, filters if is_whole(filters) else None]
    )
    inputs = [writer.first(step), writer.weight(step, "kernel", kernel.transpose(3, 2, 0, 1))]
    inputs += _bias(writer, step, kernel.shape[3])
    writer.last(step, writer.write("Conv", inputs, group=groups, **_spaced(step.layer, kernel.shape[:2])))


def _depthwise(writer: KerasWriter, step: Step, bias: bool) -> str:
    """A kernel [rows, columns, channels, multiplier], each channel by itself; results of a channel lie together."""
    kernel = checked(step, "depthwise_kernel", [*step.layer.pair("kernel_size", None), None, None])
    channels, multiplier = kernel.shape[2:]
    turned = kernel.transpose(2, 3, 0, 1).reshape(channels * multiplier, 1, *kernel.shape[:2])
    inputs = [writer.first(step), writer.weight(step, "depthwise_kernel", turned)]
    inputs += _bias(writer, step, channels * multiplier) if bias else []
    return writer.write("Conv", inputs, group=channels, **_spaced(step.layer, kernel.shape[:2]))


@rule("DepthwiseConv2D")
def depthwise(writer: KerasWriter, step: Step) -> None:
    """A convolution of each channel by itself."""
    writer.last(step, _depthwise(writer, step, bias=True))


@rule("SeparableConv2D")
def separable(writer: KerasWriter, step: Step) -> None:
    """A convolution of each channel by itself, and one of single pixels after it."""
    point = checked(step, "pointwise_kernel", [1, 1, None, None])
    inputs = [
        _depthwise(writer, step, bias=False),
        writer.weight(step, "pointwise_kernel", point.transpose(3, 2, 0, 1)),
    ]
    writer.last(step, writer.write("Conv", [*inputs, *_bias(writer, step, point.shape[3])]))


@rule("Dense")
def dense(writer: KerasWriter, step: Step) -> None:
    """A kernel [in, units], along the last axis."""
    kernel = checked(step, "kernel", [None, None])
    bias = _bias(writer, step, kernel.shape[1])
    made = writer.write("MatMul", [step.inputs[0], writer.weight(step, "kernel")], None if bias else step.name)
    if bias:
        writer.write("Add", [made, *bias], step.name)


def check_last(step: Step, rank: int) -> None:
    """Raise ModelError unless a layer works along the last of so many axes."""
    stated = step.layer.config.get("axis", -1)
    axis = stated[0] if isinstance(stated, list) and len(stated) == 1 else stated
    if axis not in (-1, rank - 1):
        raise step.layer.unsupported(f"its axis is {stated!r}, and channels are the last")


@rule("MaxPooling2D", "AveragePooling2D")
def pooling(writer: KerasWriter, step: Step) -> None:
    """The largest of a window, or the average of what is not padding."""
    size = step.layer.pair("pool_size", 2)
    strides = step.layer.pair("strides") if step.layer.config.get("strides") is not None else size
    operator = "MaxPool" if step.kind == "MaxPooling2D" else "AveragePool"
    made = writer.write(operator, [writer.first(step)], kernel_shape=size, strides=strides, **padding(step.layer))
    writer.last(step, made)


@rule("GlobalAveragePooling2D", "GlobalMaxPooling2D")
def global_pooling(writer: KerasWriter, step: Step) -> None:
    """Over rows and columns, which stay as axes of size 1 where `keepdims` says so."""
    writer.rank(step, 4)
    keep = step.layer.flag("keepdims", False)
    operator = "ReduceMean" if step.kind == "GlobalAveragePooling2D" else "ReduceMax"
    axes = writer.constant([1, 2], f"{step.name}/axes")
    writer.write(operator, [step.inputs[0], axes], step.name, keepdims=int(keep))
    writer.ranks[step.name] = 4 if keep else 2


@rule("Flatten")
def flatten(writer: KerasWriter, step: Step) -> None:
    """Rows, columns, channels, in this order."""
    writer.write("Flatten", [step.inputs[0]], step.name, axis=1)
    writer.ranks[step.name] = 2


@rule("Reshape")
def reshape(writer: KerasWriter, step: Step) -> None:
    """The same elements in the same order; -1 is what fits. The first axis stays, with one image."""
    target = step.layer.config.get("target_shape")
    if (
        not isinstance(target, list)
        or not target
        or not all(is_whole(size) and (size > 0 or size == -1) for size in target)
    ):
        raise step.layer.unsupported(f"target_shape is {target!r}")
    writer.write("Reshape", [step.inputs[0], writer.constant([1, *target], f"{step.name}/shape")], step.name)
    writer.ranks[step.name] = len(target) + 1


@rule("ZeroPadding2D")
def zero_padding(writer: KerasWriter, step: Step) -> None:
    """Zeros around rows and columns."""
    writer.rank(step, 4)
    (top, bottom), (left, right) = borders(step.layer, "padding")
    pads = writer.constant([0, top, left, 0, 0, bottom, right, 0], f"{step.name}/pads")
    writer.write("Pad", [step.inputs[0], pads], step.name)


@rule("Cropping2D")
def cropping(writer: KerasWriter, step: Step) -> None:
    """Without rows and columns at the edges."""
    writer.rank(step, 4)
    (top, bottom), (left, right) = borders(step.layer, "cropping")
    ends = [-bottom if bottom else 1 << 40, -right if right else 1 << 40]
    given = [
        writer.constant(values, f"{step.name}/{what}")
        for what, values in (("starts", [top, left]), ("ends", ends), ("axes", [1, 2]))
    ]
    writer.write("Slice", [step.inputs[0], *given], step.name)


_SCALED = (("scale", 1.0), ("offset", 0.0))


@rule("Rescaling")
def rescaling(writer: KerasWriter, step: Step) -> None:
    """scale · x + offset, one number or one for each channel."""
    scale, offset = (writer.constant(numbers(step.layer, key, usual), f"{step.name}/{key}") for key, usual in _SCALED)
    writer.write("Add", [writer.write("Mul", [step.inputs[0], scale]), offset], step.name)


_PAIRWISE = {"Add": "Add", "Subtract": "Sub", "Multiply": "Mul", "Divide": "Div", "Maximum": "Max", "Minimum": "Min"}


@rule(*_PAIRWISE, "Average")
def pairwise(writer: KerasWriter, step: Step) -> None:
    """Element by element, of all inputs; of functions, a number may be one of them."""
    names = [name or writer.weight(step, "constant") for name in step.inputs]
    if "constant" in step.weights and "" not in step.inputs:
        names.append(writer.weight(step, "constant"))
    operator = _PAIRWISE.get(step.kind, "Add")
    made = names[0]
    for at, name in enumerate(names[1:], 2):
        made = writer.write(operator, [made, name], step.name if at == len(names) and step.kind != "Average" else None)
    if step.kind == "Average":
        share = writer.constant(np.array(1 / len(names), np.float32), f"{step.name}/share")
        writer.write("Mul", [made, share], step.name)
    elif len(names) == 1:
        writer.write("Identity", names, step.name)


@rule("Concatenate")
def concatenate(writer: KerasWriter, step: Step) -> None:
    """Side by side along an axis, the last if none is stated."""
    axis = step.layer.config.get("axis", -1)
    if not is_whole(axis) or axis == 0:
        raise step.layer.unsupported(f"its axis is {axis!r}")
    writer.write("Concat", list(step.inputs), step.name, axis=axis)


@rule("CustomScaleLayer")
def scaled_sum(writer: KerasWriter, step: Step) -> None:
    """a + scale · b, of InceptionResNetV2."""
    if len(step.inputs) != 2:
        raise step.layer.unsupported("it is not given two tensors")
    scale = writer.constant(np.array(step.layer.number("scale", 1.0), np.float32), f"{step.name}/scale")
    writer.write("Add", [step.inputs[0], writer.write("Mul", [step.inputs[1], scale])], step.name)
