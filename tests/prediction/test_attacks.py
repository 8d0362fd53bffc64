"""Attacks against the same written in PyTorch, in float64; how far they go; and what they are refused for."""

from __future__ import annotations  # array[float] is a name for type checkers until Python 3.12

from array import array
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from random import Random
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from sitegen.bundle import Bundle
from sitegen.prediction import Predictor
from sitegen.prediction.saliency_attack import EVERY_ATTACK, JSMA, directions, saliency_attack
from sitegen_runtime.attacks.arithmetic import anywhere, loss, room_around, slope_of_loss
from sitegen_runtime.attacks.methods import Attacked, Wish, attack
from sitegen_runtime.attacks.table import ATTACKS
from sitegen_runtime.bundle.model import NetworkInput
from sitegen_runtime.errors import AnalysisError, BadAttack, MissingNetwork
from tests.helpers.gradient.attacked_network import CHANNELS, ENTRY, LABELS, SIDE, SmoothNetwork

SHAPE = ENTRY.shape
STRENGTHS = (0.3, 0.02, 1 / 255)
network = cache(SmoothNetwork)


def run(image: array[float], wish: Wish) -> Attacked:
    way = saliency_attack if wish.method == JSMA else attack
    return network().drive(way(network().model, image, wish))


def as_tensor(image: array[float]) -> Tensor:
    return torch.tensor(image, dtype=torch.float64).view(SHAPE)


def bounds(image: Tensor, strength: float) -> tuple[Tensor, Tensor, Tensor]:
    """ε of each channel, and the least and greatest values, in the network's units."""
    mean, std = (torch.tensor(part, dtype=torch.float64).view(1, -1, 1, 1) for part in (ENTRY.mean, ENTRY.std))
    (black, white), far = ENTRY.range, strength * (ENTRY.range[1] - ENTRY.range[0]) / std
    return far, torch.maximum(image - far, (black - mean) / std), torch.minimum(image + far, (white - mean) / std)


def said(image: Tensor, finding: str | None) -> tuple[Tensor, Tensor]:
    """What the network says of an image, yes or no, and which labels count."""
    points = torch.tensor([[label.operating_point for label in network().model.labels]])
    counted = torch.tensor([[float(finding in (None, name)) for name in LABELS]])
    return (network().logits(image).sigmoid() >= points).double(), counted


def by_torch(image: Tensor, wish: Wish, noise: Tensor) -> Tensor:
    """Goodfellow's, Kurakin's and Madry's attacks as their papers have them, by automatic differentiation."""
    far, low, high = bounds(image, wish.strength)
    wanted, counted = said(image, wish.finding)
    steps, share = {"fgsm": (1, 1.0), "bim": (wish.steps, 1 / wish.steps), "pgd": (wish.steps, 2.5 / wish.steps)}[
        wish.method
    ]
    current = (image + noise * far).clamp(low, high) if wish.method == "pgd" else image
    for _ in range(steps):
        leaf = current.clone().requires_grad_()
        entropy = torch.nn.functional.binary_cross_entropy_with_logits(
            network().logits(leaf), wanted, counted, reduction="sum"
        )
        (slope,) = torch.autograd.grad(entropy, leaf)
        current = (current + share * far * slope.sign()).clamp(low, high)
    return current


def noise_of(seed: int) -> Tensor:
    """The uniform noise that projected descent starts with, from the same generator read another way."""
    words = np.frombuffer(Random(seed).randbytes(4 * CHANNELS * SIDE**2), "<u4").astype(np.float64)
    return torch.from_numpy((words + 0.5) / 2**31 - 1).view(SHAPE)


