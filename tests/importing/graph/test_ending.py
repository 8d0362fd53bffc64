"""What a graph's output is: recognised or asked, never guessed."""

from typing import Any

import numpy as np
import onnxruntime
import pytest
from onnx import ModelProto, NodeProto, helper

from sitegen.errors import ModelError, SettingsError
from sitegen.importing.graph.ending import find_head
from sitegen.importing.graph.heads import as_logits
from tests.helpers.importing.onnx_models import sigmoid, small, small_logits, softmax, tensors

HALF, ONE, TWO, HUNDRED = (np.array(value, np.float32) for value in (0.5, 1, 2, 100))
SUMS = np.array([[1, 0], [1, 0], [0, 1]], np.float32)  # of three classes two findings


def node(operator: str, inputs: str, output: str, **settings: Any) -> NodeProto:
    return helper.make_node(operator, inputs.split(), [output], **settings)


def shown(model: ModelProto) -> np.ndarray:
    session = onnxruntime.InferenceSession(model.SerializeToString())
    return np.concatenate([session.run(None, {"x": image[np.newaxis]})[0] for image in tensors()])


def logits() -> np.ndarray:
    return small_logits(small(), tensors())


STORED = (("QuantizeLinear", "p", "b"), ("DequantizeLinear", "b", "y"))
TWO_NETWORKS = [node("Neg", "z", "other"), node("Sigmoid", "z", "p"), node("Sigmoid", "other", "q")]
RECOGNISED: dict[str, tuple[list[NodeProto], dict[str, Any], Any]] = {
    "mean of two, by a half": (
        [*TWO_NETWORKS, node("Add", "p q", "s"), node("Mul", "s half", "y")],
        {"half": HALF},
        lambda z: 0.5 * (sigmoid(z) + sigmoid(-z)),
    ),
    "mean of two, by two": (
        [*TWO_NETWORKS, node("Sum", "p q", "s"), node("Div", "s two", "y")],
        {"two": TWO},
        lambda z: 0.5 * (sigmoid(z) + sigmoid(-z)),
    ),
    "mean of a softmax and a sigmoid": (
        [node("Softmax", "z", "p"), node("Sigmoid", "z", "q"), node("Mean", "p q", "y")],
        {},
        lambda z: 0.5 * (softmax(z) + sigmoid(z)),
    ),
    "one less": (
        [node("Sigmoid", "z", "p"), node("Sub", "one p", "y")],
        {"one": ONE},
        lambda z: 1 - sigmoid(z),
    ),
    "clipped": (
        [node("Sigmoid", "z", "p"), node("Clip", "p low high", "y")],
        {"low": np.array(0.1, np.float32), "high": np.array(0.9, np.float32)},
        lambda z: np.clip(sigmoid(z), 0.1, 0.9),
    ),
    "the geometric mean": (
        [*TWO_NETWORKS, node("Mul", "p q", "s"), node("Sqrt", "s", "y")],
        {},
        lambda z: np.sqrt(sigmoid(z) * sigmoid(-z)),
    ),
    "stored with 8 bits": (
        [node("Sigmoid", "z", "p"), *(node(kind, f"{x} step none", y) for kind, x, y in STORED)],
        {"step": np.array(1 / 256, np.float32), "none": np.array(0, np.uint8)},
        lambda z: np.clip(np.rint(sigmoid(z) * 256), 0, 255) / 256,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", RECOGNISED)
def test_what_is_made_of_probabilities_is_taken_as_probabilities(name: str) -> None:
    nodes, weights, expected = RECOGNISED[name]
    model = small(*nodes, **weights)
    assert find_head(model, None).ending == "probabilities"
    assert np.abs(sigmoid(shown(as_logits(model, None))) - expected(logits())).max() < 1e-6


def test_classes_that_are_added_up_are_probabilities() -> None:
    nodes = [node("Softmax", "z", "p"), node("MatMul", "p sums", "y")]
    model = small(*nodes, sums=SUMS)
    model.graph.output[0].type.tensor_type.shape.dim[1].dim_value = 2
    assert find_head(model, None).ending == "probabilities"
    assert np.abs(sigmoid(shown(as_logits(model, None))) - softmax(logits()) @ SUMS).max() < 1e-6


PERCENT = [node("Sigmoid", "z", "p"), node("Mul", "p hundred", "y")]
ASKED: dict[str, tuple[list[NodeProto], dict[str, Any]]] = {
    "percentages": (PERCENT, {"hundred": HUNDRED}),
    "odds": ([node("Sigmoid", "z", "p"), node("Sub", "one p", "q"), node("Div", "p q", "y")], {"one": ONE}),
    "from -1 to 1": (
        [node("Sigmoid", "z", "p"), node("Mul", "p two", "d"), node("Sub", "d one", "y")], {"one": ONE, "two": TWO},
    ),
    "a softmax that is written out": (
        [node("Exp", "z", "e"), node("ReduceSum", "e", "s"), node("Div", "e s", "y")], {},
    ),
    "its logarithm": ([node("ReduceLogSumExp", "z", "s"), node("Sub", "z s", "y")], {}),
    "a logarithm": ([node("Softmax", "z", "p"), node("Log", "p", "y")], {}),
    "a product of a gate": ([node("Sigmoid", "z", "p"), node("Mul", "z p", "y")], {}),
    "clipped to a unit": ([node("Clip", "z none one", "y")], {"none": np.array(0, np.float32), "one": ONE}),
}  # fmt: skip


@pytest.mark.parametrize("name", ASKED)
def test_what_does_not_tell_is_asked(name: str) -> None:
    nodes, weights = ASKED[name]
    with pytest.raises(SettingsError, match='output = "logits", "probabilities", "softmax" or "percentages"'):
        find_head(small(*nodes, **weights), None)


def test_percentages_are_divided() -> None:
    model = small(*PERCENT, hundred=HUNDRED)
    assert np.abs(sigmoid(shown(as_logits(model, "percentages"))) - sigmoid(logits())).max() < 1e-6
    for wrong in ("probabilities", "softmax"):
        with pytest.raises(SettingsError, match=f'output is "{wrong}"'):
            find_head(model, wrong)
    with pytest.raises(SettingsError, match="numbers of 0 to 100 are due"):
        find_head(small(node("Sigmoid", "z", "y")), "percentages")


SCALED: dict[str, tuple[list[NodeProto], dict[str, Any], Any]] = {
    "divided": ([node("Div", "z two", "y")], {"two": TWO}, lambda z: z / 2),
    "multiplied": ([node("Mul", "z two", "y")], {"two": TWO}, lambda z: 2 * z),
    "a mean of two": (
        [node("Neg", "z", "a"), node("Mul", "z two", "b"), node("Mean", "a b", "y")], {"two": TWO}, lambda z: z / 2,
    ),
    "kept in limits": ([node("Clip", "z low two", "y")], {"low": -TWO, "two": TWO}, lambda z: np.clip(z, -2, 2)),
    "behind others": (
        [node("Div", "z two", "a"), node("Identity", "a", "b"), node("Identity", "b", "y")], {"two": TWO},
        lambda z: z / 2,
    ),
    "stored with 8 bits": (
        [node("QuantizeLinear", "z step none", "b"), node("DequantizeLinear", "b step none", "y")],
        {"step": np.array(0.25, np.float32), "none": np.array(128, np.uint8)},
        lambda z: np.clip(np.rint(z / 0.25), -128, 127) * 0.25,
    ),
    "its logarithm": ([node("ReduceLogSumExp", "z", "s"), node("Sub", "z s", "y")], {}, lambda z: z),
}  # fmt: skip


@pytest.mark.parametrize("name", SCALED)
def test_a_softmax_is_applied_to_what_is_not_one(name: str) -> None:
    nodes, weights, expected = SCALED[name]
    model = small(*nodes, **weights)
    assert np.abs(sigmoid(shown(as_logits(model, "softmax"))) - softmax(expected(logits()))).max() < 1e-5


def test_a_softmax_that_is_written_out_is_one() -> None:
    model = small(node("Exp", "z", "e"), node("ReduceSum", "e axis", "s"), node("Div", "e s", "y"), axis=np.array([1]))
    assert find_head(model, "softmax").ending == "probabilities"
    assert np.abs(sigmoid(shown(as_logits(model, "softmax"))) - softmax(logits())).max() < 1e-6


@pytest.mark.parametrize("kind", ["probabilities", "softmax"])
def test_what_cannot_be_is_refused(kind: Any) -> None:
    model = small(node("Exp", "z", "y"))
    with pytest.raises(SettingsError, match=f'output is "{kind}", so that numbers of 0 to 1'):
        find_head(model, kind)
    with pytest.raises(SettingsError, match='output is "probabilities"'):
        find_head(small(), "probabilities")


@pytest.mark.parametrize("operator", ["TopK", "ArgMax"])
def test_what_is_sorted_is_refused(operator: str) -> None:
    last = (
        helper.make_node("TopK", ["p", "three"], ["y", "places"])
        if operator == "TopK"
        else helper.make_node("ArgMax", ["p"], ["number"], axis=1)
    )
    more = [] if operator == "TopK" else [node("Cast", "number", "y", to=1)]
    model = small(node("Softmax", "z", "p"), last, *more, three=np.array([3]))
    for kind in (None, "softmax"):
        with pytest.raises(ModelError, match=rf"comes of {operator}.*outputs = \[\"p\"\]"):
            find_head(model, kind)
