"""Layers, one by one, as Keras itself computes them; and what differs between its versions, by the formulas."""

import os
from collections.abc import Callable
from math import e, erf, sqrt
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from sitegen.errors import ModelError
from sitegen.importing.keras.files import read_keras
from sitegen.importing.keras.graph import literal
from sitegen.importing.keras.laying import lay_out
from sitegen.importing.keras.network import Network
from sitegen.importing.keras.reference import evaluate

SHAPE = (9, 10, 3)
Build = Callable[[Any, Any], Any]


@pytest.fixture(scope="module")
def keras() -> Any:
    os.environ.setdefault("KERAS_BACKEND", "torch")
    return pytest.importorskip("keras", reason="compared with Keras on PyTorch: pip install keras h5py")


class NoWeights:
    """Weights of a model that has none."""

    def of(self, layer: Any, roles: Any) -> dict[str, Any]:
        raise AssertionError(layer)


def sequence(*layers: dict[str, Any], version: int = 3, shape: tuple[int, ...] = (1, 5, 1)) -> Network:
    given = {"class_name": "InputLayer", "config": {"name": "given", "batch_shape": [None, *shape]}}
    named = [{**layer, "config": {"name": f"layer{at}", **layer["config"]}} for at, layer in enumerate(layers)]
    document = {"class_name": "Sequential", "config": {"name": "net", "layers": [given, *named]}}
    return lay_out(document, NoWeights(), version)


def both(network: Network, given: Any) -> Any:
    """What the graph gives; the reference has to give the same."""
    session = onnxruntime.InferenceSession(literal(network).SerializeToString())
    (made,) = session.run(None, {network.image: given})
    (reference,) = evaluate(network, given).values()
    np.testing.assert_allclose(made, reference, rtol=1e-5, atol=1e-5)
    return made


X = np.array([-4, -1, 0, 0.5, 8], np.float32)
GELU = [x / 2 * (1 + erf(x / sqrt(2))) for x in X.tolist()]


@pytest.mark.parametrize(
    ("stated", "version", "expected"),
    [
        ("relu", 3, [0, 0, 0, 0.5, 8]),
        ("relu6", 3, [0, 0, 0, 0.5, 6]),
        ({"class_name": "function", "config": "relu6", "module": "keras.activations"}, 3, [0, 0, 0, 0.5, 6]),
        ({"class_name": "LeakyReLU", "config": {"alpha": 0.1}}, 2, [-0.4, -0.1, 0, 0.5, 8]),
        ("leaky_relu", 3, [-0.8, -0.2, 0, 0.5, 8]),
        ("hard_sigmoid", 3, [0, 1 / 3, 0.5, 1.75 / 3, 1]),
        ("hard_sigmoid", 2, [0, 0.3, 0.5, 0.6, 1]),
        ("hard_swish", 3, [0, -1 / 3, 0, 0.875 / 3, 8]),
        ("swish", 2, [-4 / (1 + np.exp(4)), -1 / (1 + e), 0, 0.5 / (1 + np.exp(-0.5)), 8 / (1 + np.exp(-8))]),
        ("gelu", 3, GELU),
        ("exponential", 3, np.exp(X)),
        ("softsign", 3, [-0.8, -0.5, 0, 1 / 3, 8 / 9]),
    ],
)
def test_activations_by_their_formulas(stated: Any, version: int, expected: Any) -> None:
    network = sequence({"class_name": "Activation", "config": {"activation": stated}}, version=version)
    np.testing.assert_allclose(both(network, X.reshape(1, 1, 5, 1)).reshape(-1), expected, rtol=1e-5, atol=1e-6)


def test_padding_behind_where_it_is_odd() -> None:
    """Five pixels in windows of two, in steps of two: the one that is missing is added behind, and not counted."""
    pool = {"pool_size": [1, 2], "strides": [1, 2], "padding": "same"}
    network = sequence({"class_name": "AveragePooling2D", "config": pool})
    assert both(network, X.reshape(1, 1, 5, 1)).reshape(-1).tolist() == [-2.5, 0.25, 8]


