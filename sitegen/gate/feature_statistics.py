"""How the pooled features of the training images lie: what two scores of the classifier's features are measured with.

Mahalanobis distance, after Lee, Lee, Lee, Shin: "A Simple Unified Framework for Detecting Out-of-Distribution Samples
and Adversarial Attacks" (NeurIPS 2018). There each class has a mean of its own. Here an image may have several findings
or none, so that there are no classes to take means of: one Gaussian stands for all training images.

ViM, after Wang, Li, Feng, Zhang: "ViM: Out-Of-Distribution with Virtual-logit Matching" (CVPR 2022). The training
features span little more than a principal subspace; what of an image lies outside of it is its residual.

All is float64. Images may have weights, for instance so that each source counts the same.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.covariance import ledoit_wolf

from sitegen.errors import DataError

PRINCIPAL_SHARE = 0.5  # of the dimensions; the ViM paper keeps 1000 of 2048, and 512 of 768
_SINGULAR = 1e-9  # a variance so small beside the average is nothing but rounding

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Whitening:
    """The Gaussian of the training features: the norm of `(features - mean) @ matrix` is the Mahalanobis distance.

    `mean` is [F], `matrix` [F, F] the inverse square root of the covariance. `shrinkage` (0..1) is how far Ledoit and
    Wolf's estimate went from the observed covariance to a sphere.
    """

    mean: Values
    matrix: Values
    shrinkage: float


@dataclass(frozen=True)
class Residual:
    """The directions in which training features hardly lie: `(features - origin) @ matrix` is the residual.

    `origin` is [F], `matrix` [F, K] with orthonormal columns. `alpha` brings the norm of the residual to the scale of
    the energy.
    """

    origin: Values
    matrix: Values
    alpha: float


def fit_whitening(features: ArrayLike, weights: ArrayLike | None = None) -> Whitening:
    """Return mean and whitening of pooled features [N, F] with weights [N], equal ones by default.

    The covariance is shrunk after Ledoit and Wolf (2004) as scikit-learn does, so that fewer images than features, or
    features that never change, still give a distance. Raises DataError for fewer than two images, values that are not
    finite, weights that do not fit, and images that are all alike.
    """
    rows, shares = _checked(features, weights)
    mean = shares @ rows
    # Rows of weight w count as if they were further out: their mean product is then the weighted covariance.
    scaled = (rows - mean) * np.sqrt(shares * len(rows))[:, np.newaxis]
    covariance, shrinkage = ledoit_wolf(scaled, assume_centered=True)
    variances, directions = np.linalg.eigh(covariance)
    average = variances.mean()
    if not (average > 0 and variances[0] > _SINGULAR * average):
        raise DataError(
            f"The features of these {len(rows)} images hardly differ, so that no distance can be measured with them. "
            "Take more and other training images, or leave out the metric mahalanobis."
        )
    return Whitening(mean, (directions / np.sqrt(variances)) @ directions.T, float(shrinkage))


def fit_residual(
    features: ArrayLike, logits: ArrayLike, weights: ArrayLike | None = None, origin: ArrayLike | None = None
) -> Residual:
    """Return the residual directions of pooled features [N, F], and alpha for their logits [N, labels].

    The principal subspace has PRINCIPAL_SHARE of the dimensions, those in which the features lie furthest from
    `origin` [F]: see `logit_origin`; by default the mean of the features.

    Alpha is the mean size of the joint energy divided by the mean norm of the residual. The paper takes the largest
    logit, which is above 0 where classes exclude each other; of findings that may all be absent the largest logit is
    often negative, and alpha would then turn the residual's meaning around. Raises DataError as `fit_whitening` does.
    """
    rows, shares = _checked(features, weights)
    away = rows - (start := _origin(origin, shares @ rows))
    _, directions = np.linalg.eigh((away * shares[:, np.newaxis]).T @ away)  # from the least to the furthest
    matrix = _signed(directions[:, : rows.shape[1] - int(PRINCIPAL_SHARE * rows.shape[1])])
    norm = float(shares @ np.linalg.norm(away @ matrix, axis=1))
    energies = joint_energy(logits)
    if energies.shape != shares.shape or not np.isfinite(energies).all():
        raise DataError(f"There are features of {len(rows)} images; each needs logits, all of them finite numbers.")
    if norm <= _SINGULAR * float(shares @ np.linalg.norm(away, axis=1)):
        raise DataError(
            f"The features of these {len(rows)} images leave no residual: half of the dimensions hold all of them. "
            "Take more and other training images, or leave out the metric vim."
        )
    return Residual(start, matrix, float(shares @ np.abs(energies)) / norm)


def joint_energy(logits: ArrayLike) -> Values:
    """Return the size of the joint energy [N] of logits [N, labels]: the sum over labels of log(1 + exp(logit)).

    Wang, Liu, Bocchieri, Li: "Can multi-label classification networks know what they don't know?" (NeurIPS 2021).
    The runtime's score `energy` is minus this.
    """
    return np.asarray(np.logaddexp(0, np.asarray(logits, np.float64)).sum(axis=-1))


def logit_origin(weight: ArrayLike, bias: ArrayLike) -> Values:
    """Return the features [F] for which a last layer, [labels, F] and [labels], gives logits nearest to 0.

    It is where the ViM paper puts the origin; only a head that is one linear layer has it.
    """
    return np.asarray(-np.linalg.pinv(np.asarray(weight, np.float64)) @ np.asarray(bias, np.float64))


def _checked(features: ArrayLike, weights: ArrayLike | None) -> tuple[Values, Values]:
    """The features as float64, and the share of each image in the whole."""
    rows = np.asarray(features, np.float64)
    if rows.ndim != 2 or rows.shape[0] < 2 or rows.shape[1] < 1:
        raise DataError(f"Feature statistics need two images at least, [images, features], not {list(rows.shape)}.")
    given = np.ones(len(rows)) if weights is None else np.asarray(weights, np.float64)
    if not np.isfinite(rows).all():
        bad = int((~np.isfinite(rows)).any(axis=1).argmax())
        raise DataError(f"The features of image {bad} are not all finite numbers; the network's weights are damaged.")
    if given.shape != (len(rows),) or not (np.isfinite(given).all() and (given >= 0).all() and given.sum() > 0):
        raise DataError(f"{len(rows)} images need as many weights, none negative and not all 0.")
    return rows, given / given.sum()


def _origin(given: ArrayLike | None, mean: Values) -> Values:
    origin = mean if given is None else np.asarray(given, np.float64)
    if origin.shape != mean.shape or not np.isfinite(origin).all():
        raise DataError(f"The origin of {len(mean)} features must be as many finite numbers.")
    return origin


def _signed(directions: Values) -> Values:
    """The same directions with the largest part of each positive: algebra leaves the sign to chance."""
    largest = np.abs(directions).argmax(axis=0)
    return np.asarray(directions * np.sign(directions[largest, np.arange(directions.shape[1])]))
