"""Cutting a classifier at a layer: its halves make the whole, its gradient is the analytic one."""

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from sitegen.bundle import Bundle
from sitegen.errors import SettingsError
from sitegen.evaluation.concepts.layers import Cut, layers_of
from sitegen.graphs.session import open_session

IMAGE = np.random.default_rng(0).uniform(0, 1, (1, 1, 32, 32)).astype(np.float32)


@pytest.mark.parametrize("layer", ["convolved", "active", "pooled"])
def test_the_halves_make_the_whole(gradient_bundle: Bundle, layer: str) -> None:
    cut = Cut(gradient_bundle, layer)
    session = open_session(gradient_bundle.graph_path("classifier"))
    (whole,) = session.run(["logits"], {"image": IMAGE})
    np.testing.assert_allclose(cut.back(cut.front(IMAGE)), whole[0], atol=1e-5)


def test_the_gradient_at_a_layer_is_the_analytic_one(gradient_bundle: Bundle) -> None:
    cut = Cut(gradient_bundle, "active")
    model = onnx.load(str(gradient_bundle.folder / "classifier.onnx"))
    (linear,) = [numpy_helper.to_array(each) for each in model.graph.initializer if each.name == "linear"]
    seed = np.array([0.5, -1.0, 2.0])
    pulled = cut.pull_back(cut.front(IMAGE), seed)
    cells = cut.shape[2] * cut.shape[3]
    expected = np.broadcast_to((linear @ seed / cells)[None, :, None, None], cut.shape)
    np.testing.assert_allclose(pulled, expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        (
            "conv9",
            "'conv9' of the bundle test-model is no value of its classifier. It can be cut at 'convolved', 'active'",
        ),
        ("logits", "is no layer at which it can be cut"),
        ("flat", "'flat' is no map: its shape is (1, 8)"),
    ],
)
def test_a_layer_that_there_is_not_names_those_that_there_are(gradient_bundle: Bundle, layer: str, words: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Cut(gradient_bundle, layer)
    assert words in str(caught.value)


def test_what_others_bypass_is_no_layer_to_cut_at() -> None:
    model = onnx.parser.parse_model(
        """<ir_version: 8, opset_import: ["" : 17]>
        graph (float[1, 1, 4, 4] image) => (float[1, 1, 4, 4] logits) {
            a = Relu(image)
            b = Tanh(a)
            c = Add(a, b)
            constant = Constant <value_float = 2.0> ()
            d = Mul(c, constant)
            side = Shape(image)
            logits = Tanh(d)
        }"""
    )
    assert layers_of(model, "image", "logits") == ["a", "c", "d"]
