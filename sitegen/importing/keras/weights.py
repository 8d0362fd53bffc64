"""Which numbers belong to which layer: by the order that Keras keeps, or by the names in the file.

Three forms exist. Files of Keras 3 have a place for each layer, made of its class and a count. Older HDF5 files have a
group for each layer of the outermost model, with a list of names; the weights of a model within lie in one group.
TensorFlow.js has one list of names for all.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from sitegen.errors import ModelError
from sitegen.importing.keras.network import Layer, Values

_SHORT = {"W": "kernel", "b": "bias", "running_mean": "moving_mean", "running_std": "moving_variance"}
_ROLES = (
    *("depthwise_kernel", "pointwise_kernel", "kernel", "bias", "gamma", "beta", "moving_mean", "moving_variance"),
    *("mean", "variance", "count", "alpha", "running_mean", "running_std", "W", "b"),
)


class Weights(Protocol):
    """A model's weights, wherever they are."""

    def of(self, layer: Layer, roles: Sequence[str]) -> Mapping[str, Values]:
        """Return a layer's weights by their roles, which are given in Keras's order. Raises ModelError."""


def roles_of(layer: Layer) -> tuple[str, ...]:
    """Return the roles of a layer's weights, in the order in which Keras keeps them."""
    if layer.kind == "BatchNormalization":
        learned = [role for role, key in (("gamma", "scale"), ("beta", "center")) if layer.flag(key, True)]
        return (*learned, "moving_mean", "moving_variance")
    if layer.kind == "LayerNormalization":
        return tuple(role for role, key in (("gamma", "scale"), ("beta", "center")) if layer.flag(key, True))
    if layer.kind == "Normalization":
        return () if layer.config.get("mean") is not None else ("mean", "variance", "count")
    if layer.kind == "PReLU":
        return ("alpha",)
    kernels = {
        "Conv2D": ("kernel",),
        "Conv2DTranspose": ("kernel",),
        "Dense": ("kernel",),
        "DepthwiseConv2D": ("depthwise_kernel",),
        "SeparableConv2D": ("depthwise_kernel", "pointwise_kernel"),
    }.get(layer.kind, ())
    return (*kernels, "bias") if kernels and layer.flag("use_bias", True) else kernels


def role_of(name: str) -> tuple[str, str]:
    """Return the layer and the role that a weight's name tells, "" where it tells none: "a/conv1/kernel:0"."""
    parts = name.split(":")[0].split("/")
    for role in _ROLES:
        if parts[-1] == role or re.fullmatch(rf"{role}_\d+", parts[-1]):
            return "/".join(parts[:-1]), _SHORT.get(role, role)
        if parts[-1].endswith(f"_{role}") and role in ("W", "b", "gamma", "beta", "running_mean", "running_std"):
            return "/".join([*parts[:-1], parts[-1].removesuffix(f"_{role}")]), _SHORT.get(role, role)
    return "/".join(parts[:-1]), ""


def in_order(layer: Layer, roles: Sequence[str], found: Sequence[tuple[str, Values]]) -> Mapping[str, Values]:
    """Return one layer's weights: by the roles in their names where all tell them, else by their order.

    Raises ModelError where there are not as many as the layer has.
    """
    if len(found) != len(roles):
        raise ModelError(
            f"The layer {layer.name!r} ({layer.kind}) has the weights {', '.join(roles)}, and the file has "
            f"{len(found)} for it. Get the file again, or save the model anew."
        )
    named = {as_role(role_of(name)[1], roles): values for name, values in found}
    return named if set(named) == set(roles) else dict(zip(roles, (values for _, values in found), strict=True))


def as_role(role: str, roles: Sequence[str]) -> str:
    """Return the role of a layer for that of a name: some versions call a depthwise kernel just a kernel."""
    return "depthwise_kernel" if role == "kernel" and "kernel" not in roles and "depthwise_kernel" in roles else role


@dataclass(frozen=True)
class NamedWeights:
    """Weights in one list of names, as TensorFlow.js has them, or the group of a model within another."""

    named: Mapping[str, Values]

    def of(self, layer: Layer, roles: Sequence[str]) -> Mapping[str, Values]:
        """Return the weights whose names end with the layer's own name and their role."""
        found: dict[str, list[tuple[str, Values]]] = {}
        for name, values in self.named.items():
            owner, role = role_of(name)
            own = owner == layer.place[-1] or owner.endswith(f"/{layer.place[-1]}")
            if own and as_role(role, roles) in roles:
                found.setdefault(as_role(role, roles), []).append((owner, values))
        chosen = {role: self._nearest(layer, entries) for role, entries in found.items()}
        if missing := [role for role in roles if role not in chosen]:
            raise ModelError(
                f"The file has no weights {', '.join(missing)} for the layer {layer.name!r} ({layer.kind}); it has "
                f"{', '.join(list(self.named)[:6])} …. Get the file again, or save the model anew."
            )
        return chosen

    def _nearest(self, layer: Layer, entries: Sequence[tuple[str, Values]]) -> Values:
        """Return the one whose owner has most of the layer's place. Raises ModelError where two have as much."""
        full = "/".join(layer.place)
        best = [values for owner, values in entries if owner == layer.place[-1] or full.endswith(owner)]
        best = best if len(best) == 1 else [values for _, values in entries]
        if len(best) != 1:
            raise ModelError(f"The file has several layers {layer.place[-1]!r}, and does not tell whose weights are.")
        return best[0]


def check_numbers(named: Mapping[str, Values]) -> None:
    """Raise ModelError where weights are NaN or infinite."""
    for name, values in named.items():
        if not np.isfinite(values).all():
            raise ModelError(
                f"The weights {name!r} have numbers that are NaN or infinite, so the model says nothing of any image. "
                "Take a model from before its training failed."
            )
