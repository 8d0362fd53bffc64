"""Operators without a rule of their own, which ONNX defines by others, and functions that a model brings along."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from torch.nn import functional

from sitegen import gradient
from sitegen.gradient.rules import RULES
from tests.helpers.gradient.proof import Arrays, model_of, one_node, prove, values

WRITTEN_OUT = ["Attention", "CastLike", "MeanVarianceNormalization", "Shrink"]


@pytest.mark.parametrize("operator", WRITTEN_OUT)
def test_these_have_no_rule(operator: str) -> None:
    assert operator not in RULES


def _prove(model: onnx.ModelProto, feeds: Arrays, reference: Callable[..., torch.Tensor]) -> None:
    prove(model, feeds, reference, rewritten=True)


def _attention(queries: int = 5, keys: int = 5, heads: int = 4, shared: int = 1) -> dict[str, np.ndarray]:
    shape = (heads // shared, keys)
    return {
        "q": values(2, heads, queries, 8),
        "k": values(2, *shape, 8, seed=1),
        "v": values(2, *shape, 6, seed=2),
    }


@pytest.mark.parametrize("opset", [23, 24])
@pytest.mark.parametrize(
    ("sizes", "attributes", "torch_options"),
    [
        ({}, {}, {}),
        ({"queries": 3, "keys": 7}, {"scale": 0.2}, {"scale": 0.2}),
        ({}, {"is_causal": 1}, {"is_causal": True}),
        ({"shared": 2}, {}, {"enable_gqa": True}),
    ],
)
def test_attention(opset: int, sizes: Any, attributes: Mapping[str, Any], torch_options: Mapping[str, Any]) -> None:
    feeds = _attention(**sizes)
    model = one_node("Attention", feeds, opset=opset, **attributes)
    _prove(model, feeds, lambda q, k, v: functional.scaled_dot_product_attention(q, k, v, **torch_options))


@pytest.mark.parametrize("opset", [23, 24])
@pytest.mark.parametrize("shape", [(5, 5), (2, 1, 5, 5), (2, 4, 5, 5)])
def test_attention_with_a_mask_that_is_added(opset: int, shape: tuple[int, ...]) -> None:
    feeds = _attention() | {"mask": values(*shape, seed=3)}
    model = one_node("Attention", feeds, opset=opset)
    _prove(model, feeds, lambda q, k, v, mask: functional.scaled_dot_product_attention(q, k, v, mask))


@pytest.mark.parametrize("opset", [23, 24])
def test_attention_with_a_mask_of_truth_values(opset: int) -> None:
    feeds: Arrays = _attention()
    mask = np.tril(np.ones((5, 5), bool))
    model = one_node("Attention", feeds, {"mask": mask}, opset=opset)
    _prove(model, feeds, lambda q, k, v: functional.scaled_dot_product_attention(q, k, v, torch.tensor(mask)))


@pytest.mark.parametrize("batch", [1, 3])
def test_attention_of_an_open_batch_with_heads_side_by_side(batch: int) -> None:
    feeds = {name: values(batch, 5, 12, seed=seed) for seed, name in enumerate("qkv")}
    model = one_node("Attention", feeds, opset=23, dynamic=True, q_num_heads=3, kv_num_heads=3)

    def reference(**tensors: torch.Tensor) -> torch.Tensor:
        q, k, v = (tensors[name].reshape(batch, 5, 3, 4).transpose(1, 2) for name in "qkv")
        return functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(batch, 5, 12)

    _prove(model, feeds, reference)


@pytest.mark.parametrize("axes", [[0, 2, 3], [1, 2]])
def test_mean_variance_normalization(axes: list[int]) -> None:
    x = values(3, 4, 5, 6)
    model = one_node("MeanVarianceNormalization", {"x": x}, dynamic=True, axes=axes)

    def reference(x: torch.Tensor) -> torch.Tensor:
        return (x - x.mean(axes, True)) / x.var(axes, correction=0, keepdim=True).sqrt()

    _prove(model, {"x": x}, reference)


def test_shrink() -> None:
    x = values(3, 4, 5)
    model = one_node("Shrink", {"x": x}, lambd=0.7, bias=0.7)
    _prove(model, {"x": x}, lambda x: functional.softshrink(x, 0.7))


def test_cast_like() -> None:
    x = values(3, 4)
    _prove(one_node("CastLike", {"x": x}, {"like": np.float32(0)}, opset=19), {"x": x}, lambda x: x * 1)


def test_a_function_in_the_middle() -> None:
    """Its definition depends on the types of what the graph computes and of what it holds."""
    x, mask = values(2, 3, 4, 6), values(4, 4, seed=1)
    nodes = [
        helper.make_node("Tanh", ["x"], ["q"]),
        helper.make_node("Attention", ["q", "q", "x", "mask"], ["a"]),
        helper.make_node("MeanVarianceNormalization", ["a"], ["m"], axes=[2]),
        helper.make_node("Sin", ["m"], ["y"]),
    ]
    model = model_of(nodes, {"x": x}, {"mask": mask}, ["y"], opset=23, dynamic=True)

    def reference(x: torch.Tensor) -> torch.Tensor:
        q = torch.tanh(x)
        a = functional.scaled_dot_product_attention(q, q, x, torch.tensor(mask).to(x.dtype))
        return torch.sin((a - a.mean(2, True)) / a.var(2, correction=0, keepdim=True).sqrt())

    _prove(model, {"x": x}, reference)
    names = [value.name for value in gradient.compile(model, wrt="x").graph.value_info]
    assert "mask" not in names


def _local(body: list[onnx.NodeProto]) -> onnx.ModelProto:
    """A model of one call to a function Scaled(x, w) of its own, nested in another."""
    opset = [helper.make_opsetid("", 18), helper.make_opsetid("mine", 1)]
    scaled = helper.make_function("mine", "Scaled", ["x", "w"], ["y"], body, opset, ["slope"])
    inner = helper.make_node("Scaled", ["a", "b"], ["c"], domain="mine")
    inner.attribute.append(helper.make_attribute("slope", 0.25))
    outer = helper.make_function(
        "mine", "Outer", ["a", "b"], ["d"], [inner, helper.make_node("Tanh", ["c"], ["d"])], opset
    )
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", 4]) for name in "xy")
    call = helper.make_node("Outer", ["x", "w"], ["y"], domain="mine")
    graph = helper.make_graph([call], "g", [x], [y], [numpy_helper.from_array(values(4, seed=1), "w")])
    return helper.make_model(graph, functions=[scaled, outer], opset_imports=opset, ir_version=10)


def test_functions_of_the_model_itself() -> None:
    activation = helper.make_node("LeakyRelu", ["p"], ["y"])
    activation.attribute.append(
        onnx.AttributeProto(name="alpha", ref_attr_name="slope", type=onnx.AttributeProto.FLOAT)
    )
    model = _local([helper.make_node("Mul", ["x", "w"], ["p"]), activation])
    _prove(
        model,
        {"x": values(3, 4)},
        lambda x: torch.tanh(functional.leaky_relu(x * torch.tensor(values(4, seed=1)).to(x), 0.25)),
    )


def test_an_operator_that_nothing_defines_is_refused() -> None:
    feeds = {"x": values(1, 1, 3, 3), "grid": values(1, 2, 2, 2, low=-0.9, high=0.9)}
    model = one_node("GridSample", feeds, opset=20)
    with pytest.raises(
        gradient.GradientError, match=r"'the_GridSample' \(GridSample\): there is no rule .* write the model"
    ):
        gradient.compile(model, wrt="x")
