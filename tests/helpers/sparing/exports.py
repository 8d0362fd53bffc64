"""The same network is exported to ONNX once in a process of tests: an export takes more than a second."""

import functools
import inspect
import pickle
from hashlib import sha256
from io import BytesIO
from typing import Any

import pytest
import torch
from onnx import ModelProto
from torch import nn
from torch.onnx._internal.exporter._registration import ONNXRegistry

from sitegen.export import onnx_export


class _Described(pickle.Pickler):
    """All of a network: its classes, what each of its parts holds, and the numbers of its tensors."""

    def reducer_override(self, given: Any) -> Any:
        if isinstance(given, torch.Tensor):
            values = given.detach().contiguous()
            return repr, ((type(given), given.dtype, given.shape, given.stride(), values.numpy().tobytes()),)
        return NotImplemented


def _key(network: nn.Module) -> str | None:
    """Return what only an equal network has; None where its parts cannot be told, as of a class within a function."""
    described = BytesIO()
    try:
        _Described(described).dump(network)
    except (pickle.PicklingError, AttributeError, TypeError, RuntimeError):
        return None
    return sha256(described.getvalue()).hexdigest()


def export_once() -> None:
    """Have sitegen export equal networks once, and torch read its table of translations once, made from source code."""
    ONNXRegistry.from_torchlib = staticmethod(functools.cache(ONNXRegistry.from_torchlib))  # type: ignore[method-assign]
    exported, made = onnx_export._exported, dict[Any, ModelProto]()

    @functools.wraps(exported)
    def kept(network: nn.Module, shape: tuple[int, ...], outputs: tuple[str, ...]) -> ModelProto:
        key = _key(network), shape, outputs
        if key[0] is None:
            return exported(network, shape, outputs)
        if key not in made:
            made[key] = exported(network, shape, outputs)
        model = ModelProto()
        model.CopyFrom(made[key])
        return model

    onnx_export._exported = kept


def anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have networks exported in this test as they are outside of tests: each time."""
    monkeypatch.setattr(onnx_export, "_exported", inspect.unwrap(onnx_export._exported))
