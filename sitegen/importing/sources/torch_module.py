"""A network of PyTorch that is in memory, as a notebook has trained or loaded it."""

from copy import deepcopy
from hashlib import sha256
from typing import Any

import torch
from torch import nn

from sitegen.errors import ModelError
from sitegen.importing.checkpoint.weights import check_finite
from sitegen.importing.origin import names_of
from sitegen.importing.settings import ImportSettings, image_of
from sitegen.importing.source import ImportedClassifier
from sitegen.importing.sources.image_settings import assumed
from sitegen.importing.sources.torch_classifier import TorchSource, torch_classifier, usual_for


def import_module(module: nn.Module, settings: ImportSettings, name: str) -> ImportedClassifier:
    """Return the classifier that a module is; a copy is taken, on the CPU, in evaluation and in float32.

    `name` is what it is called where the settings do not. Raises TypeError for what is no module, ModelError where it
    cannot be copied, has weights that are no numbers or does not run; SettingsError where labels or output are not
    known.
    """
    if not isinstance(module, nn.Module):
        raise TypeError(f"A network is a torch.nn.Module, not {type(module).__name__}.")
    kind = f"{type(module).__module__}.{type(module).__qualname__}"
    network = _copied(module, kind)
    for key, value in network.state_dict().items():
        if value.is_floating_point():
            check_finite(key, value, kind)
    usual = usual_for(network)
    source = TorchSource(
        names=names_of(settings, name),
        image=image_of(settings, usual),
        provenance={"source": "torch.nn.Module", "network": {"class": kind}, "weights": _weights(network)},
        remarks=[*_of_types(module), *assumed(settings, usual)],
    )
    return torch_classifier(network, source, settings)


def _copied(module: nn.Module, kind: str) -> nn.Module:
    try:
        copy = deepcopy(module)
    except Exception as error:  # a module may hold anything
        raise ModelError(
            f"{kind} cannot be copied: {error}. Save its weights, and use sitegen import torch with a function that "
            "makes it."
        ) from error
    return copy.cpu().float().eval()


def _of_types(module: nn.Module) -> list[str]:
    """A sentence where weights were not in float32."""
    values = (value for value in module.state_dict().values() if value.is_floating_point())
    others = sorted({str(value.dtype).removeprefix("torch.") for value in values} - {"float32"})
    if not others:
        return []
    return [f"Weights of {' and '.join(others)} were taken as float32; in their own precision nothing was compared."]


def _weights(network: nn.Module) -> dict[str, Any]:
    """The SHA-256 of all weights: of each name, type and shape, and then of its little-endian numbers."""
    digest = sha256()
    for name, value in network.state_dict().items():
        digest.update(f"{name} {value.dtype} {list(value.shape)}\n".encode())
        digest.update(value.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes() if value.numel() else b"")
    return {"sha256": digest.hexdigest()}