def test_sizes_by_their_formulas() -> None:
    """Without Keras: pixels repeated, bilinear between centres, and resized to more and fewer."""
    given = np.array([0, 4, 8], np.float32).reshape(1, 1, 3, 1)

    def made(kind: str, **config: Any) -> list[float]:
        network = sequence({"class_name": kind, "config": config}, shape=(1, 3, 1))
        return [float(value) for value in both(network, given).reshape(-1)]

    assert made("UpSampling2D", size=[1, 2]) == [0, 0, 4, 4, 8, 8]
    assert made("UpSampling2D", size=[1, 2], interpolation="bilinear") == [0, 1, 3, 5, 7, 8]
    assert made("Resizing", height=1, width=2) == [1, 7]
    for config in ({"antialias": True}, {"crop_to_aspect_ratio": True}, {"interpolation": "nearest"}):
        with pytest.raises(ModelError, match="bilinear is known"):
            made("Resizing", height=1, width=2, **config)


def test_flattening_goes_row_by_row_with_channels_last() -> None:
    network = sequence({"class_name": "Flatten", "config": {}}, shape=(2, 2, 3))
    given = np.arange(12, dtype=np.float32).reshape(1, 2, 2, 3)
    assert both(network, given).tolist() == [list(range(12))]


def test_scaling_stays_in_the_graph() -> None:
    scaled = {"class_name": "Rescaling", "config": {"scale": 0.5, "offset": [-1.0]}}
    normal = {"class_name": "Normalization", "config": {"axis": [-1], "mean": [1.0], "variance": [[4.0]]}}
    made = both(sequence(scaled, normal), X.reshape(1, 1, 5, 1)).reshape(-1)
    np.testing.assert_allclose(made, ((X * 0.5 - 1) - 1) / 2, atol=1e-6)


def layers(keras: Any) -> dict[str, Build]:
    """Ways from an image to something else, each with what may be got wrong."""
    k = keras.layers
    return {
        "same, stride 2, even and odd": lambda x, _: k.Conv2D(5, 3, strides=2, padding="same", activation="relu")(x),
        "same, kernel 2 and 4": lambda x, _: k.Conv2D(5, (2, 4), padding="same")(x),
        "valid, stride 3": lambda x, _: k.Conv2D(5, (3, 2), strides=3, use_bias=False)(x),
        "dilated": lambda x, _: k.Conv2D(5, 3, dilation_rate=2, padding="same")(x),
        "in groups": lambda x, _: k.Conv2D(6, 3, groups=3, padding="same")(x),
        "depthwise, multiplied": lambda x, _: k.DepthwiseConv2D(3, strides=2, depth_multiplier=2, padding="same")(x),
        "separable": lambda x, _: k.SeparableConv2D(5, 3, strides=2, depth_multiplier=2, padding="same")(x),
        "normalised": lambda x, _: k.BatchNormalization(epsilon=0.1, scale=False)(x),
        "normalised vectors": lambda x, _: k.BatchNormalization(center=False)(k.Flatten()(x)),
        "largest": lambda x, _: k.MaxPooling2D(3, strides=2, padding="same")(x),
        "average": lambda x, _: k.AveragePooling2D((2, 3))(x),
        "over all, axes kept": lambda x, _: k.GlobalAveragePooling2D(keepdims=True)(x),
        "largest of all": lambda x, _: k.GlobalMaxPooling2D()(x),
        "padded and cut": lambda x, _: k.Cropping2D(((1, 0), (2, 1)))(k.ZeroPadding2D(((0, 2), (3, 0)))(x)),
        "reshaped": lambda x, _: k.Reshape((5, -1))(x),
        "put together": lambda x, _: k.Concatenate()(
            [x, k.Average()([x, k.Maximum()([x, -1.0 * x])]), k.Multiply()([x, x])]
        ),
        "numbers beside": lambda x, _: 2.0 - x / 3.0,
        "functions": lambda x, ops: ops.relu6(ops.hard_sigmoid(x) * 7.0),
        "gelu of a function": lambda x, ops: ops.gelu(x),
        "prelu": lambda x, _: k.PReLU(shared_axes=[1, 2], alpha_initializer="ones")(x * 2.0),
        "rectified oddly": lambda x, _: k.ReLU(max_value=0.5, negative_slope=0.1)(x),
        "elu": lambda x, _: k.ELU(alpha=0.5)(x),
        "mish": lambda x, _: k.Activation("mish")(x),
        "selu": lambda x, _: k.Activation("selu")(x),
        "softmax of pixels": lambda x, _: k.Softmax()(x),
        "dense of pixels": lambda x, _: k.Dense(4, activation="tanh")(x),
        "normalised at each place": lambda x, _: k.LayerNormalization(epsilon=0.01)(x),
        "normalised, not scaled": lambda x, _: k.LayerNormalization(scale=False)(x),
        "repeated": lambda x, _: k.UpSampling2D((2, 3))(x),
        "enlarged": lambda x, _: k.UpSampling2D(2, interpolation="bilinear")(x),
        "resized": lambda x, _: k.Resizing(13, 6)(x),
        "transposed, same": lambda x, _: k.Conv2DTranspose(4, 3, strides=2, padding="same")(x),
        "transposed, same and odd": lambda x, _: k.Conv2DTranspose(4, (2, 5), strides=(3, 2), padding="same")(x),
        "transposed, valid": lambda x, _: k.Conv2DTranspose(4, (4, 2), strides=(2, 3), use_bias=False)(x),
        "off": lambda x, _: k.GaussianNoise(0.9)(k.SpatialDropout2D(0.9)(k.RandomFlip()(x))) * 1.0,
    }


