"""Whatever a classifier ends with, its logits say the same probabilities, and have the right gradients."""

from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from onnx import ModelProto, NodeProto, helper

from sitegen import gradient
from sitegen.errors import SettingsError
from sitegen.importing.graph.ending import find_head
from sitegen.importing.graph.heads import as_logits
from sitegen.importing.settings import OutputKind
from tests.helpers.importing.onnx_models import graph, sigmoid, small, small_logits, softmax, tensors

SCORES = np.array(
    [[0.5, -1.0, 2.0], [30.0, 0.0, -30.0], [300.0, 299.0, -300.0], [-7e3, 9e3, 8e3], [4.0, 4.0, 4.0]], np.float32
)


def head(
    *nodes: NodeProto,
    shape: tuple[int, ...] | None = None,
    labels: int = 3,
    output: tuple[str | int, int] | None = None,
    **weights: Any,
) -> ModelProto:
    """A graph that is nothing but a head: from scores "x" to "y"."""
    return graph(nodes, shape or ("batch", labels), output or ("batch", labels), **weights)


def node(operator: str, inputs: list[str], output: str, **settings: Any) -> NodeProto:
    return helper.make_node(operator, inputs, [output], **settings)


def run(model: ModelProto, values: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(model.SerializeToString())
    return session.run(None, {"x": values})[0]


def operators(model: ModelProto) -> list[str]:
    return [entry.op_type for entry in model.graph.node]


def against_the_rest(scores: np.ndarray) -> np.ndarray:
    """Independent of the import: the logit of a softmax's probability, by PyTorch in float64."""
    z = torch.from_numpy(np.asarray(scores, np.float64))
    rest = [torch.logsumexp(z[:, [j for j in range(z.shape[1]) if j != i]], 1) for i in range(z.shape[1])]
    return (z - torch.stack(rest, 1)).numpy()


@pytest.mark.parametrize("kind", [None, "softmax", "probabilities"])
@pytest.mark.parametrize("operator", ["Softmax", "LogSoftmax"])
def test_a_softmax_becomes_logits_against_the_rest(kind: OutputKind | None, operator: str) -> None:
    model = head(node(operator, ["x"], "y", axis=-1))
    made = run(as_logits(model, kind), SCORES)
    expected = against_the_rest(SCORES)
    assert np.abs((made - expected) / np.maximum(1, np.abs(expected))).max() < 1e-6
    assert np.abs(sigmoid(made) - softmax(SCORES)).max() < 1e-6
    assert operators(model) == [operator]  # what was given stays as it is


def test_equal_scores_have_logits_of_their_share() -> None:
    made = run(as_logits(head(node("Softmax", ["x"], "y")), None), np.zeros((1, 3), np.float32))
    assert made == pytest.approx(np.full((1, 3), np.log(1 / 2)), abs=1e-7)


def test_two_outputs_become_their_difference() -> None:
    model = as_logits(head(node("Neg", ["x"], "z"), node("Softmax", ["z"], "y", axis=1), labels=2), None)
    assert operators(model) == ["Neg", "MatMul"]
    assert run(model, np.array([[3.0, 1.0], [-200.5, 100.0]], np.float32)).tolist() == [[-2.0, 2.0], [300.5, -300.5]]


@pytest.mark.parametrize("kind", [None, "probabilities"])
def test_a_sigmoid_is_removed(kind: OutputKind | None) -> None:
    model = as_logits(small(node("Sigmoid", ["z"], "y")), kind)
    assert "Sigmoid" not in operators(model)
    assert [value.name for value in model.graph.output] == ["y"]
    assert np.abs(run(model, tensors(1)) - small_logits(small(), tensors(1))).max() < 1e-6


def test_logits_stay_as_they_are() -> None:
    for model in (small(), small(node("Sigmoid", ["z"], "y"))):
        assert operators(as_logits(model, "logits")) == operators(model)
    assert as_logits(small(), None) == as_logits(small(), "logits")


@pytest.mark.parametrize("operator", ["Sigmoid", "Softmax"])
def test_what_is_arranged_anew_after_it_does_not_hide_it(operator: str) -> None:
    scores = SCORES[:1].reshape(1, 3, 1, 1)
    axis = {"axis": 1} if operator == "Softmax" else {}
    nodes = [
        node(operator, ["x"], "shares", **axis),
        node("Identity", ["shares"], "same"),
        node("Squeeze", ["same", "last"], "less"),
        node("Reshape", ["less", "form"], "y"),
    ]
    weights: dict[str, Any] = {"last": np.array([3]), "form": np.array([1, 3])}
    made = run(as_logits(head(*nodes, shape=(1, 3, 1, 1), output=(1, 3), **weights), None), scores)
    expected = SCORES[:1] if operator == "Sigmoid" else against_the_rest(SCORES[:1])
    assert np.abs(made - expected).max() < 1e-6


def test_sigmoids_of_several_branches_are_all_removed() -> None:
    nodes = [
        node("Sigmoid", ["x"], "first"),
        node("Neg", ["x"], "turned"),
        node("Sigmoid", ["turned"], "second"),
        node("Concat", ["first", "second"], "both", axis=1),
        node("Gather", ["both", "wanted"], "y", axis=1),
    ]
    model = head(*nodes, output=("batch", 2), wanted=np.array([5, 0]))
    made = as_logits(model, None)
    assert "Sigmoid" not in operators(made)
    assert run(made, SCORES[:1]).tolist() == [[-2.0, 0.5]]


def test_a_softmax_of_pairs_is_no_softmax_of_all() -> None:
    nodes = [
        node("Reshape", ["x", "pairs"], "rows"),
        node("Softmax", ["rows"], "shares", axis=2),
        node("Reshape", ["shares", "flat"], "y"),
    ]
    weights: dict[str, Any] = {"pairs": np.array([1, 3, 2]), "flat": np.array([1, 6])}
    model = head(*nodes, shape=(1, 6), output=(1, 6), **weights)
    assert find_head(model, None).ending == "probabilities"
    scores = np.array([[1, 2, 3, 3, 0, -1]], np.float32)
    assert run(as_logits(model, None), scores) == pytest.approx(np.array([[-1, 1, 0, 0, 1, -1]]), abs=1e-5)


def test_probabilities_without_a_sigmoid_get_their_log_odds() -> None:
    nodes = [node("Exp", ["x"], "e"), node("Add", ["e", "one"], "d"), node("Div", ["e", "d"], "y")]
    model = as_logits(head(*nodes, one=np.array(1, np.float32)), "probabilities")
    scores = np.array([[-3.0, 0.0, 3.0], [-50.0, 16.5, 50.0]], np.float32)
    made = run(model, scores)
    assert made[0] == pytest.approx(scores[0], abs=1e-5)
    assert made[1] == pytest.approx([-16.118, 15.942, 15.942], abs=1e-3)  # 1e-7 and, in float32, 1 - 1.19e-7


def test_scores_that_a_softmax_is_applied_to_elsewhere() -> None:
    made = run(as_logits(small(labels=4), "softmax"), tensors(1))
    expected = against_the_rest(small_logits(small(labels=4), tensors(1)))
    assert np.abs(made - expected).max() < 1e-5


@pytest.mark.parametrize(
    ("end", "kind", "message"),
    [
        ("Exp", None, "ends with Exp"),
        ("HardSigmoid", None, "ends with HardSigmoid"),
        ("Sigmoid", "softmax", "ends with Sigmoid and has 3"),
    ],
)
def test_what_is_not_clear_is_asked(end: str, kind: OutputKind | None, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        as_logits(small(node(end, ["z"], "y")), kind)


def test_one_output_has_no_softmax() -> None:
    with pytest.raises(SettingsError, match=r"has 1 output\(s\)"):
        as_logits(small(labels=1), "softmax")


ENDS = {
    "softmax": (lambda z: torch.log_softmax(z, 1), node("Softmax", ["x"], "y")),
    "two": (lambda z: torch.log_softmax(z, 1), node("Softmax", ["x"], "y")),
    "sigmoid": (torch.nn.functional.logsigmoid, node("Sigmoid", ["x"], "y")),
}


@pytest.mark.parametrize("name", ENDS)
def test_gradients_are_those_of_pytorch(name: str) -> None:
    logarithm, last = ENDS[name]
    scores = SCORES[:2, : 2 if name == "two" else 3] / 10
    # Scores go through a product, for a head alone of a sigmoid has no operators.
    matrix = np.random.default_rng(3).normal(size=(scores.shape[1],) * 2).astype(np.float32)
    last = node(last.op_type, ["z"], "y")
    model = as_logits(head(node("MatMul", ["x", "matrix"], "z"), last, labels=scores.shape[1], matrix=matrix), None)
    compiled = gradient.compile(model, wrt="x", seed="seed")
    weights = np.random.default_rng(4).normal(size=scores.shape).astype(np.float32)
    session = onnxruntime.InferenceSession(compiled.SerializeToString())
    made = session.run(["grad_x"], {"x": scores, "seed": weights})[0]
    x = torch.tensor(scores, dtype=torch.float64, requires_grad=True)
    shares = logarithm(x @ torch.from_numpy(matrix).double())
    logits = shares - torch.log1p(-torch.exp(shares))  # of a probability p, log p − log(1 − p)
    (logits * torch.from_numpy(weights).double()).sum().backward()
    assert np.abs(made - x.grad.numpy()).max() < 1e-5
