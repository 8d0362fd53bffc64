"""The steps of a projection: each is one run of the bundle's network of the role "generator".

That network holds a generator, the gradient of its distance from the image, and Adam's step along it (see
docs/projection.md). What it is fed at one step is what it gave at the step before; rates and random numbers come from
`schedule`. So a step costs Python next to nothing, however many values are free.
"""

from __future__ import annotations  # array[float] is a name for type checkers until Python 3.12

from array import array
from collections.abc import Callable, Generator
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from sitegen_runtime.bundle.model import Model
from sitegen_runtime.errors import MissingNetwork
from sitegen_runtime.projection.schedule import ONE, Draws, Wish, check_wish, corrections, jitter, rate
from sitegen_runtime.requests import Feed, LoadGraph, Progress, Request, Sketch
from sitegen_runtime.running import image_input, run_graph

ROLE, STAGE = "generator", "projection"
PARAMETERS, FIRST, SECOND, JITTER, RATES = "parameters", "first", "second", "jitter", "rates"
STATE = (PARAMETERS, FIRST, SECOND)
OUTPUTS = ("reconstruction", "distance", "latent", *STATE)
SKETCHES = 40  # of a whole projection

Told = Callable[["Projected"], object]
"""What makes of a projection, as far as it has come, what is shown of it."""


@dataclass(frozen=True)
class Projected:
    """What a projection came to.

    `reconstruction` are values like those of the network's image, [1, C, side, side]; `latent` is [1, layers, length];
    `parameters` are all that was free, as the network takes them; `distances` are from the image: one before each of
    the `steps` that were done, of the latent with its noise, and the last of the reconstruction.
    """

    reconstruction: array[float]
    latent: array[float]
    parameters: array[float]
    distances: tuple[float, ...]

    @property
    def steps(self) -> int:
        """How many steps were done."""
        return len(self.distances) - 1


def check_generator(model: Model) -> None:
    """Raise MissingNetwork where the bundle has no generator."""
    if ROLE not in model.graphs:
        raise MissingNetwork(
            f"The bundle {model.name} has no network of the role {ROLE!r}, which would reconstruct images; it has "
            f"{', '.join(map(repr, model.graphs))}. Give it one with: sitegen attach (docs/projection.md)"
        )


def project(
    model: Model, image: array[float], wish: Wish, told: Told | None = None
) -> Generator[Request, Any, Projected]:
    """Yield what is needed, and return how near the bundle's generator comes to an image, given as its network's input.

    With `told`, sketches are shown on the way. Raises BadProjection, and MissingNetwork where there is no generator.
    """
    check_wish(wish)
    check_generator(model)
    yield LoadGraph(ROLE)
    run = _Run(model, image, wish)
    begun = perf_counter()
    every = max(1, wish.steps // SKETCHES)
    for step in range(wish.steps):
        yield Progress(STAGE, step / wish.steps)
        if wish.seconds is not None and perf_counter() - begun > wish.seconds:
            break
        yield from run.step(rate(step, wish.steps), jitter(step, wish.steps), corrections(step))
        if told and step % every == 0:
            yield Sketch(told(run.projected()))
    yield from run.show()
    return run.projected()


class _Run:
    """The state of a projection between its steps."""

    def __init__(self, model: Model, image: array[float], wish: Wish) -> None:
        graph = model.graphs[ROLE]
        self._model = model
        self._shapes = {vector.name: vector.shape for vector in graph.vectors}
        entry = image_input(model, ROLE)
        self._image = Feed(entry.name, entry.shape, image)
        _, layers, length = self._shapes[JITTER]
        self._tied = 1.0 if wish.space == ONE else 0.0
        self._draws = Draws(wish, (layers, length))
        values = self._shapes[PARAMETERS][1]
        latents = array("f", bytes(4 * layers * length))
        start = latents + self._draws.noise(values - layers * length)
        nothing = array("f", bytes(4 * values))
        self._state: dict[str, array[float]] = {PARAMETERS: start, FIRST: nothing, SECOND: nothing}
        self._given: dict[str, array[float]] = {}
        self._distances: list[float] = []

    def step(self, rate: float, deviation: float, corrected: tuple[float, float]) -> Generator[Request, Any, None]:
        """Run the network once, and go on with what it gives."""
        yield from self._run(rate, deviation, corrected)
        self._state = {name: self._given[name] for name in STATE}

    def show(self) -> Generator[Request, Any, None]:
        """Run the network once more, without noise on the latent, and keep what is free as it is."""
        yield from self._run(0.0, 0.0, (1.0, 1.0))

    def _run(self, rate: float, deviation: float, corrected: tuple[float, float]) -> Generator[Request, Any, None]:
        first, second = corrected
        fed = {
            **self._state,
            JITTER: self._draws.latent(),
            RATES: array("f", [rate * first, second, deviation, self._tied]),
        }
        feeds = [Feed(name, self._shapes[name], values) for name, values in fed.items()]
        self._given = yield from run_graph(self._model, ROLE, OUTPUTS, self._image, *feeds)
        self._distances.append(self._given["distance"][0])

    def projected(self) -> Projected:
        """Return what there is so far."""
        given = self._given
        return Projected(given["reconstruction"], given["latent"], self._state[PARAMETERS], tuple(self._distances))
