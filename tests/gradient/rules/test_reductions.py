"""Reductions against torch: axes by version of the operator, kept and dropped dimensions, open batches, ties."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper

from sitegen import gradient
from tests.helpers.gradient.proof import OPSETS, one_node, prove, run, values

Reduction = Callable[[torch.Tensor, list[int], bool], torch.Tensor]


def _by_axis(reduce: Callable[..., Any]) -> Reduction:
    """A torch function that reduces one axis at a time, applied to several."""

    def several(x: torch.Tensor, axes: Sequence[int], keep: bool) -> torch.Tensor:
        for axis in sorted((axis % x.ndim for axis in axes), reverse=True):
            x = reduce(x, dim=axis, keepdim=keep)
            x = x if isinstance(x, torch.Tensor) else x.values
        return x

    return several


TORCH: dict[str, Reduction] = {
    "ReduceMean": lambda x, axes, keep: x.mean(axes, keep),
    "ReduceSum": lambda x, axes, keep: x.sum(axes, keep),
    "ReduceSumSquare": lambda x, axes, keep: (x * x).sum(axes, keep),
    "ReduceL1": lambda x, axes, keep: torch.linalg.vector_norm(x, 1, tuple(axes), keep),
    "ReduceL2": lambda x, axes, keep: torch.linalg.vector_norm(x, 2, tuple(axes), keep),
    "ReduceLogSum": lambda x, axes, keep: x.sum(axes, keep).log(),
    "ReduceLogSumExp": lambda x, axes, keep: x.logsumexp(axes, keep),
    "ReduceProd": _by_axis(torch.prod),
    "ReduceMax": _by_axis(torch.max),
    "ReduceMin": _by_axis(torch.min),
}
ALL = sorted(TORCH)


def _model(operator: str, x: np.ndarray[Any, Any], axes: Sequence[int] | None, *, opset: int, **rest: Any) -> Any:
    """A reduction of `x`, the axes as an attribute or as an input as its version has it."""
    if axes is None:
        return one_node(operator, {"x": x}, opset=opset, **rest)
    if opset < 18 and operator != "ReduceSum":
        return one_node(operator, {"x": x}, opset=opset, axes=list(axes), **rest)
    return one_node(operator, {"x": x}, {"axes": np.array(axes, np.int64)}, opset=opset, **rest)


def _numbers(operator: str, *shape: int) -> np.ndarray[Any, Any]:
    """Positive for logarithms; else of both signs, but away from the kink of the absolute value."""
    numbers = values(*shape, low=0.1)
    signs = 1 if operator == "ReduceLogSum" else np.sign(values(*shape, seed=9))
    return (numbers * signs).astype(np.float32)


@pytest.mark.parametrize("operator", ALL)
@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize(("axes", "keep"), [((1,), 1), ((-1,), 0), ((2, 0), 0), ((-2, 1, 3), 1)])
def test_axes(operator: str, opset: int, axes: tuple[int, ...], keep: int) -> None:
    x = _numbers(operator, 2, 3, 5, 4)
    model = _model(operator, x, axes, opset=opset, keepdims=keep)
    prove(model, {"x": x}, lambda x: TORCH[operator](x, list(axes), bool(keep)))


@pytest.mark.parametrize("operator", ALL)
@pytest.mark.parametrize(("opset", "axes"), [(17, None), (18, None), (18, ())])
@pytest.mark.parametrize("keep", [0, 1])
def test_without_axes_all_are_reduced(operator: str, opset: int, keep: int, axes: tuple[int, ...] | None) -> None:
    x = _numbers(operator, 2, 3, 3)
    model = _model(operator, x, axes, opset=opset, keepdims=keep)
    prove(model, {"x": x}, lambda x: TORCH[operator](x, [0, 1, 2], bool(keep)))


# Without anything to reduce, the function that is applied to each element remains.
ELEMENTWISE: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "ReduceL1": torch.abs,
    "ReduceL2": torch.abs,
    "ReduceSumSquare": torch.square,
    "ReduceLogSum": torch.log,
}


@pytest.mark.parametrize("operator", ALL)
@pytest.mark.parametrize("axes", [None, ()])
@pytest.mark.parametrize("keep", [0, 1])
def test_no_axes_reduce_nothing_where_the_node_says_so(operator: str, axes: tuple[int, ...] | None, keep: int) -> None:
    x = _numbers(operator, 2, 3)
    model = _model(operator, x, axes, opset=18, noop_with_empty_axes=1, keepdims=keep)
    prove(model, {"x": x}, ELEMENTWISE.get(operator, lambda x: x * 1))


@pytest.mark.parametrize("operator", ALL)
@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize(("axes", "keep"), [((0, 2), 0), ((1, 2), 1), (None, 0)])
def test_open_batch(operator: str, batch: int, axes: tuple[int, ...] | None, keep: int) -> None:
    x = _numbers(operator, batch, 3, 5)
    model = _model(operator, x, axes, opset=18, keepdims=keep, dynamic=True)
    prove(model, {"x": x}, lambda x: TORCH[operator](x, list(axes or (0, 1, 2)), bool(keep)))


@pytest.mark.parametrize("operator", ALL)
def test_double_precision(operator: str) -> None:
    x = _numbers(operator, 2, 3, 5).astype(np.float64)
    model = _model(operator, x, (0, 2), opset=18, keepdims=0)
    prove(model, {"x": x}, lambda x: TORCH[operator](x, [0, 2], False))


@pytest.mark.parametrize("operator", ALL)
def test_half_precision_is_valid(operator: str) -> None:
    model = _model(operator, _numbers(operator, 2, 3, 5).astype(np.float16), (0, 2), opset=18, dynamic=True)
    onnx.checker.check_model(gradient.compile(model, wrt="x"), full_check=True)


def _gradient(operator: str, x: Any, axes: Sequence[int], seed: Any, **rest: Any) -> Any:
    x = np.array(x, np.float32)
    compiled = gradient.compile(_model(operator, x, axes, opset=18, keepdims=0, **rest), wrt="x")
    found: list[Any] = run(compiled, {"x": x, "seed": np.array(seed, np.float32)})["grad_x"].tolist()
    return found


@pytest.mark.parametrize("sign", [1, -1])
def test_the_first_of_several_extrema_gets_everything(sign: int) -> None:
    operator = "ReduceMax" if sign > 0 else "ReduceMin"
    x = sign * np.array([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0]])
    assert _gradient(operator, x, [1], [5, 7]) == [[0, 5, 0], [7, 0, 0]]
    assert _gradient(operator, x, [0], [5, 7, 9]) == [[0, 7, 9], [5, 0, 0]]


def test_first_is_row_by_row_for_several_axes() -> None:
    x = [[[0.0, 1.0], [4.0, 0.0]], [[4.0, 4.0], [4.0, 4.0]]]
    assert _gradient("ReduceMax", x, [0, 1, 2], 6) == [[[0, 0], [6, 0]], [[0, 0], [0, 0]]]
    assert _gradient("ReduceMax", x, [2, 0], [6, 5]) == [[[0, 0], [5, 0]], [[6, 0], [0, 0]]]
    assert _gradient("ReduceMin", np.zeros((2, 2, 2)), [1, 2], [6, 5]) == [[[6, 0], [0, 0]], [[5, 0], [0, 0]]]


def test_infinite_numbers_have_a_maximum_too() -> None:
    assert _gradient("ReduceMax", [[-np.inf, -np.inf], [np.inf, 1]], [1], [3, 2]) == [[3, 0], [2, 0]]


def test_the_norm_of_zeros_has_the_gradient_zero() -> None:
    assert _gradient("ReduceL2", [[0.0, 0.0], [3.0, 4.0]], [1], [1, 10]) == [[0, 0], [6, 8]]
    assert _gradient("ReduceL1", [[0.0, -2.0]], [1], [3]) == [[0, -3]]


def test_products_with_zeros() -> None:
    x = [[2.0, 3.0, 4.0], [2.0, 0.0, 4.0], [0.0, 0.0, 4.0]]
    assert _gradient("ReduceProd", x, [1], [1, 1, 1]) == [[12, 8, 6], [0, 8, 0], [0, 0, 0]]


def test_log_of_a_sum_of_exponentials_does_not_overflow() -> None:
    found = _gradient("ReduceLogSumExp", [[1000.0, 1000.0], [-1000.0, 0.0]], [1], [1, 1])
    np.testing.assert_allclose(found, [[0.5, 0.5], [0.0, 1.0]], rtol=1e-4)


@pytest.mark.parametrize("exclusive", [0, 1])
@pytest.mark.parametrize("reverse", [0, 1])
@pytest.mark.parametrize("axis", [0, -1])
def test_running_sum(exclusive: int, reverse: int, axis: int) -> None:
    x = values(3, 4, 5)
    model = one_node("CumSum", {"x": x}, {"a": np.array(axis)}, exclusive=exclusive, reverse=reverse, dynamic=True)

    def reference(x: torch.Tensor) -> torch.Tensor:
        turned = x.flip(axis) if reverse else x
        total = turned.cumsum(axis) - (turned if exclusive else 0)
        return total.flip(axis) if reverse else total

    prove(model, {"x": x}, reference)


def test_axes_that_depend_on_the_input_are_refused() -> None:
    node = helper.make_node("ReduceMean", ["x", "axes"], ["y"], name="average")
    x, y = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in (("x", [2, 3]), ("y", [2, 1]))
    )
    axes = helper.make_tensor_value_info("axes", TensorProto.INT64, [1])
    model = helper.make_model(
        helper.make_graph([node], "g", [x, axes], [y]), opset_imports=[helper.make_opsetid("", 18)]
    )
    with pytest.raises(gradient.GradientError, match=r"'average' \(ReduceMean\): the list of axes \('axes'\).*fixed"):
        gradient.compile(model, wrt="x")
