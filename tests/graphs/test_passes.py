"""Passes that make graphs faster: they rewrite what their docstrings name, and what comes out stays what it was."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import ModelProto, NodeProto, helper

from sitegen import gradient
from sitegen.graphs.passes.pooling_first import pool_first
from sitegen.graphs.passes.rectifiers_apart import rectify_apart
from sitegen.graphs.passes.table import BUNDLE, PAGE, Pass, apply, for_page
from tests.helpers.importing.onnx_models import graph

RANDOM = np.random.default_rng(1)
SHAPE = (1, 3, 8, 8)
IMAGE = RANDOM.normal(size=SHAPE).astype(np.float32)


def node(operator: str, inputs: Sequence[str], output: str, **others: Any) -> NodeProto:
    return helper.make_node(operator, list(inputs), [output], name=output, **others)


def normal(*shape: int) -> np.ndarray:
    return RANDOM.normal(size=shape).astype(np.float32)


def run(model: ModelProto, **feeds: np.ndarray) -> list[np.ndarray]:
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    return session.run(None, feeds)


def operators(model: ModelProto) -> list[str]:
    return [each.op_type for each in model.graph.node]


def changed(model: ModelProto, *passes: Pass) -> ModelProto | None:
    """The model after the passes; None where they say that they changed nothing, and did not."""
    copy = ModelProto()
    copy.CopyFrom(model)
    if apply(passes, copy):
        return copy
    assert copy == model
    return None


def transition(
    convolution: dict[str, Any] | None = None,
    pooling: dict[str, Any] | None = None,
    more: Sequence[NodeProto] = (),
    output: tuple[int, ...] = (1, 5, 4, 4),
    kernel: tuple[int, int] = (1, 1),
) -> ModelProto:
    nodes = [
        node("Relu", ["x"], "r"),
        node("Conv", ["r", "k", "b"], "c", **{"kernel_shape": kernel, **(convolution or {})}),
        *more,
        node("AveragePool", ["c"], "y", **{"kernel_shape": [2, 2], "strides": [2, 2], **(pooling or {})}),
    ]
    return graph(nodes, SHAPE, output, k=normal(5, 3, *kernel), b=normal(5))


def statistics(name: str, channels: int) -> dict[str, Any]:
    return {f"{name}_{part}": normal(channels) for part in "abm"} | {f"{name}_v": normal(channels) ** 2 + 1}


def normalised() -> ModelProto:
    given = statistics("norm", 3)
    nodes = [
        node("BatchNormalization", ["x", *given], "n"),
        node("Relu", ["n"], "r"),
        node("Conv", ["r", "k"], "c"),
        node("Relu", ["c"], "y"),
    ]
    return graph(nodes, SHAPE, (1, 5, 8, 8), k=normal(5, 3, 1, 1), **given)


def test_the_average_comes_first() -> None:
    model = transition()
    after = changed(model, pool_first)
    assert after is not None
    assert operators(after) == ["Relu", "AveragePool", "Conv"]
    assert [(list(each.input), list(each.output)) for each in after.graph.node[1:]] == [
        (["r"], ["c"]),
        (["c", "k", "b"], ["y"]),
    ]
    np.testing.assert_allclose(run(after, x=IMAGE)[0], run(model, x=IMAGE)[0], rtol=0, atol=1e-6)


OTHERS = {
    "padded pooling": transition(pooling={"pads": [1, 1, 1, 1]}, output=(1, 5, 5, 5)),
    "a padded convolution": transition({"pads": [1, 1, 1, 1]}, output=(1, 5, 5, 5)),
    "a convolution that skips pixels": transition({"strides": [2, 2]}, output=(1, 5, 2, 2)),
    "a larger convolution": transition(kernel=(3, 3), output=(1, 5, 3, 3)),
    "pooling that keeps the size": transition(pooling={"kernel_shape": [1, 1], "strides": [1, 1]}, output=(1, 5, 8, 8)),
    "pooling of the whole image": transition(pooling={"kernel_shape": [8, 8]}, output=(1, 5, 1, 1)),
    "pooling that is rounded up": transition(pooling={"kernel_shape": [3, 3], "ceil_mode": 1}),
    "maps that something else reads, too": transition(more=[node("Neg", ["c"], "unused")]),
    "a greatest value": graph([node("MaxPool", ["x"], "y", kernel_shape=[2, 2])], SHAPE, (1, 3, 7, 7)),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_pooling_stays_where_it_is(name: str) -> None:
    assert changed(OTHERS[name], pool_first) is None


def test_rectifiers_that_the_engine_runs_by_themselves_become_max() -> None:
    model = normalised()
    after = changed(model, rectify_apart)
    assert after is not None
    assert operators(after) == ["BatchNormalization", "Max", "Conv", "Relu"]
    np.testing.assert_array_equal(run(after, x=IMAGE)[0], run(model, x=IMAGE)[0])


def test_what_the_engine_merges_stays() -> None:
    given = statistics("norm", 5)
    nodes = [
        node("Conv", ["x", "k"], "c"),
        node("BatchNormalization", ["c", *given], "n"),
        node("Relu", ["n"], "r"),
        node("Add", ["r", "r"], "a"),
        node("Relu", ["a"], "y"),
    ]
    assert changed(graph(nodes, SHAPE, (1, 5, 8, 8), k=normal(5, 3, 1, 1), **given), rectify_apart) is None


def test_what_a_quantisation_rectifies_stays() -> None:
    quantise: dict[str, Any] = {"scale": np.array(0.1, np.float32), "zero": np.array(0, np.uint8)}
    nodes = [
        node("Relu", ["x"], "r"),
        node("QuantizeLinear", ["r", "scale", "zero"], "q"),
        node("DequantizeLinear", ["q", "scale", "zero"], "y"),
    ]
    assert changed(graph(nodes, SHAPE, SHAPE, **quantise), rectify_apart) is None


def test_graphs_that_have_nothing_for_the_page_keep_their_bytes() -> None:
    content = transition().SerializeToString()
    assert for_page(content) != content  # the Relu of the input
    plain = OTHERS["a greatest value"].SerializeToString()
    assert for_page(plain) == plain


def dense() -> ModelProto:
    """A transition and a layer as DenseNets have them, and their end: four rectifiers, one of a convolution."""
    names = {"first": 3, "second": 4, "last": 6}
    weights: dict[str, Any] = {
        key: value for name, count in names.items() for key, value in statistics(name, count).items()
    }
    kernels: dict[str, Any] = {
        "k": normal(4, 3, 1, 1),
        "narrow": normal(5, 4, 1, 1),
        "grow": normal(2, 5, 3, 3),
        "w": normal(6, 3),
    }

    def rectified(name: str, source: str) -> list[NodeProto]:
        parts = [source, *(f"{name}_{part}" for part in "abmv")]
        return [node("BatchNormalization", parts, f"{name}_n"), node("Relu", [f"{name}_n"], f"{name}_r")]

    nodes = [
        *rectified("first", "x"),
        node("Conv", ["first_r", "k"], "transition", kernel_shape=[1, 1]),
        node("AveragePool", ["transition"], "pooled", kernel_shape=[2, 2], strides=[2, 2]),
        *rectified("second", "pooled"),
        node("Conv", ["second_r", "narrow"], "n"),
        node("Relu", ["n"], "m"),
        node("Conv", ["m", "grow"], "g", pads=[1, 1, 1, 1]),
        node("Concat", ["pooled", "g"], "both", axis=1),
        *rectified("last", "both"),
        node("GlobalAveragePool", ["last_r"], "mean"),
        node("Flatten", ["mean"], "flat"),
        node("MatMul", ["flat", "w"], "y"),
    ]
    return graph(nodes, SHAPE, (1, 3), **weights, **kernels)


def test_probabilities_and_gradients_of_a_network_stay() -> None:
    """A bundle's passes come before gradients are compiled, the page's after that, as bundles and sites have it."""
    model = dense()
    faster = changed(model, *BUNDLE)
    assert faster is not None
    for guided in (False, True):
        before = gradient.compile(model, wrt="x", guided=guided)
        after = changed(gradient.compile(faster, wrt="x", guided=guided), *PAGE)
        assert after is not None
        kinds = [operators(after).count(kind) for kind in ("Max", "Relu")]
        assert kinds == ([7, 1] if guided else [3, 1])  # guided gradients are rectified by themselves
        feeds = {"x": IMAGE, "seed": normal(1, 3)}
        (logits, slope), (given, found) = run(before, **feeds), run(after, **feeds)
        np.testing.assert_allclose(1 / (1 + np.exp(-given)), 1 / (1 + np.exp(-logits)), rtol=0, atol=1e-5)
        assert np.linalg.norm(found - slope) <= 1e-5 * np.linalg.norm(slope) > 0
