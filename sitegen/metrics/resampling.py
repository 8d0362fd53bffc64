"""How sure a figure is: the bootstrap over patients, and random halves of the images.

A resample is a row of weights: how often each example was drawn. A statistic takes a matrix of such rows [B, N] and
returns one value for each [B], NaN where it is not defined (one class is missing); such a resample is drawn again.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sitegen.metrics.examples import Scores

Statistic = Callable[[Scores], Scores]
CELLS = 2_000_000  # of weights in memory at once


@dataclass(frozen=True)
class Resampling:
    """How often chance is asked how sure a figure is: resamples of patients for an interval, random halves of the
    images for a deviation, exchanges of two detectors' scores for a test; and the seed of all of it.

    A study asks for those that its figures have.
    """

    resamples: int = 1000
    half_splits: int = 10
    permutations: int = 10_000
    seed: int = 0


@dataclass(frozen=True)
class Interval:
    """A value with the ends of its interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f}–{self.high:.3f})"


def interval_by_patient(
    statistic: Statistic, patients: Sequence[str], resamples: int = 1000, share: float = 0.95, seed: int = 0
) -> Interval:
    """Return the statistic of all examples, with its percentile bootstrap interval over patients.

    Whole patients are drawn with replacement, because images of one are alike. Raises ValueError where the statistic is
    not defined for all examples, or for more than `resamples` draws.
    """
    value = float(statistic(np.ones((1, len(patients))))[0])
    rows = max(1, min(CELLS // max(1, len(patients)), 250))
    values = _defined(statistic, drawn_patients(patients, rows, np.random.default_rng(seed)), resamples)
    low, high = np.quantile(values, [(1 - share) / 2, (1 + share) / 2])
    return Interval(value, float(low), float(high))


def half_split_deviation(statistic: Statistic, images: int, splits: int = 10, seed: int = 0) -> float:
    """Return the standard deviation of a statistic over random halves of the images, without replacement.

    Cohen, Bertin, Frappier: "Chester" (2020), table 1: "10 random splits of the test set. Each split is half the size
    of the test set." The sample's deviation, with `splits` - 1 below the line. Halves overlap, and images of a patient
    fall on both sides, so it is smaller than the interval by patient suggests. Raises ValueError where there are fewer
    than two images or splits, or as `interval_by_patient` does.
    """
    if images < 2 or splits < 2:
        raise ValueError(f"halves need two images and two splits at least, not {images} and {splits}")
    return float(np.std(_defined(statistic, _halves(images, seed), splits), ddof=1))


def bootstrap_interval(
    statistic: Callable[[NDArray[np.int64]], float],
    patients: Sequence[str],
    resamples: int = 1000,
    share: float = 0.95,
    seed: int = 0,
) -> Interval:
    """Return what `interval_by_patient` does, of a statistic that takes the indices [M] of the examples drawn.

    For statistics that do not come as a function of weights; they raise ValueError where they are not defined.
    """

    def each(draws: Scores) -> Scores:
        return np.array([_or_nan(statistic, np.repeat(np.arange(len(row)), row.astype(np.int64))) for row in draws])

    statistic(np.arange(len(patients)))  # its own error says what is wrong
    return interval_by_patient(each, patients, resamples, share, seed)


def share_of_draws(values: NDArray[np.bool_], draws: Scores) -> Scores:
    """Return the share of True among boolean values [N], for each row of weights [B, N]; NaN for rows of zeros."""
    with np.errstate(invalid="ignore"):
        return np.asarray(draws @ values / draws.sum(axis=1))


def _or_nan(statistic: Callable[[NDArray[np.int64]], float], drawn: NDArray[np.int64]) -> float:
    try:
        return statistic(drawn)
    except ValueError:
        return float("nan")


def _defined(statistic: Statistic, draws: Iterator[Scores], wanted: int) -> Scores:
    """The statistic of the first draws for which it is defined, as many as are wanted."""
    kept: list[Scores] = []
    failures = found = 0
    while found < wanted:
        values = statistic(next(draws))
        defined = values[~np.isnan(values)]
        kept.append(defined)
        found += len(defined)
        failures += len(values) - len(defined)
        if failures > wanted and found < wanted:
            raise ValueError(f"the statistic is not defined for {failures} of {failures + found} random draws")
    return np.concatenate(kept)[:wanted]


def drawn_patients(patients: Sequence[str], rows: int, rng: np.random.Generator) -> Iterator[Scores]:
    """Give, again and again, `rows` of weights [rows, N]: how often each image was drawn with its patient.

    In each row as many patients are drawn, with replacement, as there are.
    """
    names, inverse = np.unique(np.asarray(patients), return_inverse=True)
    while True:
        drawn = rng.integers(0, len(names), (rows, len(names)))
        places = drawn + len(names) * np.arange(rows)[:, np.newaxis]
        counts = np.bincount(places.ravel(), minlength=rows * len(names)).reshape(rows, len(names))
        yield counts[:, inverse].astype(np.float64)


def _halves(images: int, seed: int) -> Iterator[Scores]:
    rng = np.random.default_rng(seed)
    half = np.arange(images) < images // 2
    while True:
        yield rng.permutation(half)[np.newaxis].astype(np.float64)
