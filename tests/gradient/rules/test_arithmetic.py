"""Arithmetic against torch: broadcasting in both directions, several inputs, powers, ties, open sizes."""

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import helper

from sitegen import gradient
from tests.helpers.gradient.proof import OPSETS, Arrays, model_of, one_node, prove, run, values

Function = Callable[..., torch.Tensor]

PAIRS: dict[str, Function] = {
    "Add": torch.add,
    "Div": torch.div,
    "Max": torch.maximum,
    "Mean": lambda a, b: (a + b) / 2,
    "Min": torch.minimum,
    "Mul": torch.mul,
    "Pow": torch.pow,
    "Sub": torch.sub,
    "Sum": torch.add,
}
SHAPES: list[tuple[tuple[int, ...], tuple[int, ...]]] = [
    ((3, 4, 5), (3, 4, 5)),
    ((3, 4, 5), (4, 5)),
    ((5,), (3, 4, 5)),
    ((3, 4, 5), ()),
    ((), (3, 4)),
    ((3, 4, 5), (1, 4, 1)),
    ((3, 1, 5), (4, 1)),
    ((1, 1), (2, 3, 4, 5)),
    ((2, 3, 4, 5), (1, 3, 1, 1)),
    ((1,), (1,)),
    ((), ()),
]


def _pair(operator: str, *shapes: Sequence[int]) -> dict[str, np.ndarray]:
    """Numbers whose every power, quotient and order is smooth."""
    low = 0.3 if operator in ("Pow", "Div") else -2.0
    return {
        name: values(*shape, seed=seed, low=low) for seed, (name, shape) in enumerate(zip("abc", shapes, strict=False))
    }


@pytest.mark.parametrize("operator", sorted(PAIRS))
@pytest.mark.parametrize(("left", "right"), SHAPES)
def test_broadcasting(operator: str, left: Sequence[int], right: Sequence[int]) -> None:
    feeds = _pair(operator, left, right)
    prove(one_node(operator, feeds), feeds, lambda a, b: PAIRS[operator](a, b))


@pytest.mark.parametrize("operator", sorted(PAIRS))
@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize("batch", [1, 3])
def test_open_batch(operator: str, opset: int, batch: int) -> None:
    feeds = _pair(operator, (batch, 4, 5), (batch, 1, 5))
    prove(one_node(operator, feeds, opset=opset, dynamic=True), feeds, lambda a, b: PAIRS[operator](a, b))


@pytest.mark.parametrize("operator", sorted(PAIRS))
def test_open_batch_with_constants(operator: str) -> None:
    feeds, constants = {"a": _pair(operator, (3, 4, 5))["a"]}, {"b": values(4, 1, seed=1, low=0.3)}
    model = one_node(operator, feeds, constants, dynamic=True)
    prove(model, feeds, lambda a, b: PAIRS[operator](a, b), wrt=["a", "b"], constants=constants)


@pytest.mark.parametrize("operator", sorted(set(PAIRS) - {"Mean", "Sum"}))
def test_double_precision(operator: str) -> None:
    feeds = {name: array.astype(np.float64) for name, array in _pair(operator, (3, 4), (4,)).items()}
    prove(one_node(operator, feeds), feeds, lambda a, b: PAIRS[operator](a, b))


@pytest.mark.parametrize("operator", sorted(PAIRS))
def test_half_precision_is_valid(operator: str) -> None:
    feeds = {name: array.astype(np.float16) for name, array in _pair(operator, (3, 4), (4,)).items()}
    for name in "ab":
        onnx.checker.check_model(gradient.compile(one_node(operator, feeds), wrt=name), full_check=True)


def _open(model: onnx.ModelProto, **names: str) -> onnx.ModelProto:
    """Name the dimensions of inputs and outputs: one letter for each."""
    for value in (*model.graph.input, *model.graph.output):
        for dim, name in zip(value.type.tensor_type.shape.dim, names[value.name], strict=True):
            dim.dim_param = name
    return model


@pytest.mark.parametrize(
    ("left", "right"),
    [((3, 4), (3, 4)), ((3, 4), (1, 4)), ((3, 1), (1, 4)), ((1, 4), (3, 1)), ((1, 1), (3, 4)), ((1, 1), (1, 1))],
)
def test_sizes_that_go_by_different_names(left: Sequence[int], right: Sequence[int]) -> None:
    """Which of them are repeated shows only when the graph runs."""
    feeds = _pair("Mul", left, right)
    model = _open(one_node("Mul", feeds), a="NC", b="MD", y="PQ")
    prove(model, feeds, lambda a, b: a * b)


@pytest.mark.parametrize(("left", "right"), [((2, 3, 4), (3, 4)), ((2, 3, 4), (1, 4)), ((2, 1, 4), (3, 1))])
def test_open_sizes_of_different_ranks(left: Sequence[int], right: Sequence[int]) -> None:
    feeds = _pair("Sub", left, right)
    model = _open(one_node("Sub", feeds), a="NCH", b="MD", y="PQR")
    prove(model, feeds, lambda a, b: a - b)


SEVERAL: dict[str, Callable[[Sequence[torch.Tensor]], Any]] = {
    "Max": lambda tensors: reduce(torch.maximum, tensors),
    "Min": lambda tensors: reduce(torch.minimum, tensors),
    "Sum": sum,
    "Mean": lambda tensors: sum(tensors) / len(tensors),
}


