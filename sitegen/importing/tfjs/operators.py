"""The one table: operator of TensorFlow.js -> how it is written in ONNX.

Every rule is literal, also where images have channels last and ONNX wants them first: it then writes a Transpose before
and after. `graph.layout.sink_transposes` cancels those.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from onnx import TensorProto

from sitegen.importing.tfjs.nodes import TfNode, slices
from sitegen.importing.tfjs.writer import TfWriter, is_last, padding, spatial, spatial_pairs

Rule = Callable[[TfWriter, TfNode], None]
TABLE: dict[str, Rule] = {}
NO_RULE_NEEDED = {"Const", "Placeholder"}

# Operators that ONNX has under another name or the same one, with the same inputs and nothing to say of them.
_SAME = {
    **{"Add": "Add", "AddV2": "Add", "Sub": "Sub", "Mul": "Mul", "RealDiv": "Div", "Maximum": "Max", "Minimum": "Min"},
    **{"Relu": "Relu", "Sigmoid": "Sigmoid", "Tanh": "Tanh", "Elu": "Elu", "Softplus": "Softplus", "Exp": "Exp"},
    **{"Identity": "Identity", "StopGradient": "Identity", "Snapshot": "Identity"},
}
_ACTIVATIONS = {"RELU": "Relu", "SIGMOID": "Sigmoid", "TANH": "Tanh", "ELU": "Elu"}


def rule(*operators: str) -> Callable[[Rule], Rule]:
    """Enter a rule into the table."""

    def enter(made: Rule) -> Rule:
        TABLE.update(dict.fromkeys(operators, made))
        return made

    return enter


@rule(*_SAME)
def same(writer: TfWriter, node: TfNode) -> None:
    """The operator of the same meaning; both broadcast alike."""
    writer.write(_SAME[node.operator], [writer.read(node, index) for index in range(len(node.inputs))], node.name)


@rule("Relu6", "LeakyRelu", "Softmax")
def activation(writer: TfWriter, node: TfNode) -> None:
    """Functions of one tensor; LeakyRelu's slope is 0.2 where it is not stated, Softmax goes along the last axis."""
    _activate(writer, node.operator.upper(), writer.read(node, 0), node, node.name)


def _activate(writer: TfWriter, kind: str, name: str, node: TfNode, result: str | None = None) -> str:
    if kind == "RELU6":
        ends = [writer.constant(np.array(end, np.float32), f"{node.name}/end") for end in (0, 6)]
        return writer.write("Clip", [name, *ends], result)
    if kind == "LEAKYRELU":
        slope = node.number("alpha", node.number("leakyrelu_alpha", 0.2))
        return writer.write("LeakyRelu", [name], result, alpha=slope)
    if kind == "SOFTMAX":
        return writer.write("Softmax", [name], result, axis=-1)
    if kind not in _ACTIVATIONS:
        raise node.unsupported(f"the activation {kind!r} is not known")
    return writer.write(_ACTIVATIONS[kind], [name], result)


@rule("BiasAdd")
def bias_add(writer: TfWriter, node: TfNode) -> None:
    """One number for each channel."""
    bias = writer.read(node, 1)
    if not is_last(node):
        bias = writer.constant(writer.value(node, 1).reshape(-1, 1, 1), f"{node.name}/bias")
    writer.write("Add", [writer.read(node, 0), bias], node.name)


@rule("Conv2D", "_FusedConv2D", "DepthwiseConv2dNative", "FusedDepthwiseConv2dNative")
def convolution(writer: TfWriter, node: TfNode) -> None:
    """A filter [rows, columns, in, out], or [rows, columns, channels, multiplier] where channels are not mixed."""
    kernel, group = writer.value(node, 1).transpose(3, 2, 0, 1), 1
    if "Depthwise" in node.operator:
        group = kernel.shape[1]
        kernel = kernel.swapaxes(0, 1).reshape(-1, 1, *kernel.shape[2:])
    inputs = [writer.channels_first(node), writer.constant(kernel, f"{node.name}/kernel")]
    fused = node.texts("fused_ops")
    if "BIASADD" in fused:
        inputs.append(writer.constant(writer.value(node, 2).reshape(-1), f"{node.name}/bias"))
    made = writer.write(
        "Conv",
        inputs,
        group=group,
        strides=spatial(node, node.numbers("strides")),
        dilations=spatial(node, node.numbers("dilations", [1, 1, 1, 1])),
        kernel_shape=list(kernel.shape[2:]),
        **padding(node),
    )
    writer.as_it_was(node, _fused(writer, node, made, fused))


