"""Weights from checkpoints into networks: found, named as the network names them, and checked before they are used."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn

from sitegen.errors import ModelError

Weights = dict[str, Tensor]
WRAPPERS = ("state_dict", "model_state_dict", "model_state", "model", "weights", "net", "network")
# Of DataParallel, of torch.compile, of wrappers.
_PREFIXES = ("module.", "_orig_mod.", "_forward_module.", "model.", "net.", "network.")
_OF_TRAINING = re.compile(r"optim|sched|scaler|loss|criterion|rng|ema", re.IGNORECASE)
# What a module of training has beside its network: weights of a loss, counters of measures.
_BESIDE = re.compile(r"(\w*(loss|criterion|metric|accuracy|auroc)\w*|(train|val|valid|test)_\w+)\.", re.IGNORECASE)
_COUNTER = "num_batches_tracked"  # of a normalisation: a number that evaluation does not use, unknown before 2018
# torchvision's names before 2018: denselayer1.norm.1.weight
_OLD = re.compile(r"(denselayer\d+\.(?:norm|relu|conv))\.([12])\.")
_WIDER = (torch.float16, torch.bfloat16, torch.float64)
_TOLD = 4


@dataclass(frozen=True)
class Found:
    """The weights of a checkpoint, the rest of what it holds, and what was changed to get at them."""

    weights: Weights
    others: Mapping[str, object] = field(default_factory=dict)
    changes: Sequence[str] = ()


def find_weights(document: object, file: Path) -> Found:
    """Return the weights that a checkpoint holds, itself or under one of WRAPPERS; `file` is what errors name.

    Raises ModelError where there are none.
    """
    if not isinstance(document, Mapping):
        raise ModelError(
            f"{file} holds a {type(document).__name__}, not the weights of a network by name. Save those: "
            "torch.save(model.state_dict(), 'weights.pt')"
        )
    inner = {str(key): value for key, value in document.items() if isinstance(value, Mapping) and _holds_weights(value)}
    name = next((wrapper for wrapper in WRAPPERS if wrapper in inner), "")
    if not name and _holds_weights(document):
        return Found(_tensors(document, file))
    likely = [key for key in inner if not _OF_TRAINING.search(key)]
    if name or len(likely) == 1:
        name = name or likely[0]
        others = {str(key): value for key, value in document.items() if key != name}
        return Found(_tensors(inner[name], file), others, [f"the weights lay under {name!r}"])
    raise ModelError(
        f"{file} holds {_some(map(str, document)) or 'nothing'}, and none of it is the weights of a network by name. "
        f"They are looked for under {', '.join(WRAPPERS)}."
    )


def renamed(found: Found, expected: Iterable[str]) -> Found:
    """Return the weights without prefixes that all have and the network's names have not, and without old names.

    `expected` are the names in the network.
    """
    wanted, weights, changes = set(expected), found.weights, list(found.changes)
    beside = [name for name in weights if _BESIDE.match(name) and name not in wanted]
    if beside and len(beside) < len(weights):
        weights = {name: value for name, value in weights.items() if name not in beside}
        changes.append(f"weights of a loss or a measure were left out: {_some(beside)}")
    while prefix := next((each for each in _PREFIXES if _all_begin(weights, each, wanted)), ""):
        weights = {name.removeprefix(prefix): value for name, value in weights.items()}
        changes.append(f"{prefix!r} was removed from the names of the weights")
    if any(_OLD.search(name) for name in weights):
        weights = {_OLD.sub(r"\1\2.", name): value for name, value in weights.items()}
        changes.append("old names of layers were joined, norm.1 to norm1")
    return Found(weights, found.others, changes)


def without_prefix(found: Found, prefix: str) -> Found:
    """Return the weights with a source's own prefix removed, if all have it."""
    if not all(name.startswith(prefix) for name in found.weights):
        return found
    weights = {name.removeprefix(prefix): value for name, value in found.weights.items()}
    return Found(weights, found.others, [*found.changes, f"{prefix!r} was removed from the names of the weights"])


