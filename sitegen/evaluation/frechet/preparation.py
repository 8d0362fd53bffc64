"""How a picture becomes a network's input, and what every network that gives features has in common."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sitegen.errors import DataError
from sitegen.evaluation.frechet.resizers import resized
from sitegen.evaluation.reconstructions.planes import PlaneProblem, largest_grey, read_plane

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Preparation:
    """How a picture becomes a network's input: scaled, its grey values brought to 0..1, and then normalised.

    `side` None is that of the network; `mean` and `std` have one number, or one for each channel.
    """

    resizer: str = "clean"
    filter: str = "bilinear"
    side: int | None = None
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)

    def tensor(self, path: Path, channels: int, side: int) -> NDArray[np.float32]:
        """Return an image file as [1, channels, side, side]; grey is given to every channel.

        Raises DataError where the file cannot be read.
        """
        try:
            plane = read_plane(path)
        except PlaneProblem as problem:
            raise DataError(str(problem)) from problem
        grey = resized(plane, side, self.resizer, self.filter) / largest_grey(plane)
        mean, std = (np.broadcast_to(each, channels).reshape(-1, 1, 1) for each in (self.mean, self.std))
        return np.asarray(((grey[np.newaxis] - mean) / std)[np.newaxis], np.float32)


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
