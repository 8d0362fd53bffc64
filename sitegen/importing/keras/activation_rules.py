"""Activations of Keras in ONNX."""

from collections.abc import Callable
from math import pi, sqrt

import numpy as np

from sitegen.importing.keras.activations import Activation, activation_of
from sitegen.importing.keras.network import Step
from sitegen.importing.keras.rules import KerasWriter, rule

Function = Callable[[KerasWriter, Activation, str, str], object]  # writer, activation, what is read, the result

_PLAIN = {
    **{"linear": "Identity", "sigmoid": "Sigmoid", "tanh": "Tanh", "softplus": "Softplus", "softsign": "Softsign"},
    **{"exponential": "Exp", "selu": "Selu"},
}


@rule("Activation", "ReLU", "LeakyReLU", "ELU", "Softmax")
def activation(writer: KerasWriter, step: Step) -> None:
    """A function of each element, or along an axis."""
    found, name = activation_of(step.layer, writer.version), step.inputs[0]
    if found.kind in _PLAIN:
        writer.write(_PLAIN[found.kind], [name], step.name)
    elif found.kind in ("softmax", "log_softmax"):
        writer.write("Softmax" if found.kind == "softmax" else "LogSoftmax", [name], step.name, axis=found.axis)
    else:
        _FUNCTIONS[found.kind](writer, found, name, step.name)


@rule("PReLU")
def parametric(writer: KerasWriter, step: Step) -> None:
    """max(x, 0) + alpha · min(x, 0), with an alpha of its own for each place or channel."""
    writer.write("PRelu", [step.inputs[0], writer.weight(step, "alpha", step.weights["alpha"][np.newaxis])], step.name)


def _number(writer: KerasWriter, value: float, name: str) -> str:
    return writer.constant(np.array(value, np.float32), f"{name}/number")


def _relu(writer: KerasWriter, found: Activation, given: str, name: str) -> None:
    if found.ceiling is None:
        _rectified(writer, found, given, name)
    elif found.slope == 0:
        writer.write("Clip", [given, _number(writer, 0, name), _number(writer, found.ceiling, name)], name)
    else:
        writer.write("Min", [_rectified(writer, found, given, None), _number(writer, found.ceiling, name)], name)


def _rectified(writer: KerasWriter, found: Activation, given: str, name: str | None) -> str:
    if found.slope == 0:
        return writer.write("Relu", [given], name)
    return writer.write("LeakyRelu", [given], name, alpha=found.slope)


def _hard_sigmoid(writer: KerasWriter, found: Activation, given: str, name: str | None) -> str:
    return writer.write("HardSigmoid", [given], name, alpha=found.slope, beta=0.5)


def _gelu(writer: KerasWriter, found: Activation, given: str, name: str) -> None:
    """x/2 · (1 + erf(x/√2)), or x/2 · (1 + tanh(√(2/π) · (x + 0.044715 x³)))."""
    if found.approximate:
        square = writer.write("Mul", [given, given])
        factor = writer.write("Mul", [square, _number(writer, 0.044715 * sqrt(2 / pi), name)])
        both = writer.write("Add", [factor, _number(writer, sqrt(2 / pi), name)])
        inner = writer.write("Tanh", [writer.write("Mul", [both, given])])
    else:
        inner = writer.write("Erf", [writer.write("Mul", [given, _number(writer, sqrt(0.5), name)])])
    share = writer.write("Mul", [writer.write("Add", [inner, _number(writer, 1, name)]), _number(writer, 0.5, name)])
    writer.write("Mul", [given, share], name)


def _elu(writer: KerasWriter, found: Activation, given: str, name: str) -> None:
    writer.write("Elu", [given], name, alpha=found.alpha)


def _silu(writer: KerasWriter, found: Activation, given: str, name: str) -> None:
    writer.write("Mul", [given, writer.write("Sigmoid", [given])], name)


def _hard_silu(writer: KerasWriter, found: Activation, given: str, name: str) -> None:
    writer.write("Mul", [given, _hard_sigmoid(writer, found, given, None)], name)


def _mish(writer: KerasWriter, found: Activation, given: str, name: str) -> None:
    writer.write("Mul", [given, writer.write("Tanh", [writer.write("Softplus", [given])])], name)


_FUNCTIONS: dict[str, Function] = {
    **{"relu": _relu, "relu6": _relu, "leaky_relu": _rectified, "hard_sigmoid": _hard_sigmoid, "elu": _elu},
    **{"silu": _silu, "hard_silu": _hard_silu, "mish": _mish, "gelu": _gelu},
}