@pytest.mark.parametrize("operator", sorted(SEVERAL))
@pytest.mark.parametrize("shapes", [[(3, 4)], [(3, 4), (4,), (3, 1)], [(), (3, 4), (1, 4), (2, 1, 1)]])
def test_several_inputs(operator: str, shapes: Sequence[Sequence[int]]) -> None:
    feeds = {f"x{index}": values(*shape, seed=index) for index, shape in enumerate(shapes)}
    prove(one_node(operator, feeds), feeds, lambda **tensors: SEVERAL[operator](list(tensors.values())) * 1)


@pytest.mark.parametrize("operator", ["Add", "Sub", "Mul", "Div", "Max", "Pow"])
def test_a_tensor_with_itself(operator: str) -> None:
    x = values(3, 4, low=0.3)
    prove(one_node(operator, {"x": x}, order=["x", "x"]), {"x": x}, lambda x: PAIRS[operator](x, x))


def _gradients(operator: str, seed: Sequence[float], **inputs: Sequence[float]) -> list[list[float]]:
    feeds = {name: np.array(numbers, np.float32) for name, numbers in inputs.items()}
    model = one_node(operator, feeds)
    compiled = gradient.compile(model, wrt=next(iter(feeds)), also=list(feeds)[1:])
    found = run(compiled, feeds | {"seed": np.array(seed, np.float32)})
    return [found[f"grad_{name}"].tolist() for name in feeds]


@pytest.mark.parametrize("operator", ["Max", "Min"])
def test_ties_share_evenly(operator: str) -> None:
    assert _gradients(operator, [6, 6], a=[1, -2], b=[1, -2]) == [[3, 3], [3, 3]]
    assert _gradients(operator, [8], a=[1], b=[1], c=[1]) == [[2], [2], [4]]
    first, second = ([8, 0], [0, 8]) if operator == "Max" else ([0, 8], [8, 0])
    assert _gradients(operator, [8, 8], a=[2, 1], b=[1, 2]) == [first, second]


def test_infinite_numbers_tie_too() -> None:
    assert _gradients("Max", [6, 6], a=[-np.inf, 1], b=[-np.inf, -np.inf]) == [[3, 6], [3, 0]]


EXPONENTS = [0.0, 1.0, 2.0, 3.0, 4.0, -1.0, -2.0, 0.5, 1.7]


@pytest.mark.parametrize(
    ("exponent", "kind"),
    [(n, kind) for n in EXPONENTS for kind in (np.float32, np.int64, np.float64) if n == kind(n)],
)
def test_fixed_exponents(exponent: float, kind: type) -> None:
    x = values(3, 4, low=-2.0 if exponent == int(exponent) else 0.2)
    x = np.where(np.abs(x) < 0.3, np.float32(0.3), x)
    for shape in ((), (1,), (1, 1, 1)):
        model = one_node("Pow", {"x": x}, {"n": np.full(shape, exponent, kind)})
        prove(model, {"x": x}, lambda x, shape=shape: (x**exponent).reshape(*shape[2:], 3, 4))


@pytest.mark.parametrize("opset", OPSETS)
def test_exponents_that_differ(opset: int) -> None:
    x, exponents = values(3, 4), np.array([0, 1, 2, 3], np.int64)
    model = one_node("Pow", {"x": x}, {"n": exponents}, opset=opset)
    prove(model, {"x": x}, lambda x: x ** torch.tensor(exponents))


@pytest.mark.parametrize("shape", [(), (1,), (4,), (3, 1)])
def test_learned_exponents(shape: Sequence[int]) -> None:
    """As in generalised mean pooling."""
    x, exponents = values(3, 4, low=0.3), {"n": values(*shape, seed=1, low=0.5)}
    model = one_node("Pow", {"x": x}, exponents)
    prove(model, {"x": x}, lambda x, n: x**n, wrt=["x", "n"], constants=exponents)


def test_powers_of_zero() -> None:
    to_base, to_exponent = _gradients("Pow", [1, 1, 1, 1], a=[0, 0, 0, 2], b=[0, 1, 2, 0])
    assert to_base == [0, 1, 0, 0]
    assert to_exponent == pytest.approx([0, 0, 0, np.log(2)])


CHOICES = [
    ((3, 4), (3, 4), (3, 4)),
    ((3, 1), (4,), ()),
    ((4,), (3, 4), (3, 1)),
    ((2, 3, 4), (1, 4), (3, 1)),
    ((), (2, 3), (3,)),
]


@pytest.mark.parametrize(("condition", "left", "right"), CHOICES)
@pytest.mark.parametrize("opset", OPSETS)
def test_where(condition: Sequence[int], left: Sequence[int], right: Sequence[int], opset: int) -> None:
    feeds: Arrays = {"c": np.asarray(values(*condition) > 0), "a": values(*left, seed=1), "b": values(*right, seed=2)}
    prove(one_node("Where", feeds, opset=opset), feeds, lambda c, a, b: torch.where(c, a, b))


def test_where_with_open_batch_and_infinite_constants() -> None:
    x, constants = values(3, 4), {"nothing": np.float32(-np.inf), "zero": np.float32(0)}
    nodes = [
        helper.make_node("Greater", ["x", "zero"], ["c"]),
        helper.make_node("Where", ["c", "x", "nothing"], ["z"]),
        helper.make_node("Exp", ["z"], ["y"]),
    ]
    model = model_of(nodes, {"x": x}, constants, ["y"], dynamic=True)
    prove(model, {"x": x}, lambda x: torch.where(x > 0, x, -torch.inf).exp())


def test_division_by_large_and_small_numbers() -> None:
    feeds = {"a": values(4, low=0.5), "b": np.array([1e-12, 1e12, -1e-12, 3e4], np.float32)}
    prove(one_node("Div", feeds), feeds, lambda a, b: a / b, differences=False)
