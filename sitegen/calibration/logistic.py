"""Logistic regression without a penalty, by Newton's method: what several calibrations are fitted with."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
STEPS = 100
LIMIT = 500.0  # of the logits: beyond, the likelihood still grows, and there is no maximum


def fit_logistic(features: Floats, targets: Floats, weights: Floats) -> Floats:
    """Return the coefficients [K] of least weighted log loss of sigmoid(features @ coefficients) against targets.

    `features` are [N, K], `targets` [N] in 0..1, `weights` [N] not negative. Steps are halved until the loss does not
    rise; columns are scaled to unit size, so that the size of the features does not matter. Raises ValueError where no
    least loss exists: the features separate the classes, or one is a copy of others.
    """
    scale = np.sqrt(np.average(features**2, axis=0, weights=weights))
    if not scale.all():
        raise ValueError("a feature is 0 for all images: nothing can be fitted")
    scaled, share = features / scale, weights / weights.sum()
    coefficients = np.zeros(features.shape[1])
    loss = _loss(scaled @ coefficients, targets, share)
    for _ in range(STEPS):
        step = _newton_step(scaled, targets, share, coefficients)
        while (tried := _loss(scaled @ (coefficients + step), targets, share)) > loss and np.abs(step).max() > 1e-15:
            step = step / 2
        coefficients, loss = coefficients + step, tried
        if np.abs(scaled[weights > 0] @ coefficients).max() > LIMIT:
            break
        if np.abs(step).max() <= 1e-12 * max(1.0, np.abs(coefficients).max()):
            return np.asarray(coefficients / scale)
    raise ValueError("the scores separate the classes perfectly, or nearly so: a least log loss does not exist")


def _newton_step(features: Floats, targets: Floats, weights: Floats, coefficients: Floats) -> Floats:
    probability = 0.5 * (1 + np.tanh(features @ coefficients / 2))
    gradient = features.T @ (weights * (targets - probability))
    curvature = (features * (weights * probability * (1 - probability))[:, np.newaxis]).T @ features
    try:
        return np.asarray(np.linalg.solve(curvature, gradient))
    except np.linalg.LinAlgError:
        raise ValueError("the scores separate the classes, or do not vary: a least log loss does not exist") from None


def _loss(logits: Floats, targets: Floats, weights: Floats) -> float:
    return float(weights @ (np.logaddexp(0, logits) - targets * logits))
