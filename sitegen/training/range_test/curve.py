"""The learning-rate range test: the rate rises from batch to batch until the loss explodes (Smith 2017).

range_test(network, examples, loss_of, ...)    the curve for one weight decay
range_tests(...)                               the curves for several, from the same weights and batches
steepest_rate(rates, losses)                   the rate at which the loss falls fastest
"""

from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from itertools import islice
from math import isfinite
from typing import Annotated

import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from pydantic import Field
from torch import Generator, Tensor, nn

from sitegen.settings.reading import STRICT, Count
from sitegen.training.schedules import AdamSettings, Rate, make_optimiser

BatchLoss = Callable[[Tensor, Generator], Tensor]
"""The scalar loss of the examples at these indices; all its randomness comes from the generator."""
WEIGHT_DECAYS = (0.0, 0.1, 1e-3, 1e-5)
"""Those that Elkins et al. 2019 compare in figure 6."""
_MEMORY = 0.9  # of the running average that tells when the loss explodes


@dataclass(frozen=True)
class RangeSettings:
    """From which rate to which, in how many equal factors, over which batches."""

    __pydantic_config__ = STRICT
    low: Rate = 1e-7
    high: Rate = 10.0
    steps: Annotated[int, Field(ge=4)] = 100
    explosion: Annotated[float, Field(gt=1)] = 4.0  # the running average's ratio to its lowest that ends the test
    batch: Count = 64
    seed: int = 1


@dataclass(frozen=True)
class RangeCurve:
    """The loss of each batch against the rate that it was trained with; it ends where the loss exploded."""

    weight_decay: float
    rates: tuple[float, ...]
    losses: tuple[float, ...]

    @property
    def smoothed(self) -> tuple[float, ...]:
        """The losses, each averaged with its neighbours over a fifth of the curve."""
        return tuple(smooth(self.losses, self._half).tolist())

    @property
    def suggestion(self) -> float | None:
        """The rate where the loss falls fastest, by slopes over a fifth of the curve; None where it never falls."""
        return steepest_rate(self.rates, self.losses, self._half)

    @property
    def _half(self) -> int:
        return max(1, len(self.losses) // 10)


def range_rates(low: float, high: float, steps: int) -> NDArray[np.float64]:
    """Return low (high / low)^(i / n) for i = 0 … n: Eq. 1.5 of Elkins et al. 2019."""
    return np.asarray(low * (high / low) ** (np.arange(steps + 1) / steps), np.float64)


def smooth(losses: Sequence[float], half: int) -> NDArray[np.float64]:
    """Return the mean of each loss and of `half` losses to either side, of fewer near the ends.

    As many to the left as to the right: a running average would lag, and show slopes at rates too high.
    """
    values = np.asarray(losses, np.float64)
    reach = [min(half, index, len(values) - 1 - index) for index in range(len(values))]
    return np.array([values[index - r : index + r + 1].mean() for index, r in enumerate(reach)])


def steepest_rate(rates: Sequence[float], losses: Sequence[float], half: int = 1) -> float | None:
    """Return the rate at which the loss falls fastest by the logarithm of the rate, on the way to its minimum.

    That is where Elkins et al. 2019 start (section 1.3). Slopes are those of lines fitted to a loss and the `half`
    losses on either side, so that the noise of batches does not decide. None where no such line falls.
    """
    width = 2 * half + 1
    if len(losses) < width:
        return None
    x = sliding_window_view(np.log(np.asarray(rates, np.float64)), width)
    y = sliding_window_view(np.asarray(losses, np.float64), width)
    away = x - x.mean(axis=1, keepdims=True)
    slopes = (away * y).sum(axis=1) / (away * away).sum(axis=1)
    best = int(np.argmin(slopes[: int(np.argmin(y.mean(axis=1))) + 1]))
    return float(rates[half + best]) if slopes[best] < 0 else None


def range_test(
    network: nn.Module,
    examples: int,
    loss_of: BatchLoss,
    adam: AdamSettings | None = None,
    settings: RangeSettings | None = None,
) -> RangeCurve:
    """Train for one batch at each rate of the range, and return the losses. The network is afterwards as it was.

    `loss_of(indices, generator)` is as for `loop.fit`. Equal settings and weights give equal curves.
    """
    adam, settings = adam or AdamSettings(), settings or RangeSettings()
    before, was_training = deepcopy(network.state_dict()), network.training
    try:
        with torch.random.fork_rng():  # dropout draws from the global generator
            torch.manual_seed(settings.seed)
            losses = list(_rising(network.train(), examples, loss_of, adam, settings))
    finally:
        network.load_state_dict(before)
        network.train(was_training)
        network.zero_grad(set_to_none=True)
    rates = range_rates(settings.low, settings.high, settings.steps)[: len(losses)]
    return RangeCurve(adam.weight_decay, tuple(rates.tolist()), tuple(losses))


def range_tests(
    network: nn.Module,
    examples: int,
    loss_of: BatchLoss,
    adam: AdamSettings | None = None,
    settings: RangeSettings | None = None,
    weight_decays: Sequence[float] = WEIGHT_DECAYS,
) -> list[RangeCurve]:
    """Return the curve for each weight decay, all from the same weights and over the same batches."""
    adam = adam or AdamSettings()
    return [
        range_test(network, examples, loss_of, replace(adam, weight_decay=decay), settings) for decay in weight_decays
    ]


def _rising(
    network: nn.Module, examples: int, loss_of: BatchLoss, adam: AdamSettings, settings: RangeSettings
) -> Iterator[float]:
    optimiser = make_optimiser(network, adam, settings.low)
    generator = Generator().manual_seed(settings.seed)
    rates = range_rates(settings.low, settings.high, settings.steps)
    average, lowest = 0.0, float("inf")
    batches = islice(_endless(examples, settings.batch, generator), len(rates))
    for number, (rate, indices) in enumerate(zip(rates.tolist(), batches, strict=True), start=1):
        for group in optimiser.param_groups:
            group["lr"] = rate
        optimiser.zero_grad(set_to_none=True)
        loss = loss_of(indices, generator)
        if not isfinite(loss.item()):
            return
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        yield loss.item()
        average = _MEMORY * average + (1 - _MEMORY) * loss.item()
        unbiased = average / (1 - _MEMORY**number)
        lowest = min(lowest, unbiased)
        if unbiased > settings.explosion * lowest:
            return


def _endless(examples: int, batch: int, generator: Generator) -> Iterator[Tensor]:
    """Batches of one size, epoch after epoch: a rest of a few images would be a spike in the curve."""
    size = min(batch, examples)
    while True:
        yield from torch.split(torch.randperm(examples, generator=generator)[: examples // size * size], size)
