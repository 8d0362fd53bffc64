"""Normalisations against torch: with respect to x and to all parameters, by axes, groups, versions and precisions."""

import collections
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import helper
from torch.nn import functional

from sitegen import gradient
from tests.helpers.gradient.proof import OPSETS, Arrays, model_of, one_node, prove, run, values


def _parameters(*names: str, shape: Sequence[int]) -> dict[str, np.ndarray[Any, Any]]:
    """Positive numbers, apart from biases and means."""
    signed = ("bias", "mean")
    return {
        name: values(*shape, seed=index + 5, low=-1.0 if name in signed else 0.5, high=1.5)
        for index, name in enumerate(names)
    }


BATCH = ("scale", "bias", "mean", "var")


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize("sizes", [(), (7,), (5, 4), (2, 3, 2)])
@pytest.mark.parametrize(("batch", "epsilon"), [(1, 1e-5), (3, 0.1)])
def test_batch_normalization(opset: int, sizes: tuple[int, ...], batch: int, epsilon: float) -> None:
    x, rest = values(batch, 4, *sizes), _parameters(*BATCH, shape=[4])
    model = one_node("BatchNormalization", {"x": x}, rest, opset=opset, dynamic=True, epsilon=epsilon)

    def reference(x: torch.Tensor, scale: Any, bias: Any, mean: Any, var: Any) -> torch.Tensor:
        column = (-1, *[1] * len(sizes))
        centred = (x - mean.reshape(column)) / torch.sqrt(var + epsilon).reshape(column)
        return centred * scale.reshape(column) + bias.reshape(column)

    prove(model, {"x": x}, reference, wrt=["x", *BATCH], constants=rest)


def test_batch_normalization_with_computed_parameters() -> None:
    feeds = {"x": values(2, 3, 4)} | _parameters(*BATCH, shape=[3])
    prove(
        one_node("BatchNormalization", feeds),
        feeds,
        lambda x, scale, bias, mean, var: functional.batch_norm(x, mean.detach(), var.detach(), scale, bias),
        wrt=["x", "scale", "bias"],
    )


def test_batch_normalization_with_statistics_of_higher_precision() -> None:
    x, rest = values(2, 3, 4).astype(np.float16), _parameters(*BATCH, shape=[3])
    for name in ("x", *BATCH):
        compiled = gradient.compile(one_node("BatchNormalization", {"x": x}, rest), wrt=name)
        onnx.checker.check_model(compiled, full_check=True)


def test_batch_statistics_are_refused() -> None:
    model = one_node("BatchNormalization", {"x": values(2, 3, 4)} | _parameters(*BATCH, shape=[3]), training_mode=0)
    model.graph.node[0].attribute[0].i = 1
    model.graph.node[0].output.extend(["running_mean", "running_var"])
    message = r"'the_BatchNormalization' \(BatchNormalization\), attribute training_mode=1: .* evaluation mode"
    with pytest.raises(gradient.GradientError, match=message):
        gradient.compile(model, wrt="x")


def _block(activation: str, **attributes: Any) -> onnx.ModelProto:
    """Normalisation, activation, convolution: as in a DenseNet."""
    nodes = [
        helper.make_node("BatchNormalization", ["x", *BATCH], ["n"]),
        helper.make_node(activation, ["n"], ["a"], **attributes),
        helper.make_node("Conv", ["a", "kernel"], ["y"], pads=[1, 1, 1, 1]),
    ]
    constants = _parameters(*BATCH, shape=[4]) | {"kernel": values(3, 4, 3, 3)}
    return model_of(nodes, {"x": values(2, 4, 5, 6)}, constants, ["y"], dynamic=True)


@pytest.mark.parametrize(
    ("activation", "attributes"), [("Relu", {}), ("LeakyRelu", {"alpha": 0.3}), ("Elu", {}), ("ThresholdedRelu", {})]
)
def test_batch_normalization_before_activations(activation: str, attributes: Mapping[str, float]) -> None:
    x, rest = values(2, 4, 5, 6), {name: torch.tensor(array) for name, array in _parameters(*BATCH, shape=[4]).items()}
    torch_function = {
        "Relu": functional.relu,
        "LeakyRelu": lambda n: functional.leaky_relu(n, 0.3),
        "Elu": functional.elu,
        "ThresholdedRelu": lambda n: functional.threshold(n, 1.0, 0.0),
    }[activation]

    def reference(x: torch.Tensor) -> torch.Tensor:
        scale, bias, mean, var = (rest[name].to(x.dtype) for name in BATCH)
        normalized = functional.batch_norm(x, mean, var, scale, bias)
        return functional.conv2d(torch_function(normalized), torch.tensor(values(3, 4, 3, 3)).to(x.dtype), padding=1)

    prove(_block(activation, **attributes), {"x": x}, reference, differences=False)


