"""Scores of logits and features equal SciPy's and torch's to 1e-12."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import cholesky
from scipy.spatial.distance import mahalanobis as scipys
from scipy.special import log_expit, logsumexp

from sitegen_runtime.gate.feature_scores import energy, mahalanobis, max_logit, vim

TOLERANCE = 1e-12
LOGITS = st.lists(st.floats(-50, 50), min_size=1, max_size=20)


@given(logits=LOGITS)
def test_energy_equals_scipys_and_torchs(logits: list[float]) -> None:
    scale = max(1.0, abs(energy(logits)))
    # log(1 + exp(z)) = -log_expit(-z) = logsumexp([0, z])
    assert energy(logits) == pytest.approx(log_expit(-np.array(logits)).sum(), abs=TOLERANCE * scale, rel=0)
    assert energy(logits) == pytest.approx(-sum(logsumexp([0.0, z]) for z in logits), abs=TOLERANCE * scale, rel=0)
    softplus = torch.nn.functional.softplus(torch.tensor(logits, dtype=torch.float64), threshold=1000)
    assert energy(logits) == pytest.approx(-softplus.sum().item(), abs=TOLERANCE * scale, rel=0)


def test_literal_energies() -> None:
    assert energy([0.0]) == pytest.approx(-0.6931471805599453, abs=1e-15)
    assert energy([1000.0, -1000.0]) == -1000.0  # neither overflows


def test_the_largest_logit() -> None:
    assert max_logit([-3.0, -0.5, -2.0]) == -0.5


@given(seed=st.integers(0, 2**32 - 1), length=st.integers(1, 12))
@settings(max_examples=30)
def test_mahalanobis_equals_scipys(seed: int, length: int) -> None:
    random = np.random.default_rng(seed)
    spread = random.normal(0, 1, (length, length)) + 3 * np.eye(length)
    precision = np.linalg.inv(spread @ spread.T)
    features, mean = random.normal(0, 2, length), random.normal(0, 2, length)
    whitened = cholesky(precision) @ (features - mean)
    expected = scipys(features, mean, precision)
    assert mahalanobis(whitened.tolist()) == pytest.approx(expected, abs=TOLERANCE * max(1.0, expected), rel=0)


@given(logits=LOGITS, residual=st.lists(st.floats(-100, 100), min_size=1, max_size=40), alpha=st.floats(0.01, 10))
def test_vim_equals_the_formula_of_the_paper(logits: list[float], residual: list[float], alpha: float) -> None:
    energies = sum(logsumexp([0.0, z]) for z in logits)
    expected = alpha * np.linalg.norm(residual) - energies
    scale = max(1.0, alpha * np.linalg.norm(residual), energies)
    assert vim(residual, logits, alpha) == pytest.approx(expected, abs=TOLERANCE * scale, rel=0)


def test_a_literal_vim() -> None:
    assert vim([3.0, 4.0], [0.0], 2.0) == pytest.approx(10 - 0.6931471805599453, abs=1e-14)