def test_each_layer_as_keras_computes_it(keras: Any, tmp_path: Path) -> None:
    import torch

    given = np.random.default_rng(2).normal(size=(1, *SHAPE)).astype(np.float32)
    wrong = {}
    for at, (name, build) in enumerate(layers(keras).items()):
        image = keras.Input(SHAPE)
        model = keras.Model(image, build(image, keras.ops))
        model.set_weights([np.random.default_rng(at).random(w.shape) + 0.1 for w in model.get_weights()])
        with torch.no_grad():
            expected = model(torch.from_numpy(given), training=False).numpy()
        for ending in ("keras", "h5"):
            model.save(tmp_path / f"{at}.{ending}")
            file = read_keras(tmp_path / f"{at}.{ending}")
            made = both(lay_out(file.entry, file.weights, file.version), given)
            if made.shape != expected.shape or np.abs(made - expected).max() > 1e-5 * max(1, np.abs(expected).max()):
                wrong[name, ending] = (made.shape, expected.shape)
    assert not wrong


@pytest.mark.parametrize(
    ("family", "side", "options"),
    [("MobileNetV2", 32, {"alpha": 0.35}), ("EfficientNetB0", 32, {})],
)
def test_families_with_random_weights(keras: Any, tmp_path: Path, family: str, side: int, options: Any) -> None:
    import torch

    build = getattr(keras.applications, family)
    model = build(weights=None, input_shape=(side, side, 3), classes=3, **options)
    random = np.random.default_rng(5)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights([random.random(w.shape) * 0.5 + 0.75 for w in layer.get_weights()])
    model.save(tmp_path / "model.keras")
    file = read_keras(tmp_path / "model.keras")
    given = random.normal(size=(1, side, side, 3)).astype(np.float32)
    with torch.no_grad():
        expected = model(torch.from_numpy(given), training=False).numpy()
    made = both(lay_out(file.entry, file.weights, file.version), given)
    assert np.abs(made - expected).max() < 1e-5


def test_what_is_called_as_in_training_is_refused() -> None:
    document = sequence_document_in_training()
    with pytest.raises(ModelError, match="as in training"):
        lay_out(document, NoWeights(), 2)
    with pytest.raises(ModelError, match="what it was given"):  # Keras 3 predicts without it, and nothing is left
        lay_out(document, NoWeights(), 3)


def sequence_document_in_training() -> dict[str, Any]:
    tensor = {"class_name": "__keras_tensor__", "config": {"keras_history": ["given", 0, 0]}}
    drop = {
        "class_name": "Dropout",
        "name": "drop",
        "config": {"name": "drop", "rate": 0.5},
        "inbound_nodes": [{"args": [tensor], "kwargs": {"training": True}}],
    }
    given = {
        "class_name": "InputLayer",
        "name": "given",
        "config": {"batch_shape": [None, 4, 4, 1]},
        "inbound_nodes": [],
    }
    ends = {"input_layers": ["given", 0, 0], "output_layers": ["drop", 0, 0]}
    return {"class_name": "Functional", "config": {"name": "net", "layers": [given, drop], **ends}}
