"""Projection by a graph with native ONNX Runtime: the runtime's own loop, as it runs in the page."""

from __future__ import annotations  # array[float] is a name for type checkers until Python 3.12

from array import array
from collections.abc import Callable
from pathlib import Path

import onnxruntime

from sitegen.graphs.session import answer, open_session
from sitegen_runtime.bundle.model import Graph, Model, NetworkInput, Output, Vector
from sitegen_runtime.projection.loop import ROLE, Projected, project
from sitegen_runtime.projection.schedule import Wish
from sitegen_runtime.requests import Progress, RunGraph


class Projector:
    """A graph that `step_graph` wrote, ready to run; `model` is a bundle's, or that of `model_of`."""

    def __init__(self, model: Model, graph: Path, threads: int = 1) -> None:
        self._model = model
        self._session: onnxruntime.InferenceSession = open_session(graph, threads)

    @property
    def image(self) -> NetworkInput:
        """How images become what the graph takes."""
        return self._model.graphs[ROLE].images[0]

    def __call__(self, image: array[float], wish: Wish, tell: Callable[[float], None] | None = None) -> Projected:
        """Return what a projection comes to. `tell` hears which share is done. Raises AnalysisError."""
        way = project(self._model, image, wish)
        request = next(way)
        try:
            while True:
                if isinstance(request, Progress) and tell:
                    tell(request.done)
                request = way.send(answer(self._session, request) if isinstance(request, RunGraph) else None)
        except StopIteration as end:
            found: Projected = end.value
            return found


def model_of(name: str, graph: Graph) -> Model:
    """Return a model that has a generator, and nothing else."""
    return Model(name, "", "", {ROLE: graph}, (), None)


def graph_of(image: NetworkInput, vectors: list[tuple[str, list[int]]], outputs: list[tuple[str, str]]) -> Graph:
    """Return the runtime's description of a step graph: its inputs, and its outputs as names and roles."""
    named = tuple(Vector(name, tuple(shape)) for name, shape in vectors)
    return Graph((image,), named, {role: Output(name, None) for name, role in outputs})
