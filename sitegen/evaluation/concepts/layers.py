"""A classifier cut in two at a layer: what leads to it, what follows, and the way back of a gradient.

A layer is the ONNX value that a node gives. It can be cut where everything that follows depends on the image through
it alone, and where it is a map: four axes, [1, channels, rows, columns].
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper

from sitegen import gradient
from sitegen.bundle import Bundle
from sitegen.errors import SettingsError
from sitegen.graphs.session import open_session

Values = NDArray[np.float32]
_NAMED = 12  # layers that an error names


class Cut:
    """A bundle's classifier, cut at a layer: `front` and `back` run its halves, `pull_back` goes back.

    Raises SettingsError for a layer that there is not, that is no map or that others bypass; it names those that can be
    cut, the last ones.
    """

    def __init__(self, bundle: Bundle, layer: str) -> None:
        graph = bundle.model.graphs["classifier"]
        self._image, self._logits = graph.images[0], graph.outputs["logits"].name
        self.layer = layer
        model = onnx.load(str(bundle.graph_path("classifier")))
        cuts = layers_of(model, self._image.name, self._logits)
        if layer not in cuts:
            raise SettingsError(_unknown(bundle, layer, cuts, model))
        front = _part(model, [self._image.name], layer, None)
        self._front = open_session(front.SerializeToString())
        self.shape = self.front(np.zeros(self._image.shape, np.float32)).shape
        if len(self.shape) != 4:
            raise SettingsError(f"The layer {layer!r} is no map: its shape is {self.shape}. {_choice(cuts)}")
        back = _part(model, [layer], self._logits, self.shape)
        self._back = open_session(back.SerializeToString())
        self._pulled = open_session(gradient.compile(back, wrt=layer, of=self._logits).SerializeToString())

    def front(self, image: Values) -> Values:
        """Return the layer [1, C, H, W] of an image as the classifier takes it."""
        shaped = np.asarray(image, np.float32).reshape(self._image.shape)
        (found,) = self._front.run([self.layer], {self._image.name: shaped})
        return np.asarray(found, np.float32)

    def back(self, values: Values) -> NDArray[np.float64]:
        """Return the logits [labels] of a layer [1, C, H, W]."""
        (found,) = self._back.run([self._logits], {self.layer: np.ascontiguousarray(values, np.float32)})
        return np.asarray(found[0], np.float64)

    def pull_back(self, values: Values, seed: Sequence[float] | NDArray[np.float64]) -> Values:
        """Return how the logits, each times its weight in the seed, change with each value of the layer."""
        feeds = {self.layer: np.ascontiguousarray(values, np.float32), "seed": np.array([seed], np.float32)}
        (found,) = self._pulled.run([gradient.gradient_name(self.layer)], feeds)
        return np.asarray(found, np.float32)


def layers_of(model: ModelProto, image: str, logits: str) -> list[str]:
    """Return the names of the values between image and logits through which alone the logits depend on the image."""
    nodes = _needed(model, [image], logits)
    last_use = {name: at for at, node in enumerate(nodes) for name in node.input}
    last_use[logits] = len(nodes)
    alive, found = {image}, []
    for at, node in enumerate(nodes):
        if not alive.isdisjoint(node.input):
            alive.update(name for name in node.output if name in last_use)
        alive = {name for name in alive if last_use.get(name, -1) > at}
        if len(alive) == 1 and (only := next(iter(alive))) in node.output and only != logits:
            found.append(only)
    return found


def _part(model: ModelProto, given: Sequence[str], wanted: str, shape: tuple[int, ...] | None) -> ModelProto:
    """The model of the nodes that make one value from given ones."""
    kept = _needed(model, given, wanted)
    used = {name for node in kept for name in node.input}
    graph = helper.make_graph(
        kept,
        "part",
        [_input(model, name, shape) for name in given],
        [_output(model, wanted)],
        [tensor for tensor in model.graph.initializer if tensor.name in used],
    )
    return helper.make_model(graph, opset_imports=list(model.opset_import), ir_version=model.ir_version)


def _needed(model: ModelProto, given: Sequence[str], wanted: str) -> list[NodeProto]:
    """The nodes that make one value from given ones, in the model's order."""
    makers = {name: at for at, node in enumerate(model.graph.node) for name in node.output}
    needed, open_names, done = set(), [wanted], set(given)
    while open_names:
        name = open_names.pop()
        if name not in done and name in makers:
            node = model.graph.node[makers[name]]
            needed.add(makers[name])
            done.update(node.output)
            open_names.extend(node.input)
    return [model.graph.node[at] for at in sorted(needed)]


def _input(model: ModelProto, name: str, shape: tuple[int, ...] | None) -> Any:
    known = {each.name: each for each in model.graph.input}
    return known[name] if name in known else helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def _output(model: ModelProto, name: str) -> Any:
    known = {each.name: each for each in model.graph.output}
    return known[name] if name in known else helper.make_tensor_value_info(name, TensorProto.FLOAT, None)


def _unknown(bundle: Bundle, layer: str, cuts: Sequence[str], model: ModelProto) -> str:
    there = any(layer in node.output for node in model.graph.node)
    why = "is no layer at which it can be cut: other values bypass it" if there else "is no value of its classifier"
    return f"{layer!r} of the bundle {bundle.model.name} {why}. {_choice(cuts)}"


def _choice(cuts: Sequence[str]) -> str:
    return f"It can be cut at {', '.join(map(repr, cuts[-_NAMED:])) or 'no layer'}."
