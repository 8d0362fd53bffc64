"""Functions of one element against torch: attributes, versions, open batches, precisions, and what holds at kinks."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper
from torch.nn import functional

from sitegen import gradient
from tests.helpers.gradient.proof import OPSETS, Arrays, model_of, one_node, prove, run, values

Function = Callable[[torch.Tensor], torch.Tensor]

FUNCTIONS: list[tuple[str, Mapping[str, Any], Function]] = [
    ("Abs", {}, torch.abs),
    ("Ceil", {}, torch.ceil),
    ("Celu", {}, torch.celu),
    ("Celu", {"alpha": 0.5}, lambda x: functional.celu(x, 0.5)),
    ("Cos", {}, torch.cos),
    ("Dropout", {}, lambda x: x * 1),
    ("Elu", {}, functional.elu),
    ("Elu", {"alpha": 0.5}, lambda x: functional.elu(x, 0.5)),
    ("Erf", {}, torch.erf),
    ("Exp", {}, torch.exp),
    ("Floor", {}, torch.floor),
    ("Gelu", {}, functional.gelu),
    ("Gelu", {"approximate": "tanh"}, lambda x: functional.gelu(x, approximate="tanh")),
    ("HardSigmoid", {}, lambda x: (0.2 * x + 0.5).clamp(0, 1)),
    ("HardSigmoid", {"alpha": 1 / 6, "beta": 0.5}, functional.hardsigmoid),
    ("HardSwish", {}, functional.hardswish),
    ("Identity", {}, lambda x: x * 1),
    ("LeakyRelu", {}, functional.leaky_relu),
    ("LeakyRelu", {"alpha": -0.3}, lambda x: functional.leaky_relu(x, -0.3)),
    ("Mish", {}, functional.mish),
    ("Neg", {}, torch.neg),
    ("Relu", {}, torch.relu),
    ("Round", {}, torch.round),
    ("Selu", {}, functional.selu),
    ("Selu", {"alpha": 1.5, "gamma": 2.0}, lambda x: 2 * functional.elu(x, 1.5)),
    ("Sigmoid", {}, torch.sigmoid),
    ("Sign", {}, lambda x: torch.sign(x) + 0 * x),
    ("Sin", {}, torch.sin),
    ("Softplus", {}, functional.softplus),
    ("Softsign", {}, functional.softsign),
    ("Swish", {}, functional.silu),
    ("Swish", {"alpha": 1.7}, lambda x: x * torch.sigmoid(1.7 * x)),
    ("Tanh", {}, torch.tanh),
    ("ThresholdedRelu", {}, lambda x: functional.threshold(x, 1.0, 0.0)),
    ("ThresholdedRelu", {"alpha": 0.3}, lambda x: functional.threshold(x, 0.3, 0.0)),
]
POSITIVE: list[tuple[str, Function]] = [("Log", torch.log), ("Sqrt", torch.sqrt), ("Reciprocal", torch.reciprocal)]
FIRST = {"Gelu": 20, "Mish": 18}
STEPS = ("Ceil", "Floor", "Round", "Sign")
# Those that ONNX Runtime 1.27 has for it.
DOUBLE = ("Abs", "Exp", "Identity", "Neg", "Relu", "Sigmoid", "Tanh", "Log", "Sqrt", "Reciprocal")


def _version(operator: str, opset: int) -> int:
    """The version to take for one: operators came in at some, and ONNX Runtime runs Swish at its first alone."""
    return 24 if operator == "Swish" else max(opset, FIRST.get(operator, 0))


@pytest.mark.parametrize(("operator", "attributes", "function"), FUNCTIONS)
@pytest.mark.parametrize("opset", OPSETS)
def test_functions(operator: str, attributes: Mapping[str, Any], function: Function, opset: int) -> None:
    x = values(3, 5, 7, low=-4.0, high=4.0)
    model = one_node(operator, {"x": x}, opset=_version(operator, opset), **attributes)
    prove(model, {"x": x}, lambda x: function(x), differences=operator not in STEPS)


@pytest.mark.parametrize(("operator", "function"), POSITIVE)
@pytest.mark.parametrize("opset", OPSETS)
def test_functions_of_positive_numbers(operator: str, function: Function, opset: int) -> None:
    x = values(3, 5, 7, low=0.2, high=4.0)
    prove(one_node(operator, {"x": x}, opset=opset), {"x": x}, lambda x: function(x))


@pytest.mark.parametrize("operator", sorted({entry[0] for entry in FUNCTIONS}))
@pytest.mark.parametrize("batch", [1, 3])
def test_open_batch_by_default_attributes(operator: str, batch: int) -> None:
    function = next(entry[2] for entry in FUNCTIONS if entry[0] == operator)
    x = values(batch, 5, low=-4.0, high=4.0)
    model = one_node(operator, {"x": x}, opset=_version(operator, 18), dynamic=True)
    prove(model, {"x": x}, lambda x: function(x), differences=operator not in STEPS)


@pytest.mark.parametrize("operator", DOUBLE)
def test_double_precision(operator: str) -> None:
    function = dict(POSITIVE).get(operator) or next(entry[2] for entry in FUNCTIONS if entry[0] == operator)
    x = values(3, 5, low=0.2).astype(np.float64)
    prove(one_node(operator, {"x": x}), {"x": x}, lambda x: function(x))


@pytest.mark.parametrize(
    "operator", sorted({entry[0] for entry in FUNCTIONS} - {"Celu"} | {entry[0] for entry in POSITIVE})
)
def test_half_precision(operator: str) -> None:
    """Celu apart, which ONNX defines for single precision alone."""
    function = dict(POSITIVE).get(operator) or next(entry[2] for entry in FUNCTIONS if entry[0] == operator)
    x = values(3, 5, low=0.2).astype(np.float16)
    compiled = gradient.compile(one_node(operator, {"x": x}, opset=_version(operator, 22)), wrt="x")
    onnx.checker.check_model(compiled, full_check=True)
    found = run(compiled, {"x": x, "seed": np.ones_like(x)})["grad_x"]
    exact = torch.tensor(x).double().requires_grad_()
    function(exact).sum().backward()
    assert found.dtype == np.float16
    np.testing.assert_allclose(found, np.asarray(exact.grad), rtol=5e-3, atol=2e-3)


# Where a function has a kink, the derivative as torch gives it; on the left what it is at.
KINKS: list[tuple[str, Mapping[str, Any], list[float], list[float]]] = [
    ("Relu", {}, [0.0, -0.0], [0.0, 0.0]),
    ("Abs", {}, [0.0], [0.0]),
    ("LeakyRelu", {"alpha": 0.25}, [0.0], [0.25]),
    ("Elu", {"alpha": 0.5}, [0.0], [0.5]),
    ("Celu", {"alpha": 0.5}, [0.0], [1.0]),
    ("ThresholdedRelu", {"alpha": 1.0}, [1.0], [0.0]),
    ("HardSigmoid", {"alpha": 0.25, "beta": 0.5}, [-2.0, 2.0], [0.0, 0.0]),
]


@pytest.mark.parametrize(("operator", "attributes", "x", "expected"), KINKS)
def test_kinks(operator: str, attributes: Mapping[str, Any], x: list[float], expected: list[float]) -> None:
    at = np.array(x, np.float32)
    compiled = gradient.compile(one_node(operator, {"x": at}, **attributes), wrt="x")
    assert run(compiled, {"x": at, "seed": np.ones_like(at)})["grad_x"].tolist() == expected


@pytest.mark.parametrize(
    ("operator", "attributes", "function"),
    [
        ("Relu", {}, functional.relu),
        ("HardSwish", {}, functional.hardswish),
        ("HardSigmoid", {"alpha": 1 / 6}, functional.hardsigmoid),
        ("Elu", {}, functional.elu),
        ("Selu", {}, functional.selu),
        ("Abs", {}, torch.abs),
        ("Softsign", {}, functional.softsign),
    ],
)
def test_kinks_as_torch_has_them(operator: str, attributes: Mapping[str, Any], function: Function) -> None:
    at = np.array([-3.0, 0.0, 3.0], np.float32)
    x = torch.tensor(at, requires_grad=True)
    function(x).sum().backward()
    compiled = gradient.compile(one_node(operator, {"x": at}, **attributes), wrt="x")
    found = run(compiled, {"x": at, "seed": np.ones_like(at)})["grad_x"]
    np.testing.assert_allclose(found, np.asarray(x.grad), atol=1e-6)


@pytest.mark.parametrize(
    ("operator", "attributes", "function"),
    [entry for entry in FUNCTIONS if entry[0] not in ("Exp", "Sin", "Cos", "LeakyRelu")],
)
def test_far_from_zero_derivatives_stay_finite(
    operator: str, attributes: Mapping[str, Any], function: Function
) -> None:
    x = np.array([-1e4, -200, -90, -30, 30, 90, 200, 1e4], np.float32)
    model = one_node(operator, {"x": x}, opset=_version(operator, 18), **attributes)
    prove(model, {"x": x}, lambda x: function(x), differences=False)


SLOPES = [(), (1,), (4, 1, 1), (1, 4, 1, 1), (5,), (3, 4, 2, 5), (3, 1, 1, 1)]


@pytest.mark.parametrize("shape", SLOPES)
@pytest.mark.parametrize("opset", OPSETS)
def test_learned_slopes(shape: tuple[int, ...], opset: int) -> None:
    feeds = {"x": values(3, 4, 2, 5), "slope": values(*shape, seed=1)}
    model = one_node("PRelu", feeds, opset=opset)
    prove(model, feeds, lambda x, slope: torch.where(x > 0, x, slope * x), differences=False)


def test_learned_slopes_with_an_open_batch() -> None:
    x, slope = values(3, 4, 2), values(4, 1, seed=1)
    model = one_node("PRelu", {"x": x}, {"slope": slope}, dynamic=True)
    prove(
        model,
        {"x": x},
        lambda x, slope: functional.prelu(x, slope[:, 0]),
        wrt=["x", "slope"],
        constants={"slope": slope},
    )


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize(("low", "high"), [(-0.5, 1.0), (None, 1.0), (-0.5, None), (None, None), (1.0, -0.5)])
@pytest.mark.parametrize("fixed", [True, False])
def test_clip(opset: int, low: float | None, high: float | None, fixed: bool) -> None:
    x = values(3, 4, 5)
    bounds: Arrays = {name: np.array(v, np.float32) for name, v in (("low", low), ("high", high)) if v is not None}
    order = ["x", "low" if low is not None else "", "high"] if high is not None else ["x", *bounds]
    model = one_node("Clip", {"x": x, **({} if fixed else bounds)}, bounds if fixed else {}, order=order, opset=opset)

    def reference(x: torch.Tensor, **given: torch.Tensor) -> torch.Tensor:
        if not bounds:
            return x * 1
        known = {name: given.get(name, torch.tensor(array)) for name, array in bounds.items()}
        return x.clamp(known.get("low"), known.get("high"))

    prove(model, {"x": x, **({} if fixed else bounds)}, reference, wrt=["x", *bounds], constants=bounds)


def test_clip_passes_on_what_lies_on_its_bounds() -> None:
    x = np.array([-2.0, -1.0, 0.0, 1.0, 2.0], np.float32)
    model = one_node("Clip", {"x": x}, {"low": np.float32(-1), "high": np.float32(1)})
    found = run(gradient.compile(model, wrt="x"), {"x": x, "seed": np.full(5, 7, np.float32)})["grad_x"]
    assert found.tolist() == [0, 7, 7, 7, 0]


def test_relu6_passes_on_nothing_of_what_lies_on_its_bounds() -> None:
    x = np.array([-1.0, 0.0, 1.0, 6.0, 7.0], np.float32)
    model = one_node("Clip", {"x": x}, {"low": np.float32(0), "high": np.float32(6)})
    found = run(gradient.compile(model, wrt="x"), {"x": x, "seed": np.full(5, 7, np.float32)})["grad_x"]
    given = torch.tensor(x, requires_grad=True)
    functional.relu6(given).backward(torch.full((5,), 7.0))
    assert given.grad is not None
    assert found.tolist() == given.grad.tolist() == [0, 0, 7, 0, 0]


def test_dropout_that_drops_is_refused() -> None:
    x, rest = values(2, 3), {"ratio": np.array(0.5, np.float32), "training": np.array(True)}
    with pytest.raises(gradient.GradientError, match=r"'the_Dropout' \(Dropout\).* drops at random.* evaluation mode"):
        gradient.compile(one_node("Dropout", {"x": x}, rest), wrt="x")
    rest["training"] = np.array(False)
    prove(one_node("Dropout", {"x": x}, rest), {"x": x}, lambda x: x * 1)


def test_an_input_that_has_no_gradient_is_refused() -> None:
    model = one_node("Dropout", {"x": values(2, 3)}, {"ratio": np.array(0.5, np.float32)})
    with pytest.raises(gradient.GradientError, match=r"'the_Dropout' \(Dropout\): its input 'ratio' has no gradient"):
        gradient.compile(model, wrt="ratio")


@pytest.mark.parametrize("kind", [TensorProto.DOUBLE, TensorProto.FLOAT16])
def test_cast_there_and_back(kind: int) -> None:
    x = values(3, 4)
    nodes = [
        helper.make_node("Cast", ["x"], ["z"], to=kind),
        helper.make_node("Mul", ["z", "z"], ["square"]),
        helper.make_node("Cast", ["square"], ["y"], to=TensorProto.FLOAT),
    ]
    compiled = gradient.compile(model_of(nodes, {"x": x}, {}, ["y"]), wrt="x")
    onnx.checker.check_model(compiled, full_check=True)
    seed = values(3, 4, seed=1)
    found = run(compiled, {"x": x, "seed": seed})["grad_x"]
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, 2 * x * seed, rtol=2e-3 if kind == TensorProto.FLOAT16 else 1e-6)
