from collections.abc import Iterable
from math import cos, pi
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from sitegen.networks.densenet import DenseNet, DenseNetSettings
from sitegen.training.schedules import AdamSettings, OneCycleSettings, PlateauSettings, make_optimiser, make_schedule


def rate(optimiser: torch.optim.Optimizer) -> float:
    return optimiser.param_groups[0]["lr"]


def momentum(optimiser: torch.optim.Optimizer) -> float:
    return optimiser.param_groups[0]["betas"][0]


def cycle(settings: OneCycleSettings, epochs: int, batches: int) -> tuple[list[float], list[float]]:
    """Rate and momentum of every batch."""
    optimiser, schedule = make_schedule(nn.Linear(1, 1), AdamSettings(), settings, epochs, batches)
    rates, momenta = [], []
    for _ in range(epochs):
        for _ in range(batches):
            rates.append(rate(optimiser))
            momenta.append(momentum(optimiser))
            optimiser.step()
            schedule.after_batch()
        schedule.after_epoch(0.5)
    return rates, momenta


def test_a_plateau_lowers_the_rate_tenfold() -> None:
    optimiser, schedule = make_schedule(nn.Linear(1, 1), AdamSettings(), PlateauSettings(patience=2), 10, 5)
    seen = []
    # Rises; stays for three epochs, one more than the patience; rises; falls for three.
    for score in (0.6, 0.7, 0.7, 0.70008, 0.7, 0.8, 0.75, 0.7, 0.79):
        schedule.after_batch()
        schedule.after_epoch(score)
        seen.append(rate(optimiser))
    assert seen == pytest.approx([1e-3] * 4 + [1e-4] * 4 + [1e-5])


def test_a_plateau_has_a_lowest_rate() -> None:
    settings = PlateauSettings(learning_rate=1e-2, factor=0.5, patience=0, lowest=4e-3)
    optimiser, schedule = make_schedule(nn.Linear(1, 1), AdamSettings(), settings, 10, 5)
    for _ in range(4):
        schedule.after_epoch(0.5)
    assert rate(optimiser) == pytest.approx(4e-3)


def test_momentum_falls_as_the_rate_rises() -> None:
    settings = OneCycleSettings(initial_rate=1e-4, peak_rate=3e-3, rise=0.5, momentum=(0.95, 0.85), fall=100)
    rates, momenta = cycle(settings, epochs=3, batches=7)
    # 21 batches: the peak is batch 0.5 * 21 - 1 = 9.5, the last is batch 20.
    up = [(1 - cos(pi * batch / 9.5)) / 2 for batch in range(10)]
    down = [(1 + cos(pi * (batch - 9.5) / 10.5)) / 2 for batch in range(10, 21)]
    assert rates[:10] == pytest.approx([1e-4 + (3e-3 - 1e-4) * share for share in up])
    assert rates[10:] == pytest.approx([1e-6 + (3e-3 - 1e-6) * share for share in down])
    assert momenta == pytest.approx([0.95 - 0.1 * share for share in up + down])


def test_the_papers_cycle_runs_between_its_rates() -> None:
    rates, _ = cycle(OneCycleSettings(initial_rate=1.32e-2, peak_rate=1e-1), epochs=30, batches=10)
    assert rates[0] == pytest.approx(1.32e-2)
    assert max(rates) == pytest.approx(1e-1, rel=1e-3)
    assert rates.index(max(rates)) in (88, 89, 90)
    assert rates[-1] == pytest.approx(1.32e-6)


@pytest.mark.parametrize("settings", [PlateauSettings(patience=0), OneCycleSettings()])
def test_a_schedule_goes_on_where_it_was(settings: PlateauSettings | OneCycleSettings, tmp_path: Path) -> None:
    def epochs(optimiser: torch.optim.Optimizer, schedule: Any, scores: Iterable[float]) -> tuple[float, float]:
        for score in scores:
            for _ in range(3):
                optimiser.step()
                schedule.after_batch()
            schedule.after_epoch(score)
        return rate(optimiser), momentum(optimiser)

    scores = [0.5, 0.6, 0.6, 0.6]
    whole = epochs(*make_schedule(nn.Linear(1, 1), AdamSettings(), settings, 4, 3), scores)
    first = make_schedule(nn.Linear(1, 1), AdamSettings(), settings, 4, 3)
    epochs(*first, scores[:2])
    torch.save([part.state_dict() for part in first], tmp_path / "state.pt")
    again = make_schedule(nn.Linear(1, 1), AdamSettings(), settings, 4, 3)
    for part, state in zip(again, torch.load(tmp_path / "state.pt", weights_only=True), strict=True):
        part.load_state_dict(state)  # type: ignore[attr-defined]
    assert epochs(*again, scores[2:]) == whole


@pytest.mark.parametrize(("decoupled", "kind"), [(True, torch.optim.AdamW), (False, torch.optim.Adam)])
def test_adam_is_torchs_and_trains_what_may_be_trained(decoupled: bool, kind: type[torch.optim.Optimizer]) -> None:
    network = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    network[0].requires_grad_(False)
    optimiser = make_optimiser(network, AdamSettings((0.8, 0.99), 0.1, decoupled), 0.02)
    assert type(optimiser) is kind
    (group,) = optimiser.param_groups
    assert (group["lr"], group["betas"], group["weight_decay"]) == (0.02, (0.8, 0.99), 0.1)
    assert [id(each) for each in group["params"]] == [id(each) for each in network[1].parameters()]


def test_layers_nearer_to_the_image_learn_more_slowly() -> None:
    network = DenseNet(DenseNetSettings(growth=4, blocks=(2, 2), stem=8))
    settings = OneCycleSettings(initial_rate=0.1, peak_rate=1.0)
    optimiser, schedule = make_schedule(network, AdamSettings(body_share=0.5, layer_decay=0.5), settings, 1, 10)
    groups = optimiser.param_groups
    assert {id(each) for each in groups[0]["params"]} == {id(each) for each in network.head.parameters()}
    shares = [1.0] + [0.5**power for power in range(1, len(groups))]
    assert [group["lr"] for group in groups] == pytest.approx([0.1 * share for share in shares])
    for _ in range(3):  # to the peak, at three tenths
        optimiser.step()
        schedule.after_batch()
    assert [group["lr"] for group in groups] == pytest.approx(shares, rel=0.1)
    ratios = [group["lr"] / groups[0]["lr"] for group in groups]
    assert ratios == pytest.approx(shares)
    assert sum(len(group["params"]) for group in groups) == len(list(network.parameters()))


def test_a_frozen_body_has_no_group() -> None:
    network = DenseNet(DenseNetSettings(growth=4, blocks=(2, 2), stem=8))
    for parameter in network.body_parameters():
        parameter.requires_grad_(False)
    (group,) = make_optimiser(network, AdamSettings(body_share=0.5), 0.02).param_groups
    assert len(group["params"]) == 2
