"""The graphs of a bundle with weights that can be exchanged in all of them at once, and the maps that they give.

    graphs = open_graphs(bundle)
    graphs.probability(image, finding)          what the classifier says
    draw(graphs, image, finding, method)        a map of one of METHODS or PARTS, as large as the image
    graphs.changed(weights)                     the same graphs with other values for some weights

Images are float32 [C, H, W], as the classifier takes them. Maps are made by the runtime's own arithmetic
(`sitegen_runtime.maps`), so that what is measured is what people see. PARTS are what methods are made of,
with their signs: published checks speak of them.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnx import ModelProto

from sitegen.bundle import Bundle
from sitegen.errors import BundleError
from sitegen.evaluation.explanations.randomised import Weights, load_weights, with_weights
from sitegen.evaluation.explanations.similarity import Map
from sitegen.graphs.session import answer, open_session
from sitegen_runtime.bundle.model import Model
from sitegen_runtime.document import ResultDraft
from sitegen_runtime.maps.methods import draw_map, unavailable
from sitegen_runtime.maps.question import Question
from sitegen_runtime.pixels.grids import enlarged
from sitegen_runtime.requests import ReadFile, RunGraph

Image = NDArray[np.float32]
PARTS = {"gradient": "gradient", "guided-backpropagation": "guided"}
"""The gradient and the guided gradient, summed over channels, by the role of the graph that gives them."""

_ROLES = ("classifier", "gradient", "cam", "guided")


class Graphs:
    """ONNX Runtime sessions of the graphs of `models`, by role, made when first used.

    `files` are the bundle's other files that explanations read, by name; `weights` are the classifier's.
    """

    def __init__(
        self, model: Model, models: Mapping[str, ModelProto], weights: Weights, files: Mapping[str, bytes]
    ) -> None:
        self.model, self.models, self.weights, self.files = model, models, weights, files
        self._sessions: dict[str, onnxruntime.InferenceSession] = {}

    def changed(self, weights: Weights) -> Graphs:
        """Return graphs in which these weights are replaced, wherever they occur."""
        models = {role: with_weights(each, weights) for role, each in self.models.items()}
        labels = len(self.model.labels)
        files = {name: _replaced(content, labels, self.weights, weights) for name, content in self.files.items()}
        return Graphs(self.model, models, self.weights | weights, files)

    def probability(self, image: Image, finding: int) -> float:
        """Return the probability (0..1) of a finding, counted from 0."""
        graph = self.model.graphs["classifier"]
        feeds = {graph.images[0].name: image[np.newaxis]}
        (logits,) = self.session("classifier").run([graph.outputs["logits"].name], feeds)
        return float(1 / (1 + np.exp(-np.float64(logits[0, finding]))))

    def part(self, role: str, image: Image, finding: int) -> Map:
        """Return the gradient of a finding's logit that the graph of a role gives, summed over channels."""
        graph = self.model.graphs[role]
        seed = np.zeros(graph.vectors[0].shape, np.float32)
        seed[0, finding] = 1
        feeds = {graph.images[0].name: image[np.newaxis], graph.vectors[0].name: seed}
        (values,) = self.session(role).run([graph.outputs["gradient"].name], feeds)
        return np.asarray(values[0].astype(np.float64).sum(axis=0))

    def answer(self, request: object) -> Any:
        """Do what the runtime asks for."""
        if isinstance(request, ReadFile):
            return self.files[request.name]
        if not isinstance(request, RunGraph):
            return None
        return answer(self.session(request.role), request)

    def session(self, role: str) -> onnxruntime.InferenceSession:
        """Return the session that runs the graph of a role."""
        if role not in self._sessions:
            self._sessions[role] = open_session(self.models[role].SerializeToString())
        return self._sessions[role]


def open_graphs(bundle: Bundle) -> Graphs:
    """Read those graphs of a bundle that explanations need and that it has, with their weights.

    Raises BundleError where there is no gradient graph.
    """
    models, weights = {}, Weights()
    for role in _ROLES:
        if role in bundle.model.graphs:
            models[role], found = load_weights(bundle.graph_path(role))
            weights = weights or found  # the classifier's: the others have constants of their own
    final = bundle.model.final_weights
    files = {final.file: bundle.path(final.file).read_bytes()} if final else {}
    if "gradient" not in models:
        raise BundleError(f"The bundle {bundle.model.name} has no gradient graph, so nothing can be explained with it.")
    return Graphs(bundle.model, models, weights, files)


def why_not(graphs: Graphs, method: str) -> str | None:
    """Return why a bundle gives no maps of a method, None where it does."""
    if method in PARTS:
        missing = PARTS[method] not in graphs.models
        return f"The bundle has no network of the role {PARTS[method]!r}." if missing else None
    problem = unavailable(graphs.model, method)
    return None if problem is None else str(problem)


def draw(graphs: Graphs, image: Image, finding: int, method: str) -> Map:
    """Return a map as large as the image, float64 [H, W]. Raises AnalysisError where the bundle gives none."""
    if method in PARTS:
        return graphs.part(PARTS[method], image, finding)
    draft = ResultDraft("image", graphs.model, {})
    requests = draw_map(Question(graphs.model, draft, (finding,), array("f", image.tobytes())), method)
    answer: Any = None
    while True:
        try:
            answer = graphs.answer(requests.send(answer))
        except StopIteration as end:
            return _as_large_as(image, end.value.shape, end.value.values)


def _as_large_as(image: Image, shape: tuple[int, int], values: array[float]) -> Map:
    wanted = image.shape[-2], image.shape[-1]
    flat = values if shape == wanted else enlarged(values, shape, wanted)
    return np.array(flat, np.float64).reshape(wanted)


def _replaced(final: bytes, labels: int, trained: Weights, weights: Weights) -> bytes:
    """The file of the last layer's weights, with those of the same layer in the graph where they change.

    The biases in it are no part of a map, and stay.
    """
    table = np.frombuffer(final, "<f4").reshape(labels, -1).copy()
    for name, value in weights.items():
        for old, new in ((trained[name], value), (trained[name].T, value.T)):
            if np.array_equal(old, np.frombuffer(final, "<f4").reshape(labels, -1)[:, :-1]):
                table[:, :-1] = new
    return table.tobytes()
