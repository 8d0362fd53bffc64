"""The running average of a network's weights: steadier than the weights of any one step, and often better.

Polyak and Juditsky 1992; with exponential forgetting, as torch's `AveragedModel` has it. In the first steps the average
forgets faster, min(decay, (1 + n) / (10 + n)) at step n, so that it does not remember the weights of the beginning.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel


class WeightAverage:
    """The average of a network's weights and buffers over the steps of its training; `decay` 0 averages nothing."""

    def __init__(self, network: nn.Module, decay: float) -> None:
        self._network, self._decay = network, decay
        self._averaged = AveragedModel(network, avg_fn=self._mixed, use_buffers=True) if decay else None

    def step(self) -> None:
        """Take the network's present weights into the average."""
        if self._averaged:
            self._averaged.update_parameters(self._network)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Give the network the average's weights for a while."""
        if self._averaged is None:
            yield
            return
        own = {name: value.clone() for name, value in self._network.state_dict().items()}
        self._network.load_state_dict(self._averaged.module.state_dict())
        try:
            yield
        finally:
            self._network.load_state_dict(own)

    def settle(self) -> None:
        """Give the network the average's weights for good."""
        if self._averaged:
            self._network.load_state_dict(self._averaged.module.state_dict())

    def state_dict(self) -> dict[str, Tensor]:
        """Return what `load_state_dict` needs to go on from here."""
        return self._averaged.state_dict() if self._averaged else {}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Go on from where `state_dict` was called."""
        if self._averaged:
            self._averaged.load_state_dict(state)

    def _mixed(self, average: Tensor, new: Tensor, steps: Tensor | int) -> Tensor:
        if not average.is_floating_point():  # a count of batches
            return new
        decay = torch.clamp((1 + torch.as_tensor(steps)) / (10 + torch.as_tensor(steps)), max=self._decay)
        return torch.lerp(new, average, decay.to(average))
