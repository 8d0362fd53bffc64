"""What a map is to explain, and what the methods ask the networks of a bundle to find it.

A network of the role `cam` gives the last feature map and the gradient with respect to it, and goes no further back: it
costs about one prediction. Where a bundle has none, the network of the role `gradient` gives the same for more.
"""

from __future__ import annotations  # array[float] is a name for type checkers until Python 3.12

import sys
from array import array
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sitegen_runtime.bundle.model import FinalWeights, Model, NetworkInput
from sitegen_runtime.errors import EngineFailed
from sitegen_runtime.pixels.grids import Shape
from sitegen_runtime.requests import Feed, LoadGraph, Progress, ReadFile, Request
from sitegen_runtime.running import Outputs, image_input, run_network, timed

if TYPE_CHECKING:
    from sitegen_runtime.document import Draft

FEATURES, PULLED = "features", "features-gradient"


@dataclass(frozen=True)
class Estimated:
    """How sure the values of a map are: their standard errors, and how many runs of `asked` they are from."""

    errors: array[float]
    runs: int
    asked: int


@dataclass(frozen=True)
class Map:
    """Float32 values in the stated shape (rows, columns), over the part of the image that the classifier sees.

    `estimated` where they are means over random masks.
    """

    shape: Shape
    values: array[float]
    estimated: Estimated | None = None


def _itself(drawn: Map) -> object:
    return drawn


@dataclass(frozen=True)
class Question:
    """What a map is to explain: the sum of the logits of these labels (by index), for the classifier's input `image`.

    The draft takes the times. `done` is how much of the whole job was done before, and `share` this map's part of it.
    `told` makes of an unfinished map what a `Sketch` is to hold. `runs` is how many masks are drawn where a method
    draws some, None for as many as it has.
    """

    model: Model
    draft: Draft[Any]
    labels: tuple[int, ...]
    image: array[float]
    done: float = 0.0
    share: float = 1.0
    told: Callable[[Map], object] = _itself
    runs: int | None = None

    @property
    def entry(self) -> NetworkInput:
        """The image as the classifier takes it, and with it all networks that explain."""
        return image_input(self.model, "classifier")

    def over_image(self, values: array[float], estimated: Estimated | None = None) -> Map:
        """Return the map of a value for each cell of the image."""
        return Map(self.entry.grid, values, estimated)

    def load(self, role: str) -> Generator[Request, Any, None]:
        """Make the network of a role ready."""
        yield Progress("session", 0.0)
        with timed(self.draft, "session"):
            yield LoadGraph(role)

    def gradient(self, role: str, image: array[float], part: float = 0.0) -> Generator[Request, Any, array[float]]:
        """Return the gradient for an image that the network of a role gives; `part` (0..1) of this map is done by now.

        Raises EngineFailed where it is not finite.
        """
        return (yield from self._run(role, image, ("gradient",), part))["gradient"]

    def logits(self, image: array[float], part: float = 0.0) -> Generator[Request, Any, list[float]]:
        """Return what the classifier says of an image for each of these labels; `part` is as in `gradient`.

        Raises EngineFailed where it is not finite.
        """
        yield Progress("explanation", self.done + part * self.share)
        logits = (yield from run_network(self.model, "classifier", image, ("logits",)))["logits"]
        return [logits[label] for label in self.labels]

    def features(self, outputs: tuple[str, ...]) -> Generator[Request, Any, tuple[Outputs, Shape]]:
        """Return outputs, by their roles, of a network that gives the last feature map, and the shape of its cells."""
        role = role_of_features(self.model) or "cam"
        yield from self.load(role)
        answer = yield from self._run(role, self.image, outputs, 0.0)
        _, _, rows, columns = self.model.graphs[role].outputs[FEATURES].shape or (0, 0, 0, 0)
        return answer, (rows, columns)

    def final_weights(self, final: FinalWeights) -> Generator[Request, Any, list[array[float]]]:
        """Return the last layer's weights of each of these labels, its bias last."""
        rows = _rows((yield ReadFile(final.file)), final)
        return [rows[label] for label in self.labels]

    def _run(
        self, role: str, image: array[float], outputs: tuple[str, ...], part: float
    ) -> Generator[Request, Any, Outputs]:
        """Run a network on an image and the seed that the labels make."""
        yield Progress("explanation", self.done + part * self.share)
        (seed,) = self.model.graphs[role].vectors
        weights = array("f", [float(label in self.labels) for label in range(len(self.model.labels))])
        return (yield from run_network(self.model, role, image, outputs, Feed(seed.name, seed.shape, weights)))


def role_of_features(model: Model) -> str | None:
    """Return the role of the network that gives the last feature map for the least, None where a bundle has none."""
    return next((role for role in ("cam", "gradient") if role in model.graphs and _gives_features(model, role)), None)


def _gives_features(model: Model, role: str) -> bool:
    shape = model.graphs[role].outputs[FEATURES].shape if FEATURES in model.graphs[role].outputs else None
    return shape is not None and len(shape) == 4


def _rows(content: bytes, final: FinalWeights) -> list[array[float]]:
    labels, columns = final.shape
    numbers = array("f")
    numbers.frombytes(content)
    if sys.byteorder == "big":
        numbers.byteswap()
    if len(numbers) != labels * columns:
        raise EngineFailed(f"The file {final.file} has no {labels} x {columns} weights. Export the bundle again.")
    return [numbers[label * columns : (label + 1) * columns] for label in range(labels)]
