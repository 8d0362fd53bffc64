"""Whether probabilities mean what they say: reliability diagram, expected calibration error, Brier score.

Bins adapt: each holds about the same number of images, so that none is empty where a model seldom goes.
"""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import ArrayLike

from sitegen.metrics.examples import Examples, Given, Scores, examples

BINS = 15
Z95 = 1.959963984540054  # of the normal distribution, for an interval of 95 %


@dataclass(frozen=True)
class Bin:
    """Images of about one probability: its mean, and the share that has the finding with its 95 % interval (Wilson)."""

    images: int
    weight: float
    predicted: float
    observed: float
    low: float
    high: float


def reliability_diagram(
    probabilities: ArrayLike, targets: Given, weights: ArrayLike | None = None, bins: int = BINS
) -> list[Bin]:
    """Return at most `bins` bins of rising probability, each of about the same weight.

    Equal probabilities stay together: an image falls into bin floor(bins * r), where r is the share of the weight below
    the middle of those that tie with it. Raises ValueError for probabilities outside 0..1 and for fewer than one bin.
    """
    if bins < 1:
        raise ValueError(f"there must be one bin at least, not {bins}")
    given = _probabilities(probabilities, targets, weights)
    places = np.floor(bins * _middle_shares(given)).astype(np.int64)
    return [_bin(given, places == place) for place in np.unique(places[given.weights > 0])]


def expected_calibration_error(
    probabilities: ArrayLike, targets: Given, weights: ArrayLike | None = None, bins: int = BINS
) -> float:
    """Return the mean distance of predicted from observed shares, over the bins by their weight (0..1).

    With few images in a bin it is above 0 even where the model is calibrated perfectly: see
    `calibration_error_by_chance`.
    """
    diagram = reliability_diagram(probabilities, targets, weights, bins)
    distance = sum(part.weight * abs(part.predicted - part.observed) for part in diagram)
    return float(distance / sum(part.weight for part in diagram))


def calibration_error_by_chance(
    probabilities: ArrayLike, weights: ArrayLike | None = None, bins: int = BINS, draws: int = 200, seed: int = 0
) -> float:
    """Return the expected calibration error that probabilities [N] would have on average if they were all right.

    The mean over `draws` of targets that are drawn from the probabilities themselves: what an error is to be compared
    with, for the fewer the images of a bin, the further the observed share falls from the predicted one by chance.
    """
    given = _probabilities(probabilities, np.zeros(np.shape(probabilities)), weights)
    places = np.floor(bins * _middle_shares(given)).astype(np.int64)
    members = (places[:, np.newaxis] == np.unique(places[given.weights > 0])) * given.weights[:, np.newaxis]
    predicted, rng = given.scores @ members, np.random.default_rng(seed)
    drawn = (rng.random(len(given.scores)) < given.scores for _ in range(draws))
    return float(np.mean([np.abs(predicted - targets @ members).sum() for targets in drawn]) / members.sum())


def brier_score(probabilities: ArrayLike, targets: Given, weights: ArrayLike | None = None) -> float:
    """Return the mean squared distance of probabilities from targets: 0 is best, 0.25 is one half everywhere.

    Raises ValueError for probabilities outside 0..1.
    """
    given = _probabilities(probabilities, targets, weights)
    return float(np.average((given.scores - given.targets) ** 2, weights=given.weights))


def _probabilities(probabilities: ArrayLike, targets: Given, weights: ArrayLike | None) -> Examples:
    given = examples(probabilities, targets, weights)
    outside = given.scores[(given.scores < 0) | (given.scores > 1)]
    if len(outside):
        raise ValueError(f"probabilities must lie in 0..1, not at {outside[0]:g}")
    if not given.weights.any():
        raise ValueError("all weights are 0")
    return given


def _middle_shares(given: Examples) -> Scores:
    """For each image, the share of the weight below it, with half the weight of those that tie with it: in 0..1."""
    _, inverse = np.unique(given.scores, return_inverse=True)
    weights = np.bincount(inverse, given.weights)
    shares = (np.cumsum(weights) - weights / 2) / weights.sum()
    return np.asarray(np.minimum(shares, np.nextafter(1, 0))[inverse])


def _bin(given: Examples, members: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> Bin:
    weights = given.weights[members]
    observed = float(np.average(given.targets[members], weights=weights))
    low, high = _wilson(observed, float(weights.sum() ** 2 / np.sum(weights**2)))
    predicted = float(np.average(given.scores[members], weights=weights))
    return Bin(int(members.sum()), float(weights.sum()), predicted, observed, low, high)


def _wilson(share: float, count: float) -> tuple[float, float]:
    """The interval of a share seen in `count` images (with weights: as many equal ones as are worth as much)."""
    centre = (share + Z95**2 / (2 * count)) / (1 + Z95**2 / count)
    half = Z95 * sqrt(share * (1 - share) / count + Z95**2 / (4 * count**2)) / (1 + Z95**2 / count)
    return max(0.0, centre - half), min(1.0, centre + half)