def _operators(nodes: Sequence[onnx.NodeProto]) -> Iterator[str]:
    for node in nodes:
        yield node.op_type
        for attribute in node.attribute:
            yield from _operators(attribute.g.node)


@pytest.mark.parametrize("switch", [None, "explain"])
def test_the_factor_goes_into_the_kernel_when_a_session_is_created(tmp_path: Path, switch: str | None) -> None:
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "optimized.onnx")
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    compiled = gradient.compile(_block("Relu"), wrt="x", switch=switch)
    onnxruntime.InferenceSession(compiled.SerializeToString(), options, providers=["CPUExecutionProvider"])
    counts = collections.Counter(_operators(onnx.load(options.optimized_model_filepath).graph.node))
    assert (counts["Conv"], counts["Mul"], counts["Transpose"], counts["Slice"]) == (2, 0, 0, 0)


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize("sizes", [(7,), (5, 4), (2, 3, 2)])
@pytest.mark.parametrize(("batch", "epsilon"), [(1, 1e-5), (3, 0.1)])
def test_instance_normalization(opset: int, sizes: tuple[int, ...], batch: int, epsilon: float) -> None:
    x, rest = values(batch, 4, *sizes), _parameters("scale", "bias", shape=[4])
    model = one_node("InstanceNormalization", {"x": x}, rest, opset=opset, dynamic=True, epsilon=epsilon)
    prove(
        model,
        {"x": x},
        lambda x, scale, bias: functional.instance_norm(x, weight=scale, bias=bias, eps=epsilon),
        wrt=["x", "scale", "bias"],
        constants=rest,
    )


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize("axis", [-1, 2, 1, -2])
@pytest.mark.parametrize("biased", [True, False])
def test_layer_normalization(opset: int, axis: int, biased: bool) -> None:
    x = values(3, 5, 4, 6)
    shape = x.shape[axis:]
    names = ["scale", "bias"] if biased else ["scale"]
    rest = _parameters(*names, shape=shape)
    model = one_node("LayerNormalization", {"x": x}, rest, opset=opset, dynamic=True, axis=axis, epsilon=0.01)

    def reference(x: torch.Tensor, scale: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
        return functional.layer_norm(x, shape, scale, bias, 0.01)

    prove(model, {"x": x}, reference, wrt=["x", *names], constants=rest)


@pytest.mark.parametrize("shape", [(6,), (1,), (4, 1), (4, 6), (1, 1, 6)])
def test_layer_normalization_with_parameters_that_are_broadcast(shape: tuple[int, ...]) -> None:
    x, rest = values(2, 4, 6), _parameters("scale", "bias", shape=shape)
    model = one_node("LayerNormalization", {"x": x}, rest, opset=18, axis=1)
    prove(
        model,
        {"x": x},
        lambda x, scale, bias: functional.layer_norm(x, (4, 6)) * scale + bias,
        wrt=["x", "scale", "bias"],
        constants=rest,
    )


def test_layer_normalization_over_everything() -> None:
    x = values(3, 4)
    model = one_node("LayerNormalization", {"x": x}, {"scale": np.float32(2)}, axis=0)
    prove(model, {"x": x}, lambda x: 2 * functional.layer_norm(x, (3, 4)))


def test_numbers_far_from_zero_keep_their_precision() -> None:
    """The mean is taken off before anything is squared."""
    x, rest = values(2, 3, 50, low=29.0, high=31.0), _parameters("scale", "bias", shape=[3])
    model = one_node("InstanceNormalization", {"x": x}, rest)
    prove(
        model,
        {"x": x},
        lambda x: functional.instance_norm(x, weight=_as(x, rest["scale"]), bias=_as(x, rest["bias"])),
        differences=False,
    )


def _as(x: torch.Tensor, array: np.ndarray[Any, Any]) -> torch.Tensor:
    return torch.tensor(array).to(x.dtype)


@pytest.mark.parametrize("opset", [21, 23, 26])
@pytest.mark.parametrize("groups", [1, 2, 4])
@pytest.mark.parametrize(("sizes", "epsilon"), [((), 0.1), ((7,), 1e-5), ((5, 4), 1e-5)])
@pytest.mark.parametrize("batch", [1, 3])
def test_group_normalization(opset: int, groups: int, sizes: tuple[int, ...], epsilon: float, batch: int) -> None:
    x, rest = values(batch, 8, *sizes), _parameters("scale", "bias", shape=[8])
    attributes: dict[str, Any] = {} if epsilon == 1e-5 else {"epsilon": epsilon}
    model = one_node("GroupNormalization", {"x": x}, rest, opset=opset, dynamic=True, num_groups=groups, **attributes)
    prove(
        model,
        {"x": x},
        lambda x, scale, bias: functional.group_norm(x, groups, scale, bias, epsilon),
        wrt=["x", "scale", "bias"],
        constants=rest,
    )


def test_group_normalization_of_old_versions_is_refused() -> None:
    model = one_node(
        "GroupNormalization", {"x": values(2, 4, 3)}, _parameters("scale", "bias", shape=[4]), opset=21, num_groups=2
    )
    model.opset_import[0].version = 20
    with pytest.raises(gradient.GradientError, match=r"'the_GroupNormalization' \(GroupNormalization\): .* opset 21"):
        gradient.compile(model, wrt="x")


@pytest.mark.parametrize("opset", [23, 26])
@pytest.mark.parametrize("axis", [-1, 1])
def test_root_mean_square_normalization(opset: int, axis: int) -> None:
    x = values(3, 5, 6)
    rest = _parameters("scale", shape=x.shape[axis:])
    model = one_node("RMSNormalization", {"x": x}, rest, opset=opset, dynamic=True, axis=axis, epsilon=0.01)
    prove(
        model,
        {"x": x},
        lambda x, scale: functional.rms_norm(x, x.shape[axis:], scale, 0.01),
        wrt=["x", "scale"],
        constants=rest,
    )


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize(("axis", "p"), [(-1, 2), (1, 2), (1, 1), (0, 1)])
def test_normalization_by_a_norm(opset: int, axis: int, p: int) -> None:
    x = (values(3, 5, 4, low=0.2) * np.sign(values(3, 5, 4, seed=3))).astype(np.float32)
    model = one_node("LpNormalization", {"x": x}, opset=opset, dynamic=True, axis=axis, p=p)
    prove(model, {"x": x}, lambda x: functional.normalize(x, float(p), axis))


@pytest.mark.parametrize("p", [1, 2])
def test_zeros_have_no_direction(p: int) -> None:
    x = np.array([[0, 0], [0, 3]], np.float32)
    model = gradient.compile(one_node("LpNormalization", {"x": x}, p=p), wrt="x")
    found = run(model, {"x": x, "seed": np.array([[1, 2], [6, 7]], np.float32)})["grad_x"]
    assert found.tolist() == [[0, 0], [2, 0]]


CASES: dict[str, tuple[int, Arrays, dict[str, Any]]] = {
    "InstanceNormalization": (18, _parameters("scale", "bias", shape=[4]), {}),
    "LayerNormalization": (18, _parameters("scale", "bias", shape=[6]), {}),
    "GroupNormalization": (21, _parameters("scale", "bias", shape=[4]), {"num_groups": 2}),
    "RMSNormalization": (23, _parameters("scale", shape=[6]), {}),
    "LpNormalization": (22, {}, {}),
    "BatchNormalization": (18, _parameters(*BATCH, shape=[4]), {}),
}


@pytest.mark.parametrize("operator", sorted(CASES))
@pytest.mark.parametrize("kind", [np.float16, np.float64])
def test_other_precisions_are_valid(operator: str, kind: type) -> None:
    opset, rest, attributes = CASES[operator]
    parameters: Arrays = {name: array.astype(kind) for name, array in rest.items()}
    model = one_node(operator, {"x": values(2, 4, 6).astype(kind)}, parameters, opset=opset, **attributes)
    for name in ("x", *parameters):
        onnx.checker.check_model(gradient.compile(model, wrt=name), full_check=True)


@pytest.mark.parametrize(
    "operator", ["BatchNormalization", "GroupNormalization", "LayerNormalization", "LpNormalization"]
)
def test_double_precision(operator: str) -> None:
    """Those that ONNX Runtime has for it."""
    opset, rest, attributes = CASES[operator]
    x, parameters = values(2, 4, 6).astype(np.float64), {name: array.astype(np.float64) for name, array in rest.items()}
    functions: dict[str, Callable[..., torch.Tensor]] = {
        "BatchNormalization": lambda x, scale, bias, mean, var: functional.batch_norm(x, mean, var, scale, bias),
        "GroupNormalization": lambda x, scale, bias: functional.group_norm(x, 2, scale, bias),
        "LayerNormalization": lambda x, scale, bias: functional.layer_norm(x, [6], scale, bias),
        "LpNormalization": lambda x: functional.normalize(x, 2, -1),
    }
    known = {name: torch.tensor(array) for name, array in parameters.items()}
    model = one_node(operator, {"x": x}, parameters, opset=opset, **attributes)
    prove(
        model, {"x": x}, lambda x: functions[operator](x, **{name: array.to(x.dtype) for name, array in known.items()})
    )
