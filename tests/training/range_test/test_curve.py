from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn

from sitegen.training.range_test.curve import (
    RangeCurve,
    RangeSettings,
    range_rates,
    range_test,
    range_tests,
    smooth,
    steepest_rate,
)
from sitegen.training.schedules import AdamSettings

Loss = Callable[[torch.Tensor, torch.Generator], torch.Tensor]


def problem(dropout: float = 0.0) -> tuple[nn.Sequential, Loss]:
    """A network with normalisation, and its loss on 64 examples of a linear rule."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(dropout), nn.Linear(8, 1))
    inputs = torch.randn(64, 4)
    targets = (inputs.sum(1, keepdim=True) > 0).float()

    def loss_of(indices: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        noise = torch.randn(len(indices), 4, generator=generator) * 0.1
        return nn.functional.binary_cross_entropy_with_logits(network(inputs[indices] + noise), targets[indices])

    return network, loss_of


def test_rates_rise_by_equal_factors() -> None:
    assert range_rates(1e-3, 10.0, 4).tolist() == pytest.approx([1e-3, 1e-2, 1e-1, 1.0, 10.0])


def test_smoothing_keeps_lines_and_both_ends() -> None:
    assert smooth([0.0, 1.0, 2.0, 3.0, 4.0], half=2).tolist() == pytest.approx([0, 1, 2, 3, 4])
    assert smooth([0.0, 9.0, 0.0, 0.0, 0.0], half=1).tolist() == pytest.approx([0, 3, 3, 0, 0])


@pytest.mark.parametrize("half", [1, 10])
def test_the_steepest_rate_of_a_falling_wave(half: int) -> None:
    # 1 / (1 + (rate / r)^2) is steepest by the logarithm of the rate at r itself; from 0.1 on the loss explodes.
    rates = range_rates(1e-6, 1.0, 120)
    losses = 1 / (1 + (rates / 1e-3) ** 2) + np.where(rates > 0.1, 100 * rates, 0)
    assert steepest_rate(rates.tolist(), losses.tolist(), half) == pytest.approx(1e-3)


def test_what_comes_after_the_minimum_is_no_slope_towards_it() -> None:
    assert steepest_rate([1, 10, 100, 1000, 10000, 1e5], [3.0, 2.5, 1.0, 9.0, 8.0, 2.0]) == 10


def test_slopes_are_those_of_fitted_lines() -> None:
    losses = [4.0, 4.0, 3.2, 2.0, 0.8, 0.6, 0.6]
    fitted = [np.polyfit(range(5), losses[start : start + 5], 1)[0] for start in range(3)]
    assert fitted == pytest.approx([-0.84, -0.92, -0.66])
    assert steepest_rate([10.0**power for power in range(7)], losses, half=2) == 1000


@pytest.mark.parametrize("half", [1, 2])
def test_a_loss_that_never_falls_suggests_nothing(half: int) -> None:
    assert steepest_rate([1, 10, 100], [1.0, 2.0, 3.0], half) is None


def test_noise_does_not_decide() -> None:
    rates = range_rates(1e-6, 1.0, 120)
    losses = 1 / (1 + (rates / 1e-3) ** 2)
    spiked = losses.copy()
    spiked[20:22] += (0.2, -0.2)  # steeper than the wave, and two batches wide
    spiked[0] += 0.2  # where there is least to smooth with
    assert steepest_rate(rates.tolist(), spiked.tolist()) in rates[20:22]
    curve = RangeCurve(0.0, tuple(rates), tuple(spiked))
    assert curve.suggestion == pytest.approx(1e-3, rel=0.1)
    assert curve.smoothed == tuple(smooth(spiked.tolist(), 12))


def test_the_loop_trains_at_the_rates_it_reports() -> None:
    weight = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(weight.weight)
    seen = []

    def loss_of(indices: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        seen.append(weight.weight.item())
        return weight(torch.ones(len(indices), 1)).sum() * -1e-6 + 1

    settings = RangeSettings(low=1e-3, high=1.0, steps=6, batch=2)
    curve = range_test(weight, 4, loss_of, AdamSettings(betas=(0.0, 0.0)), settings)
    # Adam without memory moves by the learning rate itself, whatever the gradient's size (up to its epsilon of 1e-8).
    assert np.diff(seen) == pytest.approx(curve.rates[:6], rel=1e-2)
    assert len(curve.losses) == 7


def test_the_loss_falls_and_explodes_and_the_network_is_as_before() -> None:
    network, loss_of = problem()
    network.eval()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    curve = range_test(network, 64, loss_of, settings=RangeSettings(1e-5, 1e3, steps=80, batch=16))
    assert 20 < len(curve.losses) < 81  # it ended before the highest rate
    assert len(curve.rates) == len(curve.losses)
    smoothed = np.array(curve.smoothed)
    assert smoothed.min() < 0.6 * smoothed[0]
    assert smoothed[-1] > 2 * smoothed.min()
    assert curve.suggestion is not None
    assert 1e-4 < curve.suggestion < 1
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert not network.training
    assert all(weight.grad is None for weight in network.parameters())


def test_an_error_leaves_the_network_as_before() -> None:
    network, loss_of = problem()
    before = network.get_parameter("0.weight").clone()
    calls = []

    def breaks(indices: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        calls.append(1)
        if len(calls) == 5:
            raise RuntimeError("out of memory")
        return loss_of(indices, generator)

    with pytest.raises(RuntimeError, match="out of memory"):
        range_test(network, 64, breaks, settings=RangeSettings(1e-2, 1.0, steps=8, batch=16))
    assert torch.equal(network.get_parameter("0.weight"), before)
    assert network.training


def test_a_loss_that_is_not_a_number_ends_the_curve() -> None:
    network, loss_of = problem()
    calls = []

    def overflows(indices: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        calls.append(1)
        return loss_of(indices, generator) * (float("nan") if len(calls) == 6 else 1)

    curve = range_test(network, 64, overflows, settings=RangeSettings(1e-6, 1e-4, steps=20, batch=16))
    assert len(curve.losses) == len(curve.rates) == 5
    assert np.isfinite(curve.losses).all()


def test_equal_settings_give_equal_curves_dropout_included() -> None:
    network, loss_of = problem(dropout=0.5)
    settings = RangeSettings(1e-4, 1e-1, steps=12, batch=16)
    first = range_test(network, 64, loss_of, settings=settings)
    torch.rand(1)  # the state of the global generator does not matter
    state = torch.get_rng_state()
    assert range_test(network, 64, loss_of, settings=settings) == first
    assert torch.equal(torch.get_rng_state(), state)


def test_there_is_a_curve_for_each_weight_decay() -> None:
    network, loss_of = problem()
    settings = RangeSettings(1e-4, 1e-1, steps=12, batch=16)
    curves = range_tests(network, 64, loss_of, settings=settings)
    assert [curve.weight_decay for curve in curves] == [0.0, 0.1, 1e-3, 1e-5]
    assert len({curve.losses[0] for curve in curves}) == 1  # the same start
    assert curves[0].losses != curves[1].losses
    assert curves[1] == range_test(network, 64, loss_of, AdamSettings(weight_decay=0.1), settings)
