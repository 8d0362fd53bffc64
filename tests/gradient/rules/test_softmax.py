"""Softmax and its logarithm against torch: axes, open batches, masks, large numbers."""

from collections.abc import Callable

import numpy as np
import onnx
import pytest
import torch
from onnx import helper

from sitegen import gradient
from tests.helpers.gradient.proof import OPSETS, model_of, one_node, prove, run, values

TORCH: dict[str, Callable[..., torch.Tensor]] = {"Softmax": torch.softmax, "LogSoftmax": torch.log_softmax}
BOTH = sorted(TORCH)


@pytest.mark.parametrize("operator", BOTH)
@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize("axis", [0, 1, 3, -1, -3])
def test_axes(operator: str, opset: int, axis: int) -> None:
    x = values(3, 5, 2, 4)
    prove(one_node(operator, {"x": x}, opset=opset, axis=axis), {"x": x}, lambda x: TORCH[operator](x, axis))


@pytest.mark.parametrize("operator", BOTH)
@pytest.mark.parametrize("batch", [1, 3])
def test_the_last_axis_by_default(operator: str, batch: int) -> None:
    x = values(batch, 5, 4)
    prove(one_node(operator, {"x": x}, dynamic=True), {"x": x}, lambda x: TORCH[operator](x, -1))


@pytest.mark.parametrize("operator", BOTH)
def test_over_an_open_batch(operator: str) -> None:
    x = values(3, 5)
    prove(one_node(operator, {"x": x}, axis=0, dynamic=True), {"x": x}, lambda x: TORCH[operator](x, 0))


@pytest.mark.parametrize("operator", BOTH)
def test_double_precision(operator: str) -> None:
    x = values(3, 5).astype(np.float64)
    prove(one_node(operator, {"x": x}), {"x": x}, lambda x: TORCH[operator](x, -1))


@pytest.mark.parametrize("operator", BOTH)
def test_half_precision_is_valid(operator: str) -> None:
    model = one_node(operator, {"x": values(3, 5).astype(np.float16)}, dynamic=True)
    onnx.checker.check_model(gradient.compile(model, wrt="x"), full_check=True)


@pytest.mark.parametrize("operator", BOTH)
def test_large_numbers(operator: str) -> None:
    x = values(3, 7, low=-300.0, high=300.0)
    prove(one_node(operator, {"x": x}), {"x": x}, lambda x: TORCH[operator](x, -1), differences=False)


def test_one_element_has_no_choice() -> None:
    model = gradient.compile(one_node("Softmax", {"x": values(2, 1)}), wrt="x")
    found = run(model, {"x": values(2, 1), "seed": np.ones((2, 1), np.float32)})["grad_x"]
    assert found.tolist() == [[0.0], [0.0]]


def test_masked_elements_get_nothing_and_the_others_stay_finite() -> None:
    x, mask = values(2, 4), np.array([[0, -np.inf, 0, 0], [0, 0, -np.inf, -np.inf]], np.float32)
    nodes = [helper.make_node("Add", ["x", "mask"], ["z"]), helper.make_node("Softmax", ["z"], ["y"])]
    model = model_of(nodes, {"x": x}, {"mask": mask}, ["y"])
    prove(model, {"x": x}, lambda x: torch.softmax(x + torch.tensor(mask), -1))
    found = run(gradient.compile(model, wrt="x"), {"x": x, "seed": values(2, 4, seed=1)})["grad_x"]
    assert found[np.isinf(mask)].tolist() == [0.0, 0.0, 0.0]
