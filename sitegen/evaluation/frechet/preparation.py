"""How a picture becomes a network's input, and what every network that gives features has in common."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from sitegen.errors import DataError
from sitegen.evaluation.frechet.resizers import resized
from sitegen.evaluation.reconstructions.planes import Plane, PlaneProblem, largest_grey, read_plane

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Preparation:
    """How a picture becomes a network's input: scaled, its grey values brought to 0..1, and then normalised.

    `side` None is that of the network; `mean` and `std` have one number, or one for each channel.
    `noise` is the deviation of Gaussian noise as a share of the range, cut at its ends; `blur` that of a Gaussian, in
    pixels: what is done to the picture before it is scaled, to see what it does to distances.
    """

    resizer: str = "clean"
    filter: str = "bilinear"
    side: int | None = None
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    noise: float = 0.0
    blur: float = 0.0

    def tensor(self, path: Path, channels: int, side: int) -> NDArray[np.float32]:
        """Return an image file as [1, channels, side, side]; grey is given to every channel.

        Raises DataError where the file cannot be read.
        """
        try:
            plane = read_plane(path)
        except PlaneProblem as problem:
            raise DataError(str(problem)) from problem
        grey = resized(self._altered(plane, path), side, self.resizer, self.filter) / largest_grey(plane)
        mean, std = (np.broadcast_to(each, channels).reshape(-1, 1, 1) for each in (self.mean, self.std))
        return np.asarray(((grey[np.newaxis] - mean) / std)[np.newaxis], np.float32)

    def _altered(self, plane: Plane, path: Path) -> NDArray[np.generic]:
        if not self.noise and not self.blur:
            return plane
        altered = gaussian_filter(plane.astype(np.float64), self.blur) if self.blur else plane.astype(np.float64)
        if self.noise:
            rng = np.random.default_rng(list(path.name.encode()))  # the same for the same image, another for another
            altered += rng.normal(0, self.noise * largest_grey(plane), plane.shape)
        return np.asarray(np.clip(altered, 0, largest_grey(plane)))


class FeatureSource(Protocol):
    """A network that gives features [D] of an image file, and values of classes [K] or None; `key` is of its file and
    all settings. It opens its file when first used, and so can be sent to other processes."""

    @property
    def graph(self) -> Path:
        """The network's file."""

    @property
    def preparation(self) -> Preparation:
        """How pictures become its input."""

    @property
    def classes(self) -> str | None:
        """The name of the output of classes, None where there is none."""

    @property
    def key(self) -> str:
        """What tells its features from others."""

    def prepared(self, preparation: Preparation) -> "FeatureSource":
        """Return the same network with another preparation."""

    def __call__(self, path: Path) -> tuple[Values, Values | None]:
        """Return features and classes. Raises DataError where the file cannot be read, or they are no numbers."""


def checked(path: Path, made: list[Values]) -> list[Values]:
    """Return a network's outputs for one image as rows, averaged over rows and columns where they have some.

    Raises DataError where one has what is no number.
    """
    rows = [_flat(each) for each in made]
    if not all(np.isfinite(each).all() for each in rows):
        raise DataError(f"{path}: the network gives values that are no numbers. Check its mean and std.")
    return rows


def _flat(values: Values) -> Values:
    given = values[0]
    return np.asarray(given.mean(axis=(1, 2)) if given.ndim == 3 else given.ravel())
