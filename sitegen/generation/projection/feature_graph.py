"""A network's features as an ONNX graph, and the graph that compares them with others and has the slope of that.

    features     image -> the features
    comparison   image, wanted, scale -> distance, grad_image          gradient compiled by `sitegen.gradient`

distance = scale * mean((features - wanted)²). Both hold their weights, and only the part of the network that is needed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper, shape_inference
from onnx.utils import Extractor

from sitegen import gradient
from sitegen.errors import ModelError
from sitegen.graphs.session import open_session

WANTED, SCALE, DISTANCE, SEED = "projection-wanted", "projection-scale", "projection-distance", "projection-seed"
_LEAST = 1e-12  # of the features' mean square: features of nothing but zeros have no scale

Values = NDArray[np.float32]


@dataclass(frozen=True)
class FeaturesOf:
    """An ONNX file's output as features of an image [1, channels, side, side].

    Its values, 0..1, are normalised by `mean` and `std`, one number or one a channel. `others` are inputs that are no
    image, with their shapes; they get zeros.
    """

    graph: Path
    image: str
    channels: int
    side: int
    output: str
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    others: Mapping[str, Sequence[int]] = field(default_factory=dict)


class FeatureGraph:
    """Both graphs, ready to run on one image."""

    def __init__(self, network: FeaturesOf) -> None:
        """Raise ModelError where the file cannot be read or run, GradientError where an operator has no gradient."""
        self._image = network.image
        self._others = {name: np.zeros(shape, np.float32) for name, shape in network.others.items()}
        try:
            part = _part(network)
            self._features = open_session(part.SerializeToString())
            example = self.features(np.zeros((1, network.channels, network.side, network.side), np.float32))
        except Exception as error:  # of onnx and of ONNX Runtime, which share no base class
            raise ModelError(
                f"The features {network.output!r} of {network.graph} cannot be computed: {error}. Name others."
            ) from error
        compared = _compared(part, network, example.shape)
        self._comparison: onnxruntime.InferenceSession = open_session(compared.SerializeToString())

    def features(self, image: Values) -> Values:
        """Return the features of a prepared image [1, channels, side, side]."""
        (found,) = self._features.run(None, {self._image: image, **self._others})
        return np.asarray(found, np.float32)

    def distance(self, image: Values, wanted: Values) -> tuple[float, Values]:
        """Return how far an image's features are from those wanted, in shares of their mean square, and its slope."""
        scale = np.array([1 / max(float(np.square(wanted, dtype=np.float64).mean()), _LEAST)], np.float32)
        feeds = {self._image: image, WANTED: wanted, SCALE: scale, **self._others}
        distance, slope = self._comparison.run([DISTANCE, gradient.gradient_name(self._image)], feeds)
        return float(distance[0]), np.asarray(slope, np.float32)


def _part(network: FeaturesOf) -> onnx.ModelProto:
    """The network from its image to its features, for one image, with its weights."""
    whole = onnx.load(str(network.graph))
    entry = next(value for value in whole.graph.input if value.name == network.image)
    shape = (1, network.channels, network.side, network.side)
    entry.CopyFrom(helper.make_tensor_value_info(network.image, TensorProto.FLOAT, shape))
    del whole.graph.value_info[:]  # of other shapes, it may be
    for value in whole.graph.output:
        value.type.tensor_type.ClearField("shape")
    part: onnx.ModelProto = Extractor(whole).extract_model([network.image, *network.others], [network.output])
    return shape_inference.infer_shapes(part)


def _compared(part: onnx.ModelProto, network: FeaturesOf, shape: Sequence[int]) -> onnx.ModelProto:
    graph, names = part.graph, [f"projection-{name}" for name in ("difference", "square", "mean")]
    graph.input.append(helper.make_tensor_value_info(WANTED, TensorProto.FLOAT, shape))
    graph.input.append(helper.make_tensor_value_info(SCALE, TensorProto.FLOAT, [1]))
    graph.node.extend(
        [
            helper.make_node("Sub", [network.output, WANTED], [names[0]]),
            helper.make_node("Mul", [names[0], names[0]], [names[1]]),
            helper.make_node("ReduceMean", [names[1]], [names[2]], keepdims=0),
            helper.make_node("Mul", [names[2], SCALE], [DISTANCE]),
        ]
    )
    del graph.output[:]
    graph.output.append(helper.make_tensor_value_info(DISTANCE, TensorProto.FLOAT, [1]))
    made = gradient.compile(part, wrt=network.image, of=DISTANCE, seed=SEED)
    (seed,) = [value for value in made.graph.input if value.name == SEED]
    made.graph.input.remove(seed)
    made.graph.initializer.append(numpy_helper.from_array(np.ones(1, np.float32), SEED))
    return made
