"""The running average of weights: as its formula says, in place for a while, resumed."""

import pytest
import torch
from torch import nn

from sitegen.training.average import WeightAverage


def network(value: float) -> nn.BatchNorm1d:
    made = nn.BatchNorm1d(1)
    with torch.no_grad():
        made.weight.fill_(value)
        made.running_mean.fill_(value)
    return made


def give(made: nn.BatchNorm1d, value: float, batches: int) -> None:
    with torch.no_grad():
        made.weight.fill_(value)
        made.running_mean.fill_(value)
        made.num_batches_tracked.fill_(batches)


def test_early_steps_forget_faster_and_later_ones_by_the_decay() -> None:
    made = network(0.0)
    average = WeightAverage(made, 0.25)
    expected = None
    for step, value in enumerate([4.0, 8.0, 16.0, 32.0]):
        give(made, value, step + 1)
        average.step()
        # The first step is the average; then min(0.25, (1 + n) / (10 + n)): 2/11, 0.25, 0.25.
        share = [0.0, 2 / 11, 0.25, 0.25][step]
        expected = value if expected is None else share * expected + (1 - share) * value
    with average.in_place():
        assert made.weight.item() == pytest.approx(expected, rel=1e-6)
        assert made.running_mean.item() == pytest.approx(expected, rel=1e-6)
        assert made.num_batches_tracked.item() == 4
    assert made.weight.item() == 32.0
    average.settle()
    assert made.weight.item() == pytest.approx(expected, rel=1e-6)


def test_the_networks_own_weights_come_back_after_an_error() -> None:
    made = network(1.0)
    average = WeightAverage(made, 0.9)
    average.step()
    give(made, 5.0, 1)
    with pytest.raises(KeyError), average.in_place():
        raise KeyError("in the validation")
    assert made.weight.item() == 5.0


def test_nothing_is_averaged_without_a_decay() -> None:
    made = network(1.0)
    average = WeightAverage(made, 0.0)
    average.step()
    give(made, 2.0, 1)
    with average.in_place():
        assert made.weight.item() == 2.0
    average.settle()
    assert (made.weight.item(), average.state_dict()) == (2.0, {})


def test_it_goes_on_from_its_state() -> None:
    ends = []
    for resumed in (False, True):
        made = network(0.0)
        average = WeightAverage(made, 0.9)
        for step, value in enumerate([1.0, 2.0, 7.0]):
            if resumed and step == 2:
                state = average.state_dict()
                average = WeightAverage(network(99.0), 0.9)
                average = WeightAverage(made, 0.9)
                average.load_state_dict(state)
            give(made, value, step)
            average.step()
        average.settle()
        ends.append(made.weight.item())
    assert ends[0] == ends[1]