def _fused(writer: TfWriter, node: TfNode, name: str, fused: Sequence[str]) -> str:
    for kind in fused:
        if kind != "BIASADD":
            name = _activate(writer, kind, name, node)
    return name


@rule("Conv2DBackpropInput")
def transposed_convolution(writer: TfWriter, node: TfNode) -> None:
    """The gradient of a convolution with respect to its input, whose size is the first input.

    Padding is that of the convolution from this size: so much is cut off from what all windows together cover, and
    where they cover less, the rest is added at the end.
    """
    sizes, kernel = spatial(node, writer.integers(node, 0)), writer.value(node, 1).transpose(3, 2, 0, 1)
    if set(node.numbers("dilations", [1])) != {1}:
        raise node.unsupported("dilations are not known for it")
    strides, begins, ends, added = spatial(node, node.numbers("strides")), [], [], []
    explicit = np.array(node.numbers("explicit_paddings", [0] * 8) or [0] * 8).reshape(4, 2)
    for size, span, stride, pair in zip(sizes, kernel.shape[2:], strides, spatial_pairs(node, explicit), strict=True):
        if node.text("padding") == "SAME":
            count = -(-size // stride)
            total = max((count - 1) * stride + span - size, 0)
            pair = [total // 2, total - total // 2]
        else:
            count = (size + sum(pair) - span) // stride + 1
        begins.append(pair[0])
        ends.append(pair[1])
        added.append(size - ((count - 1) * stride + span - sum(pair)))
    made = writer.write(
        "ConvTranspose",
        [writer.channels_first(node, 2), writer.constant(kernel, f"{node.name}/kernel")],
        strides=strides,
        pads=[*begins, *ends],
        output_padding=added,
        kernel_shape=list(kernel.shape[2:]),
    )
    writer.as_it_was(node, made)


@rule("MaxPool", "AvgPool")
def pooling(writer: TfWriter, node: TfNode) -> None:
    """The largest, or the average of those elements of a window that are not padding."""
    operator = "MaxPool" if node.operator == "MaxPool" else "AveragePool"
    made = writer.write(
        operator,
        [writer.channels_first(node)],
        kernel_shape=spatial(node, node.numbers("ksize")),
        strides=spatial(node, node.numbers("strides")),
        **padding(node),
    )
    writer.as_it_was(node, made)


@rule("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3")
def batch_normalisation(writer: TfWriter, node: TfNode) -> None:
    """scale · (x − mean) / √(variance + epsilon) + offset."""
    if node.flag("is_training"):
        raise node.unsupported("it is set to training")
    inputs = [writer.channels_first(node), *(writer.read(node, index) for index in range(1, 5))]
    writer.as_it_was(node, writer.write("BatchNormalization", inputs, epsilon=node.number("epsilon", 0.001)))


@rule("MatMul", "_FusedMatMul")
def product(writer: TfWriter, node: TfNode) -> None:
    """The product of two matrices, either transposed before."""
    factors = []
    for index, flag in enumerate(("transpose_a", "transpose_b")):
        if node.flag(flag) and writer.is_constant(node, index):
            factors.append(writer.constant(writer.value(node, index).T, f"{node.name}/transposed"))
        else:
            name = writer.read(node, index)
            factors.append(writer.write("Transpose", [name], perm=[1, 0]) if node.flag(flag) else name)
    fused = node.texts("fused_ops")
    made = writer.write("MatMul", factors, None if fused else node.name)
    if "BIASADD" in fused:
        made = writer.write("Add", [made, writer.read(node, 2)])
    if fused:
        writer.write("Identity", [_fused(writer, node, made, fused)], node.name)


@rule("Pad", "PadV2")
def pad(writer: TfWriter, node: TfNode) -> None:
    """[before, after] for each axis; zeros, or what the third input says."""
    pairs = np.array(writer.integers(node, 1)).reshape(-1, 2)
    pads = writer.constant([int(number) for number in pairs.T.reshape(-1)], f"{node.name}/pads")
    value = [writer.read(node, 2)] if len(node.inputs) > 2 else []
    writer.write("Pad", [writer.read(node, 0), pads, *value], node.name)


@rule("Transpose")
def transpose(writer: TfWriter, node: TfNode) -> None:
    """Axis i of the result is axis permutation[i]."""
    writer.write("Transpose", [writer.read(node, 0)], node.name, perm=writer.integers(node, 1))


@rule("ConcatV2")
def concat(writer: TfWriter, node: TfNode) -> None:
    """The axis is the last input."""
    last = len(node.inputs) - 1
    (axis,) = writer.integers(node, last)
    writer.write("Concat", [writer.read(node, index) for index in range(last)], node.name, axis=axis)


_REDUCTIONS: Mapping[str, str] = {"Mean": "ReduceMean", "Sum": "ReduceSum", "Max": "ReduceMax", "Min": "ReduceMin"}


@rule(*_REDUCTIONS)
def reduction(writer: TfWriter, node: TfNode) -> None:
    """Over the axes of the second input."""
    axes = writer.constant(writer.integers(node, 1), f"{node.name}/axes")
    keep = int(node.flag("keep_dims"))
    writer.write(_REDUCTIONS[node.operator], [writer.read(node, 0), axes], node.name, keepdims=keep)


@rule("Reshape")
def reshape(writer: TfWriter, node: TfNode) -> None:
    """The same elements in the same order, in the shape of the second input; -1 is what fits."""
    if not writer.is_constant(node, 1) and writer.is_size(node.inputs[1]):
        made = writer.write("Cast", [node.inputs[1]], to=TensorProto.INT64)
        writer.write("Reshape", [writer.read(node, 0), made], node.name)
        return
    shape = writer.integers(node, 1)
    if 0 in shape:
        raise node.unsupported(f"its shape {shape} has no elements")
    writer.write("Reshape", [writer.read(node, 0), writer.constant(shape, f"{node.name}/shape")], node.name)


@rule("Squeeze")
def squeeze(writer: TfWriter, node: TfNode) -> None:
    """Without the axes that are named, or without all of size 1."""
    axes = node.numbers("squeeze_dims", [])
    named = [writer.constant(axes, f"{node.name}/axes")] if axes else []
    writer.write("Squeeze", [writer.read(node, 0), *named], node.name)


@rule("ExpandDims")
def expand(writer: TfWriter, node: TfNode) -> None:
    """With an axis of size 1 more."""
    axes = writer.constant(writer.integers(node, 1), f"{node.name}/axes")
    writer.write("Unsqueeze", [writer.read(node, 0), axes], node.name)


@rule("Shape")
def shape_of(writer: TfWriter, node: TfNode) -> None:
    """How long each axis is."""
    writer.write("Shape", [writer.read(node, 0)], node.name)


@rule("Pack")
def pack(writer: TfWriter, node: TfNode) -> None:
    """Put side by side along an axis that is new; numbers of sizes, and tensors alike."""
    axis = int(node.attributes.get("axis", {}).get("i", 0))
    axes, parts = writer.constant([axis], f"{node.name}/axes"), []
    for index, name in enumerate(node.inputs):
        made = writer.write("Unsqueeze", [writer.read(node, index), axes])
        parts.append(writer.write("Cast", [made], to=TensorProto.INT64) if writer.is_size(name) else made)
    writer.write("Concat", parts, node.name, axis=axis)


@rule("StridedSlice")
def strided_slice(writer: TfWriter, node: TfNode) -> None:
    """From begin to end in steps, axis by axis; what masks name is taken whole, or as one element without its axis."""
    begin, end, step = (writer.integers(node, index) for index in (1, 2, 3))
    axes, starts, ends, steps, dropped = [], [], [], [], []
    for axis, part in enumerate(slices(node, begin, end, step)):
        if part is None:
            continue
        place = axis if axis < len(begin) and not _before(node, axis) else axis - len(begin)
        axes.append(place)
        starts.append(part.start if part.start is not None else (0 if part.step > 0 else _FAR))
        ends.append(part.stop if part.stop is not None else (_FAR if part.step > 0 else -_FAR))
        steps.append(part.step)
        if node.mask("shrink_axis_mask", axis):
            dropped.append(place)
    named = [writer.constant(numbers, f"{node.name}/slice") for numbers in (starts, ends, axes, steps)]
    made = writer.write("Slice", [writer.read(node, 0), *named], None if dropped else node.name)
    if dropped:
        writer.write("Squeeze", [made, writer.constant(dropped, f"{node.name}/axes")], node.name)


_FAR = 2**31 - 1


def _before(node: TfNode, axis: int) -> bool:
    """Whether an ellipsis stands before an axis, so that it counts from the end."""
    return any(node.mask("ellipsis_mask", each) for each in range(axis))
