"""Which of a network's outputs has the findings, and what a network is that gives none."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from sitegen.errors import ModelError, SettingsError

_USUAL = ("logits", "out", "output", "outputs", "pred", "preds", "prediction", "predictions", "scores", "y")


class Chosen(nn.Module):
    """A network of which outputs are taken by name, or by number, and put side by side."""

    def __init__(self, network: nn.Module, names: Sequence[str | int]) -> None:
        super().__init__()
        self.network, self.names = network, tuple(names)

    def forward(self, images: Tensor) -> Tensor:
        """Return [N, labels] for images [N, channels, side, side]."""
        outputs: Any = self.network(images)
        parts = [outputs[name].reshape(images.shape[0], -1) for name in self.names]
        made: Tensor = torch.cat(parts, 1) if len(parts) > 1 else parts[0]
        return made


def chosen(network: nn.Module, shape: Sequence[int], wanted: Sequence[str]) -> nn.Module:
    """Return the network, or one that gives what is wanted of its outputs; nothing wanted is the usual one.

    `shape` is that of an input. Raises SettingsError where it is not told which output has the findings, ModelError
    where none can. What fails as it runs is for others to say.
    """
    try:
        with torch.no_grad():
            given: object = network.eval()(torch.rand(*shape, generator=torch.Generator().manual_seed(0)))
    except Exception:  # it is another's code
        return network
    if isinstance(given, Mapping):
        return Chosen(network, wanted or [_usual(given)])
    if isinstance(given, (tuple, list)):
        if wanted:
            return Chosen(network, [_number(name, len(given)) for name in wanted])
        given = given[0] if given else None
        if isinstance(given, Mapping):
            raise ModelError(
                f"the network gives a list of {_told(given)}, as detectors do, and sitegen takes classifiers."
            )
    elif wanted:
        raise SettingsError(f"outputs names {', '.join(wanted)}, and the network has one output.")
    if isinstance(given, Tensor) and sum(size > 1 for size in given.shape[1:]) > 1:
        raise ModelError(
            f"the network gives {list(given.shape)} for one image: numbers for each place of it, as segmenters do, or "
            "for a sequence. sitegen takes classifiers, which give one number for each finding."
        )
    return network


def _usual(given: Mapping[Any, object]) -> Any:
    tensors = [key for key, value in given.items() if isinstance(value, Tensor)]
    found = next((name for name in _USUAL if name in tensors), None)
    if found is None and len(tensors) != 1:
        raise SettingsError(
            f"the network gives {_told(given)}, and it is not told which of these has the findings. Name it, or "
            f"several in their order, in the settings: outputs = [{', '.join(repr(str(key)) for key in tensors[:2])}]"
        )
    return found if found is not None else tensors[0]


def _number(name: str, count: int) -> int:
    if not name.isdecimal() or int(name) >= count:
        raise SettingsError(f"outputs names {name!r}, and the network gives {count}, which are numbered from 0.")
    return int(name)


def _told(given: Mapping[Any, object]) -> str:
    return f"a {type(given).__name__} of {', '.join(map(repr, given)) or 'nothing'}"
