"""What a model says of an image when the cells that a map calls relevant are taken away, or are all that is left.

    deletion(score, image, order)      cells replaced by the mean grey, the most relevant first: a good map falls early
    insertion(score, image, order)     cells put back into a blurred image: a good map rises early
    road(score, image, order)          cells replaced by what their neighbours suggest, so that no edges betray them

Deletion and insertion: Petsiuk, Das, Saenko, "RISE", BMVC 2018. ROAD: Rong et al., "A consistent and efficient
evaluation strategy for attribution methods", ICML 2022. `score` takes an image [C, H, W] and gives the probability of
the finding; `order` has all cells, row by row, the most relevant first.
"""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.sparse import csc_matrix
from scipy.sparse.linalg import cg

from sitegen.evaluation.explanations.similarity import Map

Image = NDArray[np.float32]
Order = NDArray[np.int64]
Score = Callable[[Image], float]
Curve = NDArray[np.float64]

ROAD_SHARES = (0.1, 0.2, 0.3, 0.5, 0.7, 0.9)
BLUR = 0.05  # of the image's side: the Gaussian that insertion starts from
NOISE = 0.01  # of the image's own range: what ROAD adds to filled cells
TOLERANCE = 1e-4  # of the solution, far below the noise
_NEIGHBOURS = tuple(
    (down, right, 1 / 6 if 0 in (down, right) else 1 / 12)
    for down in (-1, 0, 1)
    for right in (-1, 0, 1)
    if (down, right) != (0, 0)
)


def order_of(given: Map, rng: np.random.Generator) -> Order:
    """Return the cells of a map from the most to the least relevant; equal ones in random order."""
    return np.lexsort((rng.random(given.size), -given.ravel())).astype(np.int64)


def deletion(score: Score, image: Image, order: Order, steps: int) -> Curve:
    """Return the scores [steps + 1] with 0, 1/steps, … all of the cells replaced by each channel's mean."""
    grey = np.broadcast_to(image.mean(axis=(1, 2), keepdims=True), image.shape)
    return _exchanged(score, image, grey, order, steps)


def insertion(score: Score, image: Image, order: Order, steps: int) -> Curve:
    """Return the scores [steps + 1] with 0, 1/steps, … all of the cells put back into the blurred image."""
    sigma = BLUR * min(image.shape[-2:])
    blurred = np.stack([gaussian_filter(channel, sigma) for channel in image])
    return _exchanged(score, blurred, image, order, steps)


def road(score: Score, image: Image, order: Order, rng: np.random.Generator) -> Curve:
    """Return the scores [len(ROAD_SHARES)] with these shares of the cells filled in, in this order."""
    found = []
    for share in ROAD_SHARES:
        removed = np.zeros(order.size, np.bool_)
        removed[order[: round(share * order.size)]] = True
        found.append(score(imputed(image, removed.reshape(image.shape[-2:]), rng)))
    return np.array(found)


def area(curve: Curve) -> float:
    """Return the area under a curve of evenly spaced points, in shares of its width: the trapezoidal rule."""
    return float((curve[:-1] + curve[1:]).mean() / 2)


def imputed(image: Image, removed: NDArray[np.bool_], rng: np.random.Generator) -> Image:
    """Return an image whose removed cells [H, W] are filled by noisy linear imputation.

    Each is the mean of its eight neighbours, those at its sides counting twice as much as those at its corners, removed
    ones included: the values solve one system of linear equations. Then comes Gaussian noise, or a network could read
    from the smoothness where cells were removed.
    """
    filled = image.copy()
    if removed.any():
        system, known = _equations(image, removed)
        values = np.stack(
            [cg(system, each, x0=np.full(len(each), each.sum() / system.sum()), rtol=TOLERANCE)[0] for each in known.T]
        )
        noise = rng.normal(0, NOISE * float(np.ptp(image)), values.shape)
        filled[:, removed] = (values + noise).astype(np.float32)
    return filled


def _equations(image: Image, removed: NDArray[np.bool_]) -> tuple[csc_matrix, NDArray[np.float64]]:
    """The matrix [M, M] and the right side [M, C] for M removed cells, in their order."""
    height, width = removed.shape
    rows, columns = np.nonzero(removed)
    number = np.full(removed.shape, -1)
    number[rows, columns] = mine = np.arange(len(rows))
    weights, known = np.zeros(len(rows)), np.zeros((len(rows), len(image)))
    entries = []
    for down, right, weight in _NEIGHBOURS:
        near, aside = rows + down, columns + right
        inside = (near >= 0) & (near < height) & (aside >= 0) & (aside < width)
        weights += weight * inside
        at = near[inside], aside[inside]
        gone = number[at] >= 0
        entries.append((mine[inside][gone], number[at][gone], np.full(int(gone.sum()), -weight)))
        known[mine[inside][~gone]] += weight * image[:, at[0][~gone], at[1][~gone]].T
    entries.append((mine, mine, weights))
    line, place, value = (np.concatenate(part) for part in zip(*entries, strict=True))
    return csc_matrix((value, (line, place)), (len(rows), len(rows))), known


def _exchanged(score: Score, first: Image, second: NDArray[np.floating], order: Order, steps: int) -> Curve:
    """Scores of the first image while ever more of its cells become the second's."""
    image = first.copy()
    rows, columns = np.unravel_index(order, first.shape[-2:])
    found = [score(image)]
    borders = np.rint(np.linspace(0, len(order), steps + 1)).astype(int)
    for start, end in pairwise(borders.tolist()):
        at = rows[start:end], columns[start:end]
        image[:, at[0], at[1]] = second[:, at[0], at[1]]
        found.append(score(image))
    return np.array(found)
