"""How alike two maps of an image are: rank correlation, structural similarity, overlap of their strongest cells.

Maps are float64 [H, W]. A map without differences orders nothing, so it correlates with no other: 0.

    rank_correlation(first, second)          -1..1
    structural_similarity(first, second)     -1..1
    top_overlap(first, second)               0..1
    chance(map, measure, draws, rng)         the same measure for maps that only look like the first
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata
from skimage.metrics import structural_similarity as ssim

Map = NDArray[np.float64]
Measure = Callable[[Map, Map], float]

TOP = 0.1  # share of an image's cells that count as the strongest


def rank_correlation(first: Map, second: Map) -> float:
    """Return Spearman's correlation of two maps: Pearson's of their ranks, ties sharing their mean rank."""
    one, other = (rankdata(each) for each in (first, second))
    one, other = one - one.mean(), other - other.mean()
    length = float(np.sqrt((one @ one) * (other @ other)))
    return float(one @ other) / length if length else 0.0


def absolute_rank_correlation(first: Map, second: Map) -> float:
    """Return the rank correlation of how strong cells are, whatever their sign."""
    return rank_correlation(np.abs(first), np.abs(second))


def structural_similarity(first: Map, second: Map) -> float:
    """Return the mean similarity (-1..1) of the strengths of two maps, each in shares of its largest.

    In a Gaussian window, as Wang et al. 2004 have it; maps of 11 x 11 cells at least. Two maps of zeros are alike.
    """
    found = ssim(  # type: ignore[no-untyped-call]
        _shares(first), _shares(second), data_range=1, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
    )
    return float(found)


def top_overlap(first: Map, second: Map) -> float:
    """Return the share (0..1) of the strongest tenth of one map's cells that are among the other's.

    The border of the tenth is drawn by value; cells that tie with the last one of them count in proportion.
    """
    one, other = _top(first), _top(second)
    return float(np.minimum(one, other).sum() / one.sum())


def chance(given: Map, measure: Measure, draws: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return the measure [draws] between a map and itself, moved to a random place across the borders.

    A moved map has the same values and is as smooth, but says nothing of the image. It tells what two maps that share
    no more than a look have in common by chance.
    """
    height, width = given.shape
    moves = zip(rng.integers(0, height, draws), rng.integers(0, width, draws), strict=True)
    return np.array([measure(given, np.roll(given, (int(down), int(right)), (0, 1))) for down, right in moves])


def _shares(given: Map) -> Map:
    strength = np.abs(given)
    largest = float(strength.max())
    return strength / largest if largest else strength


def _top(given: Map) -> Map:
    """Weights 0..1 that sum to the tenth of the cells: how much each belongs to the strongest."""
    wanted = max(1, round(TOP * given.size))
    border = np.partition(given.ravel(), -wanted)[-wanted]
    above, ties = given > border, given == border
    return np.asarray(above + ties * ((wanted - above.sum()) / ties.sum()))