@pytest.mark.parametrize("method", ATTACKS)
@pytest.mark.parametrize("strength", STRENGTHS)
@pytest.mark.parametrize("finding", [None, "Mass"])
def test_attacks_are_those_of_pytorch(method: str, strength: float, finding: str | None) -> None:
    for seed in range(3):
        image = network().image(seed)
        wish = Wish(method, strength, 10, finding, seed)
        expected = by_torch(as_tensor(image), wish, noise_of(seed)).numpy().ravel()
        np.testing.assert_allclose(np.array(run(image, wish).image), expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("finding", [None, "Nodule"])
def test_the_attack_by_saliency_maps_is_that_of_pytorch(finding: str | None) -> None:
    steps, share, strength = 5, 0.1, 0.3
    image = network().image(7)
    leaf = as_tensor(image)
    points = torch.tensor([label.operating_point for label in network().model.labels], dtype=torch.float64)
    logits = network().logits(leaf)[0]
    chosen = LABELS.index(finding) if finding else int((logits - torch.logit(points)).abs().argmin())
    _, low, high = bounds(leaf, strength)
    sense = -1.0 if logits[chosen].sigmoid() >= points[chosen] else 1.0
    current, moved = leaf.clone(), torch.zeros(leaf.numel(), dtype=torch.bool)
    for _ in range(steps):
        jacobian = torch.autograd.functional.jacobian(network().logits, current)[0].reshape(len(LABELS), -1) * sense
        own, rest = jacobian[chosen], jacobian.sum(0) - jacobian[chosen]
        opposed = (own * rest < 0) & ~moved
        salience = (own * rest).abs() * opposed if opposed.any() else own.abs() * ~moved
        most = salience.topk(round(share * leaf.numel() / steps))
        best = most.indices[most.values > 0]
        ends = torch.where(own > 0, high.ravel(), low.ravel())
        current.view(-1)[best] = ends[best]
        moved[best] = True
    found = run(image, Wish(JSMA, strength, steps, finding))
    np.testing.assert_allclose(np.array(found.image), current.numpy().ravel(), rtol=0, atol=1e-6)
    assert int((np.array(found.image) != np.array(image)).sum()) <= round(share * leaf.numel())


@pytest.mark.parametrize("method", EVERY_ATTACK)
def test_attacks_raise_the_loss(method: str) -> None:
    losses = [run(network().image(seed), Wish(method, 0.1)).losses for seed in range(12)]
    rises = np.array([after - before for before, after in losses])
    assert rises.mean() > 3 * rises.std(ddof=1) / np.sqrt(len(rises)) > 0


def test_more_steps_raise_it_at_least_as_much_in_expectation() -> None:
    found = {
        method: np.mean([run(network().image(seed), Wish(method, 0.3)).losses[1] for seed in range(12)])
        for method in ("fgsm", "bim")
    }
    assert found["bim"] > found["fgsm"]


GREY = NetworkInput("image", (1, 1, 4, 4), "grey", 1.0, (-1.0, 1.0), (0.0,), (1.0,))


@given(
    values=st.lists(st.floats(-1, 1, width=32), min_size=16, max_size=16),
    strength=st.one_of(st.sampled_from([0.3, 1 / 255, 1e-6, 1.0]), st.floats(1e-7, 1)),
    kind=st.sampled_from(["f", "d"]),
    seed=st.integers(0, 9),
)
def test_nothing_goes_further_than_it_may(values: list[float], strength: float, kind: str, seed: int) -> None:
    image = array(kind, values)
    room = room_around(image, GREY, strength)
    far = strength * 2.0
    for changed in (room.lower, room.upper, anywhere(image, room, seed), room.held([9.0] * 16)):
        assert all(abs(there - here) <= far for here, there in zip(image, changed, strict=True))
        assert all(-1.0 <= there <= 1.0 for there in changed)
    reached = [max(-1.0, here - far) for here in image]
    np.testing.assert_allclose(np.array(room.lower), reached, rtol=0, atol=2.0**-22)


@pytest.mark.parametrize("method", EVERY_ATTACK)
def test_attacks_on_a_bundle_stay_within_their_bounds(method: str, gradient_bundle: Bundle) -> None:
    predictor = Predictor(gradient_bundle)
    entry = predictor.model.graphs["classifier"].images[0]
    low, high = ((end - entry.mean[0]) / entry.std[0] for end in entry.range)
    random = np.random.default_rng(0)
    image = array("f", random.uniform(low, high, entry.area).astype(np.float32).tobytes())
    for strength in STRENGTHS:
        found = predictor.attack(image, Wish(method, strength, seed=1))
        moved = np.abs(np.array(found.image, np.float64) - np.array(image, np.float64))
        assert 0 < moved.max() <= strength * (entry.range[1] - entry.range[0]) / entry.std[0]
        assert np.float32(low) <= min(found.image) and max(found.image) <= np.float32(high)
        assert found.losses[1] > found.losses[0]
        assert predictor.attack(image, Wish(method, strength, seed=1)).image == found.image


def test_the_loss_is_the_binary_cross_entropy_however_large_the_logits() -> None:
    logits, wanted = [-800.0, 0.3, 900.0, 50.0], {0: False, 1: True, 2: False, 3: True}
    leaf = torch.tensor(logits, dtype=torch.float64, requires_grad=True)
    expected = torch.nn.functional.binary_cross_entropy_with_logits(
        leaf, torch.tensor([0.0, 1.0, 0.0, 1.0], dtype=torch.float64), reduction="sum"
    )
    expected.backward()
    assert loss(logits, wanted) == pytest.approx(expected.item(), rel=1e-12)
    assert leaf.grad is not None
    assert list(slope_of_loss(logits, wanted)) == pytest.approx(leaf.grad.tolist(), rel=1e-9, abs=1e-20)
    assert list(slope_of_loss(logits, wanted))[3] == pytest.approx(-np.exp(-50.0))  # 1 − p is 0 in float64


def test_saliency_takes_the_values_that_move_one_logit_up_and_the_others_down() -> None:
    own, rest = np.array([3.0, -2.0, 5.0, 1.0, -4.0]), np.array([-1.0, 2.0, 1.0, -9.0, -1.0])
    free = np.ones(5, bool)
    assert directions(own, rest, free, 2).tolist() == [0, -1, 0, 1, 0]
    free[3] = False
    assert directions(own, rest, free, 2).tolist() == [1, -1, 0, 0, 0]
    assert directions(own, np.zeros(5), free, 2).tolist() == [0, 0, 1, 0, -1]  # nothing opposes: the own slope decides
    assert directions(np.zeros(5), rest, free, 2).tolist() == [0, 0, 0, 0, 0]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"method": "cw"}, "no attack 'cw'. There are 'fgsm', 'bim', 'pgd'"),
        ({"finding": "Hernia"}, "no finding 'Hernia'. It has 'Effusion', 'Mass', 'Nodule'."),
        ({"strength": 0.0}, "0 < ε ≤ 1"),
        ({"strength": float("nan")}, "0 < ε ≤ 1"),
        ({"strength": 1.5}, "strength 1.5"),
        ({"steps": 0}, "1 to 1000 steps, not 0"),
    ],
)
@pytest.mark.parametrize("way", [attack, saliency_attack])
def test_what_there_is_not_is_refused(way: Callable[..., Any], changed: dict[str, Any], message: str) -> None:
    with pytest.raises(BadAttack, match=message.replace("(", r"\(")) as caught:
        network().drive(way(network().model, network().image(0), replace(Wish(), **changed)))
    assert caught.value.code == "bad-attack"


def test_a_bundle_without_gradient_says_what_it_has(bundle: Bundle) -> None:
    image = array("f", bytes(4 * 32 * 32))
    for method in EVERY_ATTACK:
        with pytest.raises(MissingNetwork, match=r"it has 'classifier', 'gate'") as caught:
            Predictor(bundle).attack(image, Wish(method))
        assert isinstance(caught.value, AnalysisError)
