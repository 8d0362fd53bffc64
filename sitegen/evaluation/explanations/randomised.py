"""A model's weights, layer by layer replaced by random ones: Adebayo et al., "Sanity checks for saliency maps", 2018.

A map that stays as it was when the model forgets what it has learnt does not show what the model has learnt.

    stages(classifier, count)                    layers in groups, from the last layer back to the first
    random_weights(classifier, stage, rng)       new values for the weights of a group, by name

Weights are told by the names that they have in all graphs of a bundle, which share them. New weights of convolutions
and linear layers come from a normal distribution with mean 0 and the trained ones' root mean square; their biases are
shuffled, and so are the channels of a normalisation, its four numbers together. So the activations keep their order of
magnitude, and the only thing lost is what was learnt.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, numpy_helper

from sitegen.errors import DataError

Weights = dict[str, NDArray[np.float32]]
_LAYERS = ("Conv", "ConvTranspose", "Gemm", "MatMul")
_NORMALISATIONS = ("BatchNormalization", "InstanceNormalization", "GroupNormalization", "LayerNormalization")


@dataclass(frozen=True)
class Layer:
    """A layer with weights: its name for people, what kind of node it is, and its weights in the node's order."""

    name: str
    kind: str
    weights: tuple[str, ...]


@dataclass(frozen=True)
class Stage:
    """Layers that lose their weights together; `last` and `first` name the ends, as data flows through them."""

    layers: tuple[Layer, ...]

    @property
    def name(self) -> str:
        """The layers' name for people."""
        first, last = self.layers[-1].name, self.layers[0].name
        return last if first == last else f"{last} … {first}"


def load_weights(graph: Path) -> tuple[ModelProto, Weights]:
    """Return an ONNX model with its weights in it, and the float32 ones by name."""
    model = onnx.load(str(graph))
    found = {
        tensor.name: numpy_helper.to_array(tensor)
        for tensor in model.graph.initializer
        if tensor.data_type == onnx.TensorProto.FLOAT
    }
    return model, found


def stages(classifier: ModelProto, weights: Weights, count: int) -> list[Stage]:
    """Return `count` groups of a classifier's layers or fewer, from its output to its input.

    The last layer is a group of its own; the others are dealt out evenly. A normalisation belongs to the group of the
    layer that it comes after. Raises DataError where no layer has weights.
    """
    layers = list(_layers(classifier, weights))[::-1]
    if not any(layer.kind in _LAYERS for layer in layers):
        raise DataError("The classifier has no weights that could be made random: no convolution, no linear layer.")
    groups: list[list[Layer]] = [[]]
    for layer in layers:
        groups[-1].append(layer)
        if layer.kind in _LAYERS:
            groups.append([])
    before = groups.pop()  # what comes before the first layer
    groups[-1].extend(before)
    rest = np.array_split(np.arange(1, len(groups)), max(1, min(count, len(groups)) - 1)) if len(groups) > 1 else []
    return [
        Stage(tuple(groups[0])),
        *(Stage(tuple(layer for at in part for layer in groups[at])) for part in rest if len(part)),
    ]


def random_weights(weights: Weights, stage: Stage, rng: np.random.Generator) -> Weights:
    """Return new weights for all layers of a stage, by name."""
    new: Weights = {}
    for layer in stage.layers:
        if layer.kind in _LAYERS:
            new |= {name: _random(weights[name], rng) for name in layer.weights}
        else:
            order = rng.permutation(len(weights[layer.weights[0]]))
            new |= {name: weights[name][order] for name in layer.weights if weights[name].shape == order.shape}
    return new


def with_weights(model: ModelProto, changed: Mapping[str, NDArray[np.float32]]) -> ModelProto:
    """Return a copy of a model in which the weights that it has among `changed` are replaced."""
    copy = ModelProto()
    copy.CopyFrom(model)
    for tensor in copy.graph.initializer:
        if tensor.name in changed:
            value = np.ascontiguousarray(changed[tensor.name], np.float32)
            tensor.CopyFrom(numpy_helper.from_array(value, tensor.name))
    return copy


def cumulated(parts: Sequence[Weights]) -> list[Weights]:
    """Return what has been replaced after each of the parts, all before it included."""
    found: list[Weights] = []
    for part in parts:
        found.append({**(found[-1] if found else {}), **part})
    return found


def _layers(classifier: ModelProto, weights: Weights) -> Iterator[Layer]:
    for node in classifier.graph.node:
        names = tuple(name for name in node.input if name in weights)
        if names and node.op_type in (*_LAYERS, *_NORMALISATIONS):
            yield Layer(_name(node, names), node.op_type, names)


def _name(node: NodeProto, names: Sequence[str]) -> str:
    return names[0].removesuffix(".weight") or node.name


def _random(trained: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    if trained.ndim < 2:
        return rng.permutation(trained)
    scale = float(np.sqrt(np.mean(np.square(trained, dtype=np.float64))))
    return rng.normal(0, scale, trained.shape).astype(np.float32)