def fit_weights(network: nn.Module, weights: Weights, file: Path) -> list[str]:
    """Put weights into a network that has exactly these, as float32, and return what was changed on the way.

    Raises ModelError where names or shapes differ, where numbers are of a kind that weights are not, or where they are
    NaN or infinite. Shapes are compared before any number is looked at, so that a tensor that only says that it is
    large costs nothing.
    """
    own = network.state_dict()
    _check_names(own, weights, file)
    unlike = [
        f"{name} {list(weights[name].shape)} for {list(value.shape)}"
        for name, value in own.items()
        if name in weights and weights[name].shape != value.shape
    ]
    if unlike:
        raise ModelError(
            f"{file} has weights of other shapes than the network: {_some(unlike)}. Name the network that they were "
            "trained in, with its settings (channels, labels, …)."
        )
    changes, converted = [], set()
    ready: Weights = {}
    for name, value in weights.items():
        if own[name].is_floating_point():
            ready[name] = _as_float32(name, value, file)
            if value.dtype != torch.float32:
                converted.add(str(value.dtype).removeprefix("torch."))
        else:
            ready[name] = value
    if converted:
        changes.append(f"weights were stored as {' and '.join(sorted(converted))}; they are float32 now")
    network.float()
    network.load_state_dict(ready, strict=False)  # all but counters are there
    return changes


def _as_float32(name: str, value: Tensor, file: Path) -> Tensor:
    plain = value.layout == torch.strided and not value.is_quantized and value.device.type == "cpu"
    if not plain or (value.dtype != torch.float32 and value.dtype not in _WIDER):
        kind = str(value.dtype if plain else f"{value.layout}, {value.dtype}, on {value.device}")
        raise ModelError(
            f"{file}: the weights {name!r} are {kind.replace('torch.', '')}, and a network computes with "
            "floating-point numbers. Quantised models are not read: take the checkpoint from before."
        )
    numbers = value.detach().float()
    check_finite(name, numbers, file)
    return numbers


def check_finite(name: str, numbers: Tensor, file: Path | str) -> None:
    """Raise ModelError, naming the file or the network, where weights are NaN or infinite."""
    bad = int((~torch.isfinite(numbers)).sum())
    if bad:
        raise ModelError(
            f"{file}: {bad} of the {numbers.numel()} numbers of the weights {name!r} are NaN or infinite, so the model "
            "says nothing of any image. Take a checkpoint from before its training failed."
        )


def _check_names(own: Mapping[str, Tensor], weights: Weights, file: Path) -> None:
    missing = [name for name in own if name not in weights and not name.endswith(_COUNTER)]
    surplus = [name for name in weights if name not in own]
    if not missing and not surplus:
        return
    parts = []
    if missing:
        parts.append(f"{len(missing)} of the network's {len(own)} weights are missing ({_some(missing)})")
    if surplus:
        parts.append(f"{len(surplus)} are not the network's ({_some(surplus)})")
    raise ModelError(
        f"{file} does not fit the network: {'; '.join(parts)}. Name the network that it was trained in, or a function "
        "that makes it: --network my_module:make"
    )


def _holds_weights(mapping: Mapping[object, object]) -> bool:
    """Whether weights by name are in a mapping itself; the value of a loss is a tensor, too, without axes."""
    return any(isinstance(value, Tensor) and value.ndim > 0 for value in mapping.values())


def _tensors(mapping: Mapping[object, object], file: Path) -> Weights:
    others = [str(name) for name, value in mapping.items() if not isinstance(value, Tensor)]
    if others:
        raise ModelError(f"{file} has among its weights what is no tensor: {_some(others)}. Save the state dict alone.")
    return {str(name): value for name, value in mapping.items() if isinstance(value, Tensor)}


def _all_begin(weights: Weights, prefix: str, wanted: set[str]) -> bool:
    """Whether all names have a prefix that the network's have not."""
    return (
        bool(weights)
        and all(name.startswith(prefix) for name in weights)
        and not any(name.startswith(prefix) for name in wanted)
    )


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    return ", ".join(listed[:_TOLD]) + (f" and {len(listed) - _TOLD} more" if len(listed) > _TOLD else "")
