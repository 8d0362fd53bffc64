"""Maps that know nothing of the model: what an explanation has to be better than.

Each takes an image [C, H, W] and a random generator, and gives float64 [H, W].

    random          every cell by chance
    edges           how steep the image is (Sobel): what the eye takes for an explanation
    centre          a Gaussian around the middle: where things are, mostly
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import sobel

from sitegen.evaluation.explanations.similarity import Map

Image = NDArray[np.float32]
CENTRE_SIGMA = 0.25  # of the image's side


def random_map(image: Image, rng: np.random.Generator) -> Map:
    """Return independent even noise, 0..1."""
    return rng.random(image.shape[-2:])


def edges(image: Image, rng: np.random.Generator) -> Map:
    """Return the length of the Sobel gradient of the mean over channels."""
    grey = image.astype(np.float64).mean(axis=0)
    return np.asarray(np.hypot(sobel(grey, 0), sobel(grey, 1)))


def centre(image: Image, rng: np.random.Generator) -> Map:
    """Return a Gaussian of CENTRE_SIGMA, 1 in the middle."""
    height, width = image.shape[-2:]
    down = ((np.arange(height) + 0.5) / height - 0.5) / CENTRE_SIGMA
    right = ((np.arange(width) + 0.5) / width - 0.5) / CENTRE_SIGMA
    return np.asarray(np.exp(-0.5 * (down[:, np.newaxis] ** 2 + right**2)))


BASELINES: dict[str, Callable[[Image, np.random.Generator], Map]] = {
    "random": random_map,
    "edges": edges,
    "centre": centre,
}
