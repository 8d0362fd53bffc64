"""Networks of Keras run by NumPy, in float64: what an import is compared with.

This follows Keras's definitions of its layers, on images with channels last, and knows nothing of ONNX or of the rules
by which networks are written in it.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from math import ceil, pi, sqrt
from typing import Any

import numpy as np

from sitegen.importing.keras.activations import Activation, activation_of
from sitegen.importing.keras.network import Network, Step, Values
from sitegen.importing.keras.stated import borders, normalised_by, numbers

Pair = tuple[int, int]
Function = Callable[[Step, Values, dict[str, Values]], Any]  # what a layer makes of its input and its weights


def evaluate(
    network: Network,
    given: Values,
    left_out: Collection[str] = (),
    wanted: Sequence[str] = (),
    kind: type[np.floating[Any]] = np.float64,
) -> dict[str, Values]:
    """Return what is wanted of a network, its outputs if nothing is named, for images [batch, rows, columns, channels].

    Steps that are left out give what they read. `kind` is the type to compute with.
    """
    values: dict[str, Values] = {network.image: given.astype(kind)}
    for step in network.steps:
        inputs = [values[name] if name else step.weights["constant"].astype(kind) for name in step.inputs]
        if step.name in left_out:
            values[step.name] = inputs[0]
        else:
            weights = {role: found.astype(kind) for role, found in step.weights.items()}
            values[step.name] = np.asarray(_compute(step, inputs, weights, network.version), kind)
    return {name: values[name] for name in wanted or network.outputs}


def _compute(step: Step, inputs: list[Values], weights: dict[str, Values], version: int) -> Values:
    if step.kind in _LAYERS:
        return np.asarray(_LAYERS[step.kind](step, inputs[0], weights))
    if step.kind in _MERGING:
        operands = [*inputs, weights["constant"]] if "constant" in weights and "" not in step.inputs else inputs
        return _MERGING[step.kind](step, operands)
    return _activated(activation_of(step.layer, version), inputs[0])


def _places(step: Step, x: Values, size: Pair, filler: float) -> tuple[Values, list[tuple[Pair, tuple[slice, slice]]]]:
    """Return the padded image, and for each place in a window which of its pixels all windows have there."""
    config = step.layer.config
    strides = size if step.kind.endswith("Pooling2D") and config.get("strides") is None else step.layer.pair("strides")
    spread = step.layer.pair("dilation_rate")
    border, counts = [], []
    for length, span, stride, gap in zip(x.shape[1:3], size, strides, spread, strict=True):
        reach = gap * (span - 1) + 1
        if config.get("padding", "valid") == "same":
            count = ceil(length / stride)
            total = max((count - 1) * stride + reach - length, 0)
            border.append((total // 2, total - total // 2))
        else:
            count = (length - reach) // stride + 1
            border.append((0, 0))
        counts.append(count)
    padded = np.pad(x, ((0, 0), *border, (0, 0)), constant_values=filler)
    found = []
    for row in range(size[0]):
        for column in range(size[1]):
            starts = (row * spread[0], column * spread[1])
            ends = [start + (n - 1) * by + 1 for start, n, by in zip(starts, counts, strides, strict=True)]
            rows, columns = (slice(a, b, by) for a, b, by in zip(starts, ends, strides, strict=True))
            found.append(((row, column), (rows, columns)))
    return padded, found


def _shown(step: Step, x: Values, size: Pair, filler: float) -> Iterator[tuple[Pair, Values]]:
    padded, places = _places(step, x, size, filler)
    for place, (rows, columns) in places:
        yield place, padded[:, rows, columns]


def _convolution(step: Step, x: Values, weights: dict[str, Values]) -> Any:
    kernel, groups = weights["kernel"], step.layer.pair("groups")[0]
    parts = []
    for part, filters in zip(np.split(x, groups, axis=-1), np.split(kernel, groups, axis=-1), strict=True):
        parts.append(sum(pixels @ filters[place] for place, pixels in _shown(step, part, kernel.shape[:2], 0.0)))
    return np.concatenate(parts, axis=-1) + weights.get("bias", 0)


def _each_channel(step: Step, x: Values, weights: dict[str, Values]) -> Any:
    kernel = weights["depthwise_kernel"]
    made: Any = 0
    for place, pixels in _shown(step, x, kernel.shape[:2], 0.0):
        made = made + pixels[..., np.newaxis] * kernel[place]
    return made.reshape(*made.shape[:3], -1)


def _depthwise(step: Step, x: Values, weights: dict[str, Values]) -> Any:
    return _each_channel(step, x, weights) + weights.get("bias", 0)


def _separable(step: Step, x: Values, weights: dict[str, Values]) -> Any:
    return _each_channel(step, x, weights) @ weights["pointwise_kernel"][0, 0] + weights.get("bias", 0)


def _normalised(step: Step, x: Values, weights: dict[str, Values]) -> Any:
    deviation = np.sqrt(weights["moving_variance"] + step.layer.number("epsilon", 1e-3))
    return (x - weights["moving_mean"]) / deviation * weights.get("gamma", 1) + weights.get("beta", 0)


def _standardised(step: Step, x: Values, weights: dict[str, Values]) -> Any:
    mean, deviation = normalised_by(step)
    return (x - mean.astype(x.dtype)) / deviation.astype(x.dtype)


def _largest(step: Step, x: Values, weights: dict[str, Values]) -> Any:
    shown = _shown(step, x, step.layer.pair("pool_size", 2), -np.inf)
    return np.max([pixels for _, pixels in shown], axis=0)


def _average(step: Step, x: Values, weights: dict[str, Values]) -> Any:
    """Of those pixels of a window that are in the image."""
    size = step.layer.pair("pool_size", 2)
    totals: Any = sum(pixels for _, pixels in _shown(step, x, size, 0.0))
    return totals / sum(pixels for _, pixels in _shown(step, np.ones_like(x), size, 0.0))


def _over_all(function: Callable[..., Any]) -> Function:
    return lambda step, x, weights: function(x, axis=(1, 2), keepdims=step.layer.flag("keepdims", False))


def _cropped(step: Step, x: Values, weights: dict[str, Values]) -> Any:
    (top, bottom), (left, right) = borders(step.layer, "cropping")
    return x[:, top : x.shape[1] - bottom, left : x.shape[2] - right]


def _rescaled(step: Step, x: Values, weights: dict[str, Values]) -> Any:
    scale, offset = (numbers(step.layer, key, usual) for key, usual in (("scale", 1.0), ("offset", 0.0)))
    return x * scale.astype(x.dtype) + offset.astype(x.dtype)


def _normalised_each(step: Step, x: Values, weights: dict[str, Values]) -> Any:
    away = x - x.mean(axis=-1, keepdims=True)
    deviation = np.sqrt((away**2).mean(axis=-1, keepdims=True) + step.layer.number("epsilon", 1e-3))
    return away / deviation * weights.get("gamma", 1) + weights.get("beta", 0)


def _between(x: Values, axis: int, wanted: int) -> Any:
    """Bilinear along an axis: pixel i of n lies at (i + 0.5) · length / n − 0.5, held inside."""
    places = np.clip((np.arange(wanted) + 0.5) * x.shape[axis] / wanted - 0.5, 0, x.shape[axis] - 1)
    low = np.floor(places).astype(int)
    share = (places - low).reshape([-1 if each == axis else 1 for each in range(x.ndim)]).astype(x.dtype)
    high = np.minimum(low + 1, x.shape[axis] - 1)
    return np.take(x, low, axis) * (1 - share) + np.take(x, high, axis) * share


def _up_sampled(step: Step, x: Values, weights: dict[str, Values]) -> Any:
    rows, columns = step.layer.pair("size", 2)
    if step.layer.config.get("interpolation", "nearest") == "nearest":
        return x.repeat(rows, axis=1).repeat(columns, axis=2)
    return _between(_between(x, 1, rows * x.shape[1]), 2, columns * x.shape[2])


def _resized(step: Step, x: Values, weights: dict[str, Values]) -> Any:
    return _between(_between(x, 1, int(step.layer.config["height"])), 2, int(step.layer.config["width"]))


def _spread(step: Step, x: Values, weights: dict[str, Values]) -> Any:
    """Each pixel times the kernel, added where it goes; "same" keeps the middle, stride times the size."""
    kernel, strides = weights["kernel"], step.layer.pair("strides")
    over = [max(span - stride, 0) for span, stride in zip(kernel.shape[:2], strides, strict=True)]
    sizes = [length * stride for length, stride in zip(x.shape[1:3], strides, strict=True)]
    made = np.zeros((len(x), sizes[0] + over[0], sizes[1] + over[1], kernel.shape[2]), x.dtype)
    for row in range(kernel.shape[0]):
        for column in range(kernel.shape[1]):
            place = made[:, row :: strides[0], column :: strides[1]][:, : x.shape[1], : x.shape[2]]
            place += x @ kernel[row, column].T
    if step.layer.config.get("padding", "valid") == "same":
        made = made[:, over[0] // 2 :][:, : sizes[0], over[1] // 2 :][:, :, : sizes[1]]
    return made + weights.get("bias", 0)


_LAYERS: dict[str, Function] = {
    "LayerNormalization": _normalised_each,
    "UpSampling2D": _up_sampled,
    "Resizing": _resized,
    "Conv2DTranspose": _spread,
    "Conv2D": _convolution,
    "DepthwiseConv2D": _depthwise,
    "SeparableConv2D": _separable,
    "Dense": lambda step, x, weights: x @ weights["kernel"] + weights.get("bias", 0),
    "BatchNormalization": _normalised,
    "Normalization": _standardised,
    "Rescaling": _rescaled,
    "MaxPooling2D": _largest,
    "AveragePooling2D": _average,
    "GlobalAveragePooling2D": _over_all(np.mean),
    "GlobalMaxPooling2D": _over_all(np.max),
    "Flatten": lambda step, x, weights: x.reshape(len(x), -1),
    "Reshape": lambda step, x, weights: x.reshape(len(x), *step.layer.config["target_shape"]),
    "ZeroPadding2D": lambda step, x, weights: np.pad(x, ((0, 0), *borders(step.layer, "padding"), (0, 0))),
    "Cropping2D": _cropped,
    "PReLU": lambda step, x, weights: np.where(x < 0, weights["alpha"] * x, x),
}


def _folded(function: Callable[[Values, Values], Values]) -> Callable[[Step, list[Values]], Values]:
    def fold(step: Step, operands: list[Values]) -> Values:
        made = operands[0]
        for operand in operands[1:]:
            made = function(made, operand)
        return made

    return fold


_MERGING: dict[str, Callable[[Step, list[Values]], Values]] = {
    "Add": _folded(np.add),
    "Subtract": _folded(np.subtract),
    "Multiply": _folded(np.multiply),
    "Divide": _folded(np.divide),
    "Maximum": _folded(np.maximum),
    "Minimum": _folded(np.minimum),
    "Average": lambda step, operands: np.mean(operands, axis=0),
    "Concatenate": lambda step, operands: np.concatenate(operands, axis=int(step.layer.config.get("axis", -1))),
    "CustomScaleLayer": lambda step, operands: operands[0] + step.layer.number("scale", 1.0) * operands[1],
}


def _sigmoid(x: Values) -> Any:
    return 0.5 * (1 + np.tanh(0.5 * x))


def _log_softmax(x: Values, axis: int) -> Any:
    away = x - x.max(axis=axis, keepdims=True)
    return away - np.log(np.exp(away).sum(axis=axis, keepdims=True))


def _erf(x: Values) -> Any:
    from math import erf

    return np.vectorize(erf, otypes=[x.dtype])(x)


def _gelu(x: Values, approximate: bool) -> Any:
    inner = np.tanh(sqrt(2 / pi) * (x + 0.044715 * x**3)) if approximate else _erf(x / sqrt(2))
    return 0.5 * x * (1 + inner)


def _elu(x: Values, alpha: float) -> Any:
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def _activated(found: Activation, x: Values) -> Values:
    """The formulas of keras.activations."""
    kinds: dict[str, Callable[[], Any]] = {
        "linear": lambda: x,
        "relu": lambda: np.minimum(np.where(x < 0, found.slope * x, x), found.ceiling or np.inf),
        "relu6": lambda: np.clip(x, 0, 6),
        "leaky_relu": lambda: np.where(x < 0, found.slope * x, x),
        "elu": lambda: _elu(x, found.alpha),
        "selu": lambda: 1.0507009873554805 * _elu(x, 1.6732632423543772),
        "gelu": lambda: _gelu(x, found.approximate),
        "silu": lambda: x * _sigmoid(x),
        "sigmoid": lambda: _sigmoid(x),
        "hard_sigmoid": lambda: np.clip(found.slope * x + 0.5, 0, 1),
        "hard_silu": lambda: x * np.clip(found.slope * x + 0.5, 0, 1),
        "tanh": lambda: np.tanh(x),
        "softmax": lambda: np.exp(_log_softmax(x, found.axis)),
        "log_softmax": lambda: _log_softmax(x, found.axis),
        "softplus": lambda: np.logaddexp(x, 0),
        "softsign": lambda: x / (1 + np.abs(x)),
        "exponential": lambda: np.exp(x),
        "mish": lambda: x * np.tanh(np.logaddexp(x, 0)),
    }
    return np.asarray(kinds[found.kind]())
