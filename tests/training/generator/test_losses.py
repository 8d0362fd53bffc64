"""The losses and penalties against the formulas worked out by hand, in float64."""

from math import exp, log, sqrt

import pytest
import torch
from torch import Generator, Tensor, nn

from sitegen.training.generator.losses import (
    discriminator_loss,
    generator_loss,
    next_mean,
    path_lengths,
    path_penalty,
    r1_penalty,
)


def _sigmoid(x: float) -> float:
    return 1 / (1 + exp(-x))


def test_losses_are_the_logarithms_of_probabilities() -> None:
    of_real, of_made = torch.tensor([1.0, -2.0]), torch.tensor([0.5, 3.0])
    expected = -(log(_sigmoid(1)) + log(_sigmoid(-2)) + log(1 - _sigmoid(0.5)) + log(1 - _sigmoid(3))) / 2
    assert float(discriminator_loss(of_real, of_made)) == pytest.approx(expected, rel=1e-6)
    expected = -(log(_sigmoid(0.5)) + log(_sigmoid(3))) / 2
    assert float(generator_loss(of_made)) == pytest.approx(expected, rel=1e-6)


class _Quadratic(nn.Module):
    """The logit sum of a x² + x^3, whose gradient is 2 a x + 3 x²."""

    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Parameter(torch.tensor(0.7, dtype=torch.float64))

    def forward(self, images: Tensor) -> Tensor:
        return (self.a * images**2 + images**3).sum((1, 2, 3))


def test_r1_is_the_squared_length_of_the_gradient_and_so_is_its_own_gradient() -> None:
    """By hand: the penalty's derivative in `a` is gamma times the mean of the sum of (2 a x + 3 x²) 2 x."""
    torch.manual_seed(1)
    judge, images = _Quadratic(), torch.randn(3, 1, 4, 4, dtype=torch.float64)
    penalty = r1_penalty(judge, images, gamma=5.0)
    gradient = 2 * 0.7 * images + 3 * images**2
    assert penalty.item() == pytest.approx(float((gradient**2).sum()) / 3 * 2.5, rel=1e-12)
    penalty.backward()
    assert judge.a.grad is not None
    assert judge.a.grad.item() == pytest.approx(float((gradient * 2 * images).sum()) / 3 * 5, rel=1e-12)


class _Linear(nn.Module):
    """Images of 2x2 that are a matrix times the w of each layer: their Jacobian is known."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(2, 3, 4, dtype=torch.float64))  # layers, style, pixels

    def forward(self, w: Tensor, noise: list[Tensor]) -> Tensor:
        return torch.einsum("nls,lsp->np", w, self.weight).reshape(-1, 1, 2, 2)


def test_path_lengths_are_those_of_the_jacobian_times_random_images() -> None:
    """By hand: the gradient in layer l's w is the matrix times the random image; its root mean square over layers."""
    torch.manual_seed(2)
    synthesis = _Linear()
    w = torch.randn(5, 2, 3, dtype=torch.float64, requires_grad=True)
    lengths = path_lengths(synthesis, w, [], Generator().manual_seed(9))
    random = torch.randn((5, 1, 2, 2), generator=Generator().manual_seed(9)).double().reshape(5, 4) / 2
    products = torch.einsum("lsp,np->nls", synthesis.weight, random)
    expected = [sqrt(sum(float(x) ** 2 for x in each.flatten()) / 2) for each in products.detach()]
    assert lengths.tolist() == pytest.approx(expected, rel=1e-12)


def test_path_penalty_reaches_the_weights() -> None:
    """Its derivative, by differences: the running mean is a constant."""
    torch.manual_seed(3)
    synthesis, mean = _Linear(), torch.tensor(0.4, dtype=torch.float64)
    w = torch.randn(3, 2, 3, dtype=torch.float64, requires_grad=True)

    def penalty() -> Tensor:
        return path_penalty(path_lengths(synthesis, w, [], Generator().manual_seed(4)), mean, 2.0)

    penalty().backward()
    assert synthesis.weight.grad is not None
    found, values = synthesis.weight.grad[1, 2, 3].item(), []
    for sign in (1, -1):
        with torch.no_grad():
            synthesis.weight[1, 2, 3] += sign * 1e-5 * (1 if sign > 0 else 2)
        values.append(penalty().item())
    assert found == pytest.approx((values[0] - values[1]) / 2e-5, rel=1e-6)


def test_the_mean_length_follows_by_a_hundredth() -> None:
    assert next_mean(torch.tensor(2.0), torch.tensor([3.0, 5.0])).item() == pytest.approx(2.02)
