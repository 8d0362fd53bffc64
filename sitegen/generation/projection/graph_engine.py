"""Projection by a graph with native ONNX Runtime: the runtime's own loop, as it runs in the page."""

from __future__ import annotations  # array[float] is a name for type checkers until Python 3.12

from array import array
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime

from sitegen.bundle import Graph
from sitegen.generation.projection.torch_engine import Fitted, Values
from sitegen.graphs.session import answer, open_session
from sitegen_runtime.bundle.model import Model, read_graph
from sitegen_runtime.projection.loop import JITTER, ROLE, Projected, project
from sitegen_runtime.projection.schedule import Wish
from sitegen_runtime.requests import Progress, RunGraph


class Projector:
    """A graph that `step_graph` wrote, ready to run; `model` is a bundle's, or that of `model_of`."""

    def __init__(self, model: Model, graph: Path, threads: int = 1) -> None:
        self._model = model
        self._session: onnxruntime.InferenceSession = open_session(graph, threads)

    def project(
        self,
        image: array[float],
        wish: Wish,
        tell: Callable[[float], None] | None = None,
        show: Callable[[Projected], None] | None = None,
    ) -> Projected:
        """Return what a projection comes to. `tell` hears which share is done, `show` sees some of the way there.

        Raises AnalysisError.
        """
        way = project(self._model, image, wish, show)
        request = next(way)
        try:
            while True:
                if isinstance(request, Progress) and tell:
                    tell(request.done)
                request = way.send(answer(self._session, request) if isinstance(request, RunGraph) else None)
        except StopIteration as end:
            found: Projected = end.value
            return found

    def fit(
        self, images: Values, wish: Wish, tell: Callable[[float], None] | None = None, frames: bool = False
    ) -> Fitted:
        """Return what `torch_engine.fit` does, of images [N, C, side, side], one after another."""
        drawn: list[list[Values]] = [[] for _ in images]
        found = []
        for image, kept in zip(images, drawn, strict=True):

            def keep(now: Projected, kept: list[Values] = kept) -> None:
                kept.append(np.array(now.reconstruction, np.float32).reshape(images.shape[1:]))

            found.append(self.project(array("f", image.tobytes()), wish, tell, keep if frames else None))
        (latents,) = (vector.shape for vector in self._model.graphs[ROLE].vectors if vector.name == JITTER)
        values = latents[1] * latents[2]
        return Fitted(
            np.array([each.reconstruction for each in found], np.float32).reshape(images.shape),
            np.array([each.latent for each in found], np.float32).reshape(-1, *latents[1:]),
            np.array([each.parameters[values:] for each in found], np.float32),
            np.array([each.distances for each in found], np.float32).T,
            [np.stack(each) for each in zip(*drawn, strict=True)],
        )


def model_of(name: str, graph: Graph) -> Model:
    """Return a model that has a generator, and nothing else."""
    return Model(name, "", "", {ROLE: read_graph(graph.model_dump(by_alias=True))}, (), None)
