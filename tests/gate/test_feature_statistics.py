"""Statistics of features against SciPy and scikit-learn, and where there is too little to take any from."""

import numpy as np
import pytest
import torch
from scipy.spatial.distance import mahalanobis
from sklearn.covariance import LedoitWolf

from sitegen.errors import DataError
from sitegen.gate.feature_statistics import fit_residual, fit_whitening, joint_energy, logit_origin


def features(images: int = 200, width: int = 12, seed: int = 0) -> np.ndarray:
    """Features that depend on each other, of different sizes, and not around 0."""
    random = np.random.default_rng(seed)
    return random.normal(size=(images, width)) @ random.normal(size=(width, width)) + random.uniform(0, 5, width)


def logits(images: int = 200, labels: int = 3) -> np.ndarray:
    return np.random.default_rng(9).normal(-1, 2, (images, labels))


def test_whitened_distances_are_those_of_scipy_and_scikit_learn() -> None:
    rows, seen = features(), features(seed=1)
    fitted = fit_whitening(rows)
    reference = LedoitWolf().fit(rows)
    distances = np.linalg.norm((seen - fitted.mean) @ fitted.matrix, axis=1)
    assert distances**2 == pytest.approx(reference.mahalanobis(seen), rel=1e-9)
    inverse = np.linalg.inv(reference.covariance_)
    expected = [mahalanobis(row, rows.mean(axis=0), inverse) for row in seen]
    assert distances == pytest.approx(expected, rel=1e-9)
    assert fitted.shrinkage == pytest.approx(reference.shrinkage_, rel=1e-12)
    assert fitted.matrix == pytest.approx(fitted.matrix.T, abs=1e-12)


def test_a_weight_of_two_gives_the_moments_of_the_image_twice_over() -> None:
    """Many images leave next to no shrinkage, so that the covariance itself can be compared."""
    rows = features(4000, 3)
    weights = np.where(np.arange(4000) < 1000, 2.0, 1.0)
    fitted = fit_whitening(rows, weights)
    twice = np.concatenate([rows, rows[:1000]])
    assert fitted.mean == pytest.approx(twice.mean(axis=0), rel=1e-12)
    covariance = np.linalg.inv(fitted.matrix @ fitted.matrix)
    assert fitted.shrinkage < 0.005
    observed = np.cov(twice.T, bias=True)
    sphere = np.trace(observed) / 3 * np.eye(3)
    assert covariance == pytest.approx(
        (1 - fitted.shrinkage) * observed + fitted.shrinkage * sphere, rel=1e-9, abs=1e-12
    )


def test_fewer_images_than_features_and_features_that_never_change_still_give_distances() -> None:
    rows = features(8, 20)
    rows[:, 3] = 7.0
    fitted = fit_whitening(rows)
    assert np.isfinite(fitted.matrix).all()
    assert 0.01 < fitted.shrinkage <= 1
    own = np.linalg.norm((rows - fitted.mean) @ fitted.matrix, axis=1)
    changed = rows.copy()
    changed[:, 3] += 5.0  # a dead feature that awakes is unlike all training images
    assert (np.linalg.norm((changed - fitted.mean) @ fitted.matrix, axis=1) > own + 0.3).all()


@pytest.mark.parametrize(
    ("rows", "weights", "message"),
    [
        (np.ones((50, 4)), None, "hardly differ"),
        (np.ones((1, 4)), None, "two images at least"),
        (np.ones(4), None, "two images at least"),
        (np.array([[1.0, 2.0], [np.nan, 1.0], [0.0, 1.0]]), None, "image 1 are not all finite"),
        (features(5), [1, 1, 1, 1], "as many weights"),
        (features(2), [0, 0], "not all 0"),
        (features(2), [-1, 2], "none negative"),
    ],
)
def test_what_gives_no_statistics_is_told(rows: np.ndarray, weights: list[int] | None, message: str) -> None:
    with pytest.raises(DataError, match=message):
        fit_whitening(rows, weights)
    with pytest.raises(DataError):
        fit_residual(rows, np.zeros((len(rows), 2)), weights)


def test_residuals_are_what_the_main_directions_leave() -> None:
    """Against the singular value decomposition, which the paper's principal components can be had from, too."""
    rows, outputs = features(), logits()
    fitted = fit_residual(rows, outputs)
    assert fitted.matrix.shape == (12, 6)
    away = rows - rows.mean(axis=0)
    main = np.linalg.svd(away)[2][:6].T
    left = away - away @ main @ main.T
    norms = np.linalg.norm((rows - fitted.origin) @ fitted.matrix, axis=1)
    assert norms == pytest.approx(np.linalg.norm(left, axis=1), rel=1e-9)
    energy = torch.nn.functional.softplus(torch.from_numpy(outputs)).sum(1).numpy()
    assert fitted.alpha == pytest.approx(energy.mean() / np.linalg.norm(left, axis=1).mean(), rel=1e-9)
    assert fitted.alpha > 0 > outputs.mean()


def test_an_odd_number_of_features_keeps_the_larger_part_as_residual() -> None:
    assert fit_residual(features(width=7), logits()).matrix.shape == (7, 4)
    assert fit_residual(features(width=1), logits()).matrix.shape == (1, 1)


def test_weights_count_in_the_residual() -> None:
    rows, outputs = features(), logits()
    weights = np.where(np.arange(200) < 60, 2.0, 1.0)
    weighted = fit_residual(rows, outputs, weights)
    twice = fit_residual(np.concatenate([rows, rows[:60]]), np.concatenate([outputs, outputs[:60]]))
    assert weighted.matrix == pytest.approx(twice.matrix, abs=1e-9)
    assert weighted.alpha == pytest.approx(twice.alpha, rel=1e-9)


def test_the_origin_is_where_logits_vanish() -> None:
    random = np.random.default_rng(3)
    weight, bias = random.normal(size=(3, 12)), random.normal(size=3)
    origin = logit_origin(weight, bias)
    assert weight @ origin + bias == pytest.approx(np.zeros(3), abs=1e-12)
    fitted = fit_residual(features(), logits(), origin=origin)
    assert fitted.origin == pytest.approx(origin, abs=0)
    with pytest.raises(DataError, match="origin of 12 features"):
        fit_residual(features(), logits(), origin=origin[:5])


def test_features_without_a_residual_are_told() -> None:
    flat = np.zeros((100, 6))
    flat[:, :2] = features(100, 2)
    with pytest.raises(DataError, match=r"leave no residual.*leave out the metric vim"):
        fit_residual(flat, logits(100))


def test_logits_must_be_there_for_each_image() -> None:
    with pytest.raises(DataError, match="features of 200 images; each needs logits"):
        fit_residual(features(), logits(199))
    with pytest.raises(DataError, match="finite"):
        fit_residual(features(), np.full((200, 3), np.inf))


def test_the_same_images_give_the_same_bytes_and_signs() -> None:
    first, second = (fit_residual(features(), logits()) for _ in range(2))
    assert first.matrix.tobytes() == second.matrix.tobytes()
    assert (first.matrix[np.abs(first.matrix).argmax(axis=0), range(6)] > 0).all()


def test_joint_energy() -> None:
    values = np.array([[0.0, 0.0], [800.0, -800.0], [-1.5, 2.0]])
    expected = torch.nn.functional.softplus(torch.from_numpy(values), threshold=1e9).sum(1).numpy()
    assert joint_energy([[0.0, 0.0]]) == pytest.approx([2 * np.log(2)], abs=1e-15)
    assert joint_energy(values)[1] == 800.0
    assert joint_energy(values)[2] == pytest.approx(expected[2], rel=1e-12)
