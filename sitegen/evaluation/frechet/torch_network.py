"""A network of PyTorch whose features are compared: a TorchScript file, which `torch.jit.save` writes.

It has its program with it, so that no code of its maker's is imported; a file of `torch.save` alone has not.
"""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch

from sitegen.errors import ModelError, SettingsError
from sitegen.evaluation.frechet.preparation import Preparation, Values, checked


@dataclass(frozen=True)
class TorchNetwork:
    """A TorchScript network that takes [1, channels, side, side]; see `preparation.FeatureSource`.

    `output` and `classes` are names where it gives a dictionary, else numbers of its outputs from 0; `output` None is
    the first.
    """

    graph: Path
    channels: int
    side: int
    preparation: Preparation
    output: str | None = None
    classes: str | None = None

    def __call__(self, path: Path) -> tuple[Values, Values | None]:
        """Return features and classes of an image file, as `FeatureSource` says."""
        tensor = torch.from_numpy(self.preparation.tensor(path, self.channels, self.side))
        with torch.inference_mode():
            made = _named(self._module(tensor))
        wanted = [self.output or next(iter(made)), *([self.classes] if self.classes else [])]
        if missing := [name for name in wanted if name not in made]:
            raise ModelError(f"{self.graph} has no output {missing[0]!r}; it has {', '.join(made)}. Name one of these.")
        rows = checked(path, [made[name].double().numpy() for name in wanted])
        return rows[0], rows[1] if self.classes else None

    def prepared(self, preparation: Preparation) -> "TorchNetwork":
        """Return the same network with another preparation."""
        return replace(self, preparation=preparation)

    @property
    def key(self) -> str:
        """What tells these features from others: the network's file, and all settings."""
        settings = (self.channels, self.side, self.output, self.classes, self.preparation)
        return sha256(self.graph.read_bytes() + repr(settings).encode()).hexdigest()

    @cached_property
    def _module(self) -> Any:
        return _opened(self.graph)


def of_torch(
    path: Path, how: Preparation, channels: int = 3, output: str | None = None, classes: str | None = None
) -> TorchNetwork:
    """Return a TorchScript file's network. Raises ModelError where it is none, SettingsError without a side."""
    if how.side is None:
        raise SettingsError(f"{path} does not say how large its images are. Say it: --side")
    _opened(path)
    return TorchNetwork(path, channels, how.side, how, output, classes)


def _opened(path: Path) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            return torch.jit.load(str(path), map_location="cpu").eval()  # type: ignore[no-untyped-call]
    except (RuntimeError, ValueError, OSError) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ModelError(f"{path} is no TorchScript file: {first}. Save it with torch.jit.save, or as ONNX.") from error


def _named(made: Any) -> Mapping[str, torch.Tensor]:
    if isinstance(made, torch.Tensor):
        return {"0": made}
    given = made.items() if isinstance(made, Mapping) else enumerate(made)
    return {str(name): value for name, value in given if isinstance(value, torch.Tensor)}
