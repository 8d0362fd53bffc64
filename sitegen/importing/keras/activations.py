"""Activations of Keras, whichever way a model states them: by name, as an argument of a layer, or as a layer.

The formulas are those of `keras.activations` and `keras.layers`. One changed between versions: the hard sigmoid is
clip(0.2 x + 0.5, 0, 1) before Keras 3 and in TensorFlow.js, and clip(x / 6 + 0.5, 0, 1) from Keras 3 on. A model is
taken as the version that wrote it computes it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sitegen.importing.keras.network import Layer, as_number, is_whole

_NAMES = {
    *("linear", "relu", "relu6", "leaky_relu", "elu", "selu", "gelu", "silu", "sigmoid", "hard_sigmoid", "hard_silu"),
    *("tanh", "softmax", "log_softmax", "softplus", "softsign", "exponential", "mish"),
}
_ALSO = {"swish": "silu", "hard_swish": "hard_silu", "exp": "exponential", "identity": "linear"}
_OF_LAYERS = {"ReLU": "relu", "LeakyReLU": "leaky_relu", "ELU": "elu", "Softmax": "softmax", "PReLU": "prelu"}
KINDS = {*_OF_LAYERS, "Activation"}


@dataclass(frozen=True)
class Activation:
    """A function of each element, or of each row along `axis`.

    `slope` is that of negative numbers (leaky_relu, relu), or of the middle (hard_sigmoid); `alpha` elu's limit;
    `ceiling` the largest result of relu; `approximate` says that gelu is the one made of tanh.
    """

    kind: str
    slope: float = 0.0
    alpha: float = 1.0
    ceiling: float | None = None
    axis: int = -1
    approximate: bool = False


def argument(layer: Layer) -> Layer | None:
    """Return the activation that a layer has as its argument, as a layer; None where it has none, or the linear one."""
    stated = layer.config.get("activation")
    if stated is None or stated == "linear" or layer.kind in KINDS:
        return None
    return Layer("Activation", layer.place, {"activation": stated})


def activation_of(layer: Layer, version: int) -> Activation:
    """Return the function of an activation layer, of a model that this version of Keras wrote. Raises ModelError."""
    if layer.kind == "Activation":
        kind, config = _stated(layer, layer.config.get("activation"))
    else:
        kind, config = _OF_LAYERS[layer.kind], layer.config
    inner = Layer(layer.kind, layer.place, config)
    if inner.number("threshold", inner.number("theta", 0.0)) != 0:
        raise layer.unsupported("a threshold other than 0 is not known for it")
    alpha = inner.number("alpha", 1.0)
    ceiling = config.get("max_value")
    return Activation(
        kind,
        slope=_slope(inner, kind, version),
        alpha=alpha,
        ceiling=6.0 if kind == "relu6" else None if ceiling is None else as_number(inner, "max_value", ceiling),
        axis=_axis(inner),
        approximate=inner.flag("approximate", False),
    )


def _stated(layer: Layer, stated: Any) -> tuple[str, Mapping[str, Any]]:
    """Return the name and the configuration of what stands for an activation. Raises ModelError."""
    config: Mapping[str, Any] = layer.config
    if isinstance(stated, dict):
        kind, inner = str(stated.get("class_name")), stated.get("config")
        if kind in _OF_LAYERS and isinstance(inner, dict):
            return _OF_LAYERS[kind], inner
        stated = inner if kind == "function" else f"{kind} {inner if isinstance(inner, str) else ''}".strip()
    name = _ALSO.get(str(stated), str(stated))
    if name not in _NAMES:
        raise layer.unsupported(f"the activation {str(stated)[:80]!r} is not one of Keras, and code is not run")
    return name, config


def _slope(layer: Layer, kind: str, version: int) -> float:
    if kind == "hard_sigmoid" or kind == "hard_silu":
        return 0.2 if version < 3 and kind == "hard_sigmoid" else 1 / 6
    usual = {"leaky_relu": 0.3 if layer.kind == "LeakyReLU" else 0.2}.get(kind, 0.0)
    old = layer.number("alpha", usual) if kind == "leaky_relu" else usual
    return layer.number("negative_slope", old)


def _axis(layer: Layer) -> int:
    found = layer.config.get("axis")
    found = found[0] if isinstance(found, list) and len(found) == 1 else found
    found = -1 if found is None else found
    if not is_whole(found):
        raise layer.unsupported(f"axis is {found!r}, not one whole number")
    return int(found)
