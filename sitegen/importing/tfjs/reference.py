"""TensorFlow.js graph models run by NumPy, in float64: what an import is compared with.

This follows TensorFlow's definitions of its operators and knows nothing of ONNX, nor of the rules by which graphs are
converted. Images have channels last within; those of nodes that say NCHW are turned before and after. TensorFlow.js
itself reads the strides of such nodes as if channels were last, and adds their biases to the last axis; this does what
TensorFlow defines.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from sitegen.importing.tfjs.files import TfGraph
from sitegen.importing.tfjs.nodes import TfNode, slices

Values = NDArray[Any]
Pair = tuple[int, int]


def evaluate(
    graph: TfGraph,
    given: Values,
    left_out: Collection[str] = (),
    wanted: Sequence[str] = (),
    kind: type[np.floating[Any]] = np.float64,
) -> dict[str, Values]:
    """Return what is wanted of a graph, its outputs if nothing is named, for its one input as the graph takes it.

    Nodes that are left out give what they read. `kind` is the type to compute with.
    """
    values: dict[str, Values] = {}
    for node in graph.nodes:
        if node.operator == "Const":
            stored = graph.weights[node.name]
            values[node.name] = stored.astype(kind) if stored.dtype.kind == "f" else stored
        elif node.operator == "Placeholder":
            values[node.name] = given.astype(kind)
        elif node.name in left_out:
            values[node.name] = values[node.inputs[0]]
        else:
            values[node.name] = _OPERATORS[node.operator](node, [values[name] for name in node.inputs])
    return {name: values[name] for name in wanted or graph.outputs}


def _activated(kind: str, x: Values, node: TfNode) -> Values:
    slope = node.number("alpha", node.number("leakyrelu_alpha", 0.2))
    functions: Mapping[str, Callable[[Values], Values]] = {
        "relu": lambda x: np.maximum(x, 0),
        "relu6": lambda x: np.clip(x, 0, 6),
        "leakyrelu": lambda x: np.where(x < 0, slope * x, x),
        "elu": lambda x: np.where(x < 0, np.expm1(np.minimum(x, 0)), x),
        "sigmoid": lambda x: 0.5 * (1 + np.tanh(0.5 * x)),
        "tanh": np.tanh,
        "softplus": lambda x: np.logaddexp(x, 0),
        "exp": np.exp,
        "softmax": _softmax,
    }
    return functions[kind.lower()](x)


def _softmax(x: Values) -> Values:
    powers = np.exp(x - x.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def _axes_of(node: TfNode, numbers: Sequence[int]) -> Pair:
    rows, columns = (1, 2) if node.text("data_format", "NHWC") == "NHWC" else (2, 3)
    return numbers[rows], numbers[columns]


def _last(node: TfNode, x: Values) -> Values:
    return x if node.text("data_format", "NHWC") == "NHWC" else np.moveaxis(x, 1, -1)


def _back(node: TfNode, x: Values) -> Values:
    return x if node.text("data_format", "NHWC") == "NHWC" else np.moveaxis(x, -1, 1)


def _border(node: TfNode, sizes: Pair, spans: Pair, strides: Pair) -> tuple[Pair, Pair]:
    """Rows before and after, columns before and after, that a convolution of images of this size pads."""
    mode = node.text("padding")
    if mode == "EXPLICIT":
        flat = node.numbers("explicit_paddings")
        before, after = _axes_of(node, flat[0::2]), _axes_of(node, flat[1::2])
        return (before[0], after[0]), (before[1], after[1])
    found = []
    for size, span, stride in zip(sizes, spans, strides, strict=True):
        over = size % stride or stride  # of the last window's step, how much the image has
        total = max(span - over, 0) if mode == "SAME" else 0
        found.append((total // 2, total - total // 2))
    return found[0], found[1]


def _windows(node: TfNode, x: Values, spans: Pair, dilations: Pair, strides: Pair, filler: float) -> Values:
    """[batch, rows, columns, channels, window rows, window columns] of an image with channels last."""
    reach = (dilations[0] * (spans[0] - 1) + 1, dilations[1] * (spans[1] - 1) + 1)
    border = _border(node, (x.shape[1], x.shape[2]), reach, strides)
    padded = np.pad(x, ((0, 0), *border, (0, 0)), constant_values=filler)
    every = sliding_window_view(padded, reach, axis=(1, 2))
    return np.asarray(every[:, :: strides[0], :: strides[1], :, :: dilations[0], :: dilations[1]])


def _convolution(node: TfNode, inputs: list[Values]) -> Values:
    x, kernel, *rest = inputs
    strides = _axes_of(node, node.numbers("strides"))
    dilations = _axes_of(node, node.numbers("dilations", [1, 1, 1, 1]))
    windows = _windows(node, _last(node, x), (kernel.shape[0], kernel.shape[1]), dilations, strides, 0.0)
    if "Depthwise" in node.operator:
        made = np.einsum("nrcxij,ijxm->nrcxm", windows, kernel)
        made = made.reshape(*made.shape[:3], -1)
    else:
        made = np.tensordot(windows, kernel, axes=([4, 5, 3], [0, 1, 2]))
    return _back(node, _fused(node, made, rest))


def _fused(node: TfNode, made: Values, rest: list[Values]) -> Values:
    for kind in node.texts("fused_ops"):
        made = made + rest[0] if kind == "BIASADD" else _activated(kind, made, node)
    return made


def _transposed(node: TfNode, inputs: list[Values]) -> Values:
    """Each element of the input, times the filter, added where the convolution would have read it."""
    wanted, kernel, x = inputs
    rows, columns = _axes_of(node, [int(size) for size in wanted])
    strides, spans = _axes_of(node, node.numbers("strides")), (kernel.shape[0], kernel.shape[1])
    (top, bottom), (left, right) = _border(node, (rows, columns), spans, strides)
    read = _last(node, x)
    made = np.zeros((len(read), rows + top + bottom, columns + left + right, kernel.shape[2]))
    for i in range(spans[0]):
        for j in range(spans[1]):
            place = made[:, i :: strides[0], j :: strides[1]][:, : read.shape[1], : read.shape[2]]
            place += read @ kernel[i, j].T
    return _back(node, made[:, top : top + rows, left : left + columns])


def _pooled(node: TfNode, inputs: list[Values]) -> Values:
    x = _last(node, inputs[0])
    spans, strides = _axes_of(node, node.numbers("ksize")), _axes_of(node, node.numbers("strides"))
    filler = -np.inf if node.operator == "MaxPool" else np.nan
    windows = _windows(node, x, spans, (1, 1), strides, filler)
    return _back(node, windows.max(axis=(4, 5)) if node.operator == "MaxPool" else np.nanmean(windows, axis=(4, 5)))


def _normalised(node: TfNode, inputs: list[Values]) -> Values:
    x, scale, offset, mean, variance = inputs
    away = (_last(node, x) - mean) / np.sqrt(variance + node.number("epsilon", 0.001))
    return _back(node, away * scale + offset)


def _biased(node: TfNode, inputs: list[Values]) -> Values:
    return _back(node, _last(node, inputs[0]) + inputs[1])


def _product(node: TfNode, inputs: list[Values]) -> Values:
    a, b, *rest = inputs
    return _fused(node, (a.T if node.flag("transpose_a") else a) @ (b.T if node.flag("transpose_b") else b), rest)


def _padded(node: TfNode, inputs: list[Values]) -> Values:
    filler = float(inputs[2].reshape(-1)[0]) if len(inputs) > 2 else 0.0
    return np.pad(inputs[0], [(int(before), int(after)) for before, after in inputs[1]], constant_values=filler)


def _reduced(function: Callable[..., Any]) -> Callable[[TfNode, list[Values]], Values]:
    def reduce(node: TfNode, inputs: list[Values]) -> Values:
        axes = tuple(int(axis) for axis in inputs[1].reshape(-1))
        return np.asarray(function(inputs[0], axis=axes, keepdims=node.flag("keep_dims")))

    return reduce


def _squeezed(node: TfNode, inputs: list[Values]) -> Values:
    return np.squeeze(inputs[0], axis=tuple(node.numbers("squeeze_dims", [])) or None)


def _alone(kind: str) -> Callable[[TfNode, list[Values]], Values]:
    return lambda node, inputs: _activated(kind, inputs[0], node)


def _pairwise(function: Callable[..., Any]) -> Callable[[TfNode, list[Values]], Values]:
    return lambda node, inputs: np.asarray(function(inputs[0], inputs[1]))


def _sliced(node: TfNode, inputs: list[Values]) -> Values:
    """By TensorFlow's text: NumPy's own slicing, an index where an axis is dropped."""
    begin, end, step = ([int(number) for number in each] for each in inputs[1:4])
    parts: list[Any] = [Ellipsis if part is None else part for part in slices(node, begin, end, step)]
    for axis in range(len(parts)):
        if node.mask("shrink_axis_mask", axis):
            parts[axis] = begin[axis]
    return np.asarray(inputs[0][tuple(parts)])


def _packed(node: TfNode, inputs: list[Values]) -> Values:
    return np.stack(inputs, axis=int(node.attributes.get("axis", {}).get("i", 0)))


_OPERATORS: dict[str, Callable[[TfNode, list[Values]], Values]] = {
    **{name: _alone(name) for name in ("Relu", "Relu6", "LeakyRelu", "Elu", "Sigmoid", "Tanh", "Softplus", "Exp")},
    **{name: lambda node, inputs: inputs[0] for name in ("Identity", "StopGradient", "Snapshot")},
    **dict.fromkeys(("Conv2D", "_FusedConv2D"), _convolution),
    **dict.fromkeys(("DepthwiseConv2dNative", "FusedDepthwiseConv2dNative"), _convolution),
    **dict.fromkeys(("MaxPool", "AvgPool"), _pooled),
    **dict.fromkeys(("MatMul", "_FusedMatMul"), _product),
    **dict.fromkeys(("Pad", "PadV2"), _padded),
    **dict.fromkeys(("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3"), _normalised),
    **{name: _pairwise(np.add) for name in ("Add", "AddV2")},
    "Sub": _pairwise(np.subtract),
    "Mul": _pairwise(np.multiply),
    "RealDiv": _pairwise(np.divide),
    "Maximum": _pairwise(np.maximum),
    "Minimum": _pairwise(np.minimum),
    "Mean": _reduced(np.mean),
    "Sum": _reduced(np.sum),
    "Max": _reduced(np.max),
    "Min": _reduced(np.min),
    "BiasAdd": _biased,
    "Conv2DBackpropInput": _transposed,
    "Softmax": _alone("softmax"),
    "Transpose": lambda node, inputs: np.transpose(inputs[0], [int(axis) for axis in inputs[1]]),
    "ConcatV2": lambda node, inputs: np.concatenate(inputs[:-1], axis=int(inputs[-1].reshape(-1)[0])),
    "Reshape": lambda node, inputs: inputs[0].reshape([int(size) for size in inputs[1]]),
    "Squeeze": _squeezed,
    "Shape": lambda node, inputs: np.array(inputs[0].shape, np.int64),
    "StridedSlice": _sliced,
    "Pack": _packed,
    "ExpandDims": lambda node, inputs: np.expand_dims(inputs[0], int(inputs[1].reshape(-1)[0])),
}
OPERATORS = frozenset(_OPERATORS)
