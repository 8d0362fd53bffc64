"""Operators that move elements, or repeat them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import helper
from torch.nn import functional

from sitegen import gradient
from tests.helpers.gradient.proof import OPSETS, Arrays, model_of, one_node, prove, run, values


def _ints(*numbers: int) -> np.ndarray[Any, Any]:
    return np.array(numbers, np.int64)


def _prove(
    operator: str,
    shape: tuple[int, ...],
    constants: Arrays,
    reference: Callable[[torch.Tensor], torch.Tensor],
    **rest: Any,
) -> None:
    x = values(*shape)
    prove(one_node(operator, {"x": x}, constants, **rest), {"x": x}, reference)


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize("dynamic", [False, True])
@pytest.mark.parametrize("batch", [1, 3])
def test_shapes(opset: int, dynamic: bool, batch: int) -> None:
    rest: dict[str, Any] = {"opset": opset, "dynamic": dynamic}
    _prove("Reshape", (batch, 4, 6), {"to": _ints(0, -1, 3)}, lambda x: x.reshape(len(x), -1, 3), **rest)
    _prove("Flatten", (batch, 4, 3, 2), {}, lambda x: x.flatten(1), **rest)
    _prove("Flatten", (batch, 4, 3, 2), {}, lambda x: x.reshape(-1, 2), **rest, axis=-1)
    _prove("Flatten", (batch, 4), {}, lambda x: x.reshape(1, -1), **rest, axis=0)
    _prove("Squeeze", (batch, 1, 3, 1), {"axes": _ints(1, -1)}, lambda x: x[:, 0, :, 0], **rest)
    _prove("Unsqueeze", (batch, 3), {"axes": _ints(-1, 1)}, lambda x: x[:, None, :, None], **rest)


def test_squeeze_of_all_sizes_of_one() -> None:
    _prove("Squeeze", (1, 5, 1), {}, lambda x: x.reshape(5))


def test_reshape_to_another_batch() -> None:
    """As windows of an image are made: the batch is in the middle of a product."""
    _prove("Reshape", (3, 4, 6), {"to": _ints(-1, 2, 6)}, lambda x: x.reshape(-1, 2, 6), dynamic=True)
    _prove("Reshape", (3, 4, 6), {"to": _ints(-1)}, lambda x: x.reshape(-1), dynamic=True)


def test_reshape_to_a_scalar() -> None:
    _prove("Reshape", (1, 1), {"to": np.zeros(0, np.int64)}, lambda x: x.reshape(()))


def test_two_open_dimensions_are_asked_for_when_the_graph_runs() -> None:
    x = values(2, 3, 4)
    model = one_node("Reshape", {"x": x}, {"to": _ints(-1)}, dynamic=True)
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_param = "M"
    prove(model, {"x": x}, lambda x: x.reshape(-1))


@pytest.mark.parametrize("order", [None, [0, 1, 2, 3], [0, 2, 3, 1], [3, 1, 0, 2], [1, 2, 3, 0]])
@pytest.mark.parametrize("dynamic", [False, True])
def test_transpose(order: list[int] | None, dynamic: bool) -> None:
    rest: dict[str, Any] = {"dynamic": dynamic} | ({"perm": order} if order else {})
    _prove("Transpose", (3, 4, 5, 2), {}, lambda x: x.permute(order or [3, 2, 1, 0]), **rest)


def test_transpose_of_a_scalar_and_of_a_vector() -> None:
    _prove("Transpose", (), {}, lambda x: x)
    _prove("Transpose", (5,), {}, lambda x: x)


def test_transpose_of_a_matrix() -> None:
    _prove("Transpose", (2, 3), {}, lambda x: x.T)


@pytest.mark.parametrize(
    ("shape", "to"),
    [
        ((1, 3), [2, 4, 3]),
        ((4, 1), [4, 5]),
        ((3,), [2, 1, 3]),
        ((), [2, 3]),
        ((2, 1, 3), [1, 1, 1]),
        ((2, 1, 3, 1), [2, 4, 3, 1]),
    ],
)
def test_expand(shape: tuple[int, ...], to: list[int]) -> None:
    _prove("Expand", shape, {"to": _ints(*to)}, lambda x: x.expand(torch.broadcast_shapes(shape, to)))


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("to", [[1, 1, 1], [1, 5, 1], [5, 4], [2, 1, 1, 4]])
def test_expand_beside_an_open_batch(batch: int, to: list[int]) -> None:
    shape = (batch, 1, 4)
    full = torch.broadcast_shapes(shape, to)
    _prove("Expand", shape, {"to": _ints(*to)}, lambda x: x.expand(full), dynamic=True)


def test_expand_to_a_batch_that_is_open() -> None:
    """As a class token is repeated for every image."""
    image, token = values(3, 4), values(1, 4, seed=1)
    nodes = [
        helper.make_node("Shape", ["x"], ["sizes"]),
        helper.make_node("Expand", ["token", "sizes"], ["y"], name="e"),
    ]
    model = model_of(nodes, {"x": image, "token": token}, {}, ["y"], dynamic=False)
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_param = "N"
    model.graph.output[0].type.tensor_type.shape.dim[0].dim_param = "N"
    onnx.checker.check_model(model, full_check=True)
    prove(model, {"x": image, "token": token}, lambda x, token: token.expand(x.shape), wrt=["token"])


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize(
    ("shape", "repeats"),
    [
        ((3,), [4]),
        ((2, 3), [1, 2]),
        ((2, 3), [3, 1]),
        ((3, 1, 4), [1, 5, 2]),
        ((2, 3, 2, 3), [2, 1, 3, 2]),
        ((1, 2), [1, 1]),
    ],
)
def test_tile(shape: tuple[int, ...], repeats: list[int], opset: int) -> None:
    _prove("Tile", shape, {"repeats": _ints(*repeats)}, lambda x: x.tile(repeats), opset=opset)
    _prove("Tile", shape, {"repeats": _ints(*repeats)}, lambda x: x.tile(repeats), opset=opset, dynamic=True)


def test_two_open_dimensions_are_refused_where_they_cannot_be_told_apart() -> None:
    model = one_node("Tile", {"x": values(2, 3)}, {"repeats": _ints(1, 2)}, dynamic=True)
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_param = "M"
    model.graph.output[0].type.tensor_type.ClearField("shape")
    with pytest.raises(gradient.GradientError, match=r"the_Tile.*leaves \['N', 'M'\] open"):
        gradient.compile(model, wrt="x")


def test_copies_add_up() -> None:
    x = np.zeros(2, np.float32)
    compiled = gradient.compile(one_node("Tile", {"x": x}, {"repeats": _ints(3)}), wrt="x")
    found = run(compiled, {"x": x, "seed": np.array([1, 2, 10, 20, 100, 200], np.float32)})
    np.testing.assert_array_equal(found["grad_x"], [111, 222])


def test_repeats_that_are_computed_are_refused() -> None:
    x = values(2, 3)
    model = one_node("Tile", {"x": x, "repeats": _ints(1, 2)})
    with pytest.raises(
        gradient.GradientError, match=r"the_Tile.*\(Tile\).*repeats.*computed when the model runs.*fixed"
    ):
        gradient.compile(model, wrt="x")


def depth_first(x: torch.Tensor, block: int) -> torch.Tensor:
    """Channels block by block: the first of all blocks, then the second of all (DCR)."""
    n, c, h, w = x.shape
    split = x.reshape(n, block, block, c // block**2, h, w)
    return split.permute(0, 3, 4, 1, 5, 2).reshape(n, c // block**2, h * block, w * block)


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize("block", [1, 2, 3])
@pytest.mark.parametrize("batch", [1, 3])
def test_depth_and_space(opset: int, block: int, batch: int) -> None:
    rest: dict[str, Any] = {"opset": opset, "blocksize": block, "dynamic": batch == 3}
    deep = (batch, 2 * block**2, 3, 2)
    _prove("DepthToSpace", deep, {}, lambda x: depth_first(x, block), **rest)
    _prove("DepthToSpace", deep, {}, lambda x: functional.pixel_shuffle(x, block), **rest, mode="CRD")
    x = values(batch, 2, 3 * block, 2 * block)
    there = lambda x: depth_first(x, block)  # noqa: E731
    model = one_node("SpaceToDepth", {"x": x}, **rest)
    np.testing.assert_array_equal(there(torch.tensor(run(model, {"x": x})["y"])), x)
    prove(model, {"x": x}, lambda x: _inverse(x, block))


def _inverse(x: torch.Tensor, block: int) -> torch.Tensor:
    n, c, h, w = x.shape
    split = x.reshape(n, c, h // block, block, w // block, block)
    return split.permute(0, 3, 5, 1, 2, 4).reshape(n, c * block**2, h // block, w // block)


@pytest.mark.parametrize("operator", ["Transpose", "Flatten"])
def test_double_precision_stays(operator: str) -> None:
    x = values(3, 4, 2).astype(np.float64)
    reference = (lambda x: x.permute(2, 1, 0)) if operator == "Transpose" else (lambda x: x.flatten(1))
    prove(one_node(operator, {"x": x}), {"x": x}, reference)
