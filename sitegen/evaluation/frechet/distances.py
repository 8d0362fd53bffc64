"""The Fréchet distance of two sets of features, what it would be of infinitely many, and the Inception Score.

    |m1 - m2|² + tr(S1) + tr(S2) - 2 tr((S1 S2)^(1/2))           Heusel et al., "GANs trained by a two time-scale
                                                                 update rule …", NeurIPS 2017

S1 = A'A and S2 = B'B for centred features A and B, divided by the root of their number less one. The trace of the root
of S1 S2 is the sum of the singular values of AB', which needs no root of a matrix, and is right for fewer images than
features, too.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
SIZES = 8  # of subsets, from half of the images to all
DRAWS = 3  # of each size


@dataclass(frozen=True)
class Extrapolated:
    """Distances of subsets by their size, and what a line through them over 1 / size says of infinitely many.

    `bias` is how far the line lies above that at as many images as there are.
    """

    sizes: list[int]
    distances: list[float]
    infinite: float
    bias: float


def frechet_distance(first: Values, second: Values) -> float:
    """Return the distance of two sets of features [N, D] and [M, D]. Raises ValueError where one has fewer than two."""
    if min(len(first), len(second)) < 2:
        raise ValueError(f"a covariance needs two images or more, not {len(first)} and {len(second)}")
    means = [each.mean(axis=0) for each in (first, second)]
    roots = [_root(each - mean) for each, mean in zip((first, second), means, strict=True)]
    common = np.linalg.svd(roots[0] @ roots[1].T, compute_uv=False).sum()
    traces = sum(float((root**2).sum()) for root in roots)
    return max(0.0, float(((means[0] - means[1]) ** 2).sum() + traces - 2 * common))


def extrapolated(first: Values, second: Values, seed: int = 0) -> Extrapolated | None:
    """Return the distance of infinitely many images (Chong and Forsyth, "Effectively unbiased FID and Inception Score",
    CVPR 2020): a line through distances of random subsets over 1 / size.

    Of both sets as many are taken, up to the size of the smaller. None for fewer than 20 images, whose line says
    nothing.
    """
    most = min(len(first), len(second))
    if most < 20:
        return None
    rng = np.random.default_rng(seed)
    sizes = np.unique(np.linspace(most // 2, most, SIZES).astype(np.int64))
    found = [np.mean([_of_subsets(first, second, int(size), rng) for _ in range(DRAWS)]) for size in sizes]
    slope, infinite = np.polyfit(1 / sizes, found, 1)
    return Extrapolated(sizes.tolist(), [float(each) for each in found], float(infinite), float(slope / most))


def halves(features: Values, count: int, seed: int = 0) -> list[float]:
    """Return the distances of random halves of a set from each other: what no difference looks like at this size."""
    rng = np.random.default_rng(seed)
    orders = [rng.permutation(len(features)) for _ in range(count)]
    half = len(features) // 2
    return [frechet_distance(features[order[:half]], features[order[half : 2 * half]]) for order in orders]


def inception_score(probabilities: Values) -> float:
    """Return exp of the mean Kullback-Leibler divergence of each row [N, K] from their mean, all images in one
    (Salimans et al., "Improved techniques for training GANs", NeurIPS 2016)."""
    mean = probabilities.mean(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = np.where(probabilities > 0, probabilities * np.log(probabilities / mean), 0.0)
    return float(np.exp(parts.sum(axis=1).mean()))


def as_probabilities(values: Values) -> Values:
    """Return rows of probabilities: as they are where they are such already, else their softmax."""
    if (values >= 0).all() and np.allclose(values.sum(axis=1), 1, atol=1e-3):
        return values
    raised = np.exp(values - values.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def _of_subsets(first: Values, second: Values, size: int, rng: np.random.Generator) -> float:
    chosen = [each[rng.choice(len(each), size, replace=False)] for each in (first, second)]
    return frechet_distance(*chosen)


def _root(centred: Values) -> Values:
    """A matrix whose product with itself, transposed first, is the covariance; no higher than wide."""
    scaled = centred / np.sqrt(len(centred) - 1)
    return np.asarray(np.linalg.qr(scaled, mode="r") if len(scaled) > scaled.shape[1] else scaled)
