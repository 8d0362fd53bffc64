"""Is one detector better than another, or is it chance? A paired permutation test of their mean AUROC.

If two detectors are alike, it does not matter which of them gave which rank to an image. So each patient's images keep
their two ranks, or exchange them, all images of the patient at once; the AUROC of what results is computed anew (after
Venkatraman and Begg, "A distribution-free procedure for comparing receiver operating characteristic curves from a
paired experiment", Biometrika 1996, here by patient and for the area). Ranks stand for scores, because detectors have
scales of their own.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from sitegen.metrics.examples import Scores

CELLS = 4_000_000  # of ranks in memory at once
ROUNDING = 1e-12  # exchanges that give the same difference may give it in another last digit

Ranks = NDArray[np.int64]


@dataclass(frozen=True)
class Tested:
    """The difference of two detectors' mean AUROC, first less second, and the chance of one as large by exchanges.

    `exact` tells that all exchanges were looked at, and not `exchanges` random ones.
    """

    difference: float
    p: float
    exchanges: int
    exact: bool


def exchange_test(
    first: Scores,
    second: Scores,
    categories: NDArray[np.int64],
    patients: Sequence[str],
    permutations: int = 10_000,
    seed: int = 0,
) -> Tested:
    """Return the two-sided test of two detectors' scores [N] of the same images.

    `categories` are -1 for images inside, and 0, 1, … for those outside; the statistic is the mean of the categories'
    AUROC. Where there are no more exchanges than `permutations`, each is looked at, and p is the share that gives as
    large a difference, the images as they are among them; else p is (1 + such) / (1 + permutations). Raises ValueError
    where there are no images inside, or none outside.
    """
    inside = categories < 0
    if inside.all() or not inside.any():
        raise ValueError("images inside and outside are both needed to compare detectors")
    ranks = _ranks(first), _ranks(second)
    names, of_patient = np.unique(np.asarray(patients), return_inverse=True)
    exact = len(names) < 63 and 2 ** len(names) <= permutations
    observed = float(_difference(ranks, np.zeros((1, len(inside)), np.bool_), categories)[0])
    larger = total = 0
    rows = max(1, CELLS // (2 * len(inside) + 1))
    for chunk in _exchanges(len(names), None if exact else permutations, rows, seed):
        found = _difference(ranks, chunk[:, of_patient], categories)
        larger += int((np.abs(found) >= abs(observed) - ROUNDING).sum())
        total += len(found)
    return Tested(observed, larger / total if exact else (1 + larger) / (1 + total), total, exact)


def holm(values: Sequence[float]) -> list[float]:
    """Return p-values corrected for as many tests, in their order (Holm 1979): at most 1, and never falling in rank."""
    order = np.argsort(values, kind="stable")
    scaled = np.asarray(values, np.float64)[order] * np.arange(len(values), 0, -1)
    corrected = np.empty(len(values))
    corrected[order] = np.minimum(np.maximum.accumulate(scaled), 1)
    return [float(value) for value in corrected]


def _ranks(scores: Scores) -> Ranks:
    """Twice the average rank: whole numbers from 2 to 2 N, so that ties stay exact."""
    return np.asarray(np.rint(2 * rankdata(scores)), np.int64)


def _exchanges(patients: int, wanted: int | None, rows: int, seed: int) -> Iterator[NDArray[np.bool_]]:
    """Rows of which patients exchange their ranks, bool [rows, patients]: all of them, or as many as are wanted."""
    if wanted is None:
        for start in range(0, 2**patients, rows):
            numbers = np.arange(start, min(start + rows, 2**patients))
            yield (numbers[:, np.newaxis] >> np.arange(patients)) % 2 == 1
        return
    rng = np.random.default_rng(seed)
    for start in range(0, wanted, rows):
        yield rng.random((min(rows, wanted - start), patients)) < 0.5


def _difference(ranks: tuple[Ranks, Ranks], exchanged: NDArray[np.bool_], categories: NDArray[np.int64]) -> Scores:
    first, second = ranks
    one = np.where(exchanged, second, first)
    other = np.where(exchanged, first, second)
    return _mean_area(one, categories) - _mean_area(other, categories)


def _mean_area(ranks: Ranks, categories: NDArray[np.int64]) -> Scores:
    """The mean AUROC [B] over categories of each row of doubled ranks [B, N], ties half."""
    inside, outside = categories < 0, categories >= 0
    bins = 2 * ranks.shape[1] + 1
    places = ranks[:, inside] + bins * np.arange(len(ranks))[:, np.newaxis]
    counts = np.bincount(places.ravel(), minlength=bins * len(ranks)).reshape(len(ranks), bins)
    below = np.cumsum(counts, axis=1) - counts / 2
    beaten = np.take_along_axis(below, ranks[:, outside], axis=1) / inside.sum()
    kinds, members, sizes = np.unique(categories[outside], return_inverse=True, return_counts=True)
    return np.asarray(beaten @ (1 / (sizes[members] * len(kinds))))
