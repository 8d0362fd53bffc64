"""Proving one gradient: against torch in double precision, to what rounding explains, and against finite differences of
the forward graph itself, as ONNX Runtime computes it.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper

from sitegen import gradient
from tests.helpers.rounding import allowed, assert_close

Arrays = Mapping[str, np.ndarray[Any, Any]]
Constants = Mapping[str, np.ndarray[Any, Any] | np.generic]
Reference = Callable[..., torch.Tensor]
Run = Callable[[Arrays], dict[str, np.ndarray[Any, Any]]]

OPSETS = (17, 18, 21, 26)
_TYPES = {
    np.dtype(np.float16): TensorProto.FLOAT16,
    np.dtype(np.float32): TensorProto.FLOAT,
    np.dtype(np.float64): TensorProto.DOUBLE,
    np.dtype(np.int64): TensorProto.INT64,
    np.dtype(bool): TensorProto.BOOL,
}


def values(*shape: int, seed: int = 0, low: float = -2.0, high: float = 2.0) -> np.ndarray[Any, Any]:
    """Random float32 numbers, evenly spread."""
    return np.asarray(np.random.default_rng(seed).uniform(low, high, shape), dtype=np.float32)


def one_node(
    operator: str,
    inputs: Arrays,
    constants: Constants | None = None,
    *,
    order: Sequence[str] | None = None,
    outputs: int = 1,
    opset: int = 18,
    dynamic: bool = False,
    **attributes: Any,
) -> onnx.ModelProto:
    """A model of one node. Its inputs are `inputs`, then `constants`, or as in `order` ("" for one left out).

    With `dynamic`, the first dimension of every input is left open.
    """
    constants = constants or {}
    names = list(order) if order is not None else [*inputs, *constants]
    results = [f"y{index}" if index else "y" for index in range(outputs)]
    node = helper.make_node(operator, names, results, name=f"the_{operator}", **attributes)
    return model_of([node], inputs, constants, results, opset=opset, dynamic=dynamic)


def model_of(
    nodes: Sequence[onnx.NodeProto],
    inputs: Arrays,
    constants: Constants,
    outputs: Sequence[str],
    *,
    opset: int = 18,
    dynamic: bool = False,
    between: Mapping[str, Sequence[int | str]] | None = None,
) -> onnx.ModelProto:
    """A model of these nodes, whose outputs have shapes as inferred. `between` declares other tensors'."""
    graph = helper.make_graph(
        nodes,
        "test",
        [
            helper.make_tensor_value_info(
                name, _TYPES[array.dtype], ["N", *array.shape[1:]] if dynamic and array.ndim else array.shape
            )
            for name, array in inputs.items()
        ],
        [helper.make_empty_tensor_value_info(name) for name in outputs],
        [numpy_helper.from_array(np.asarray(array), name) for name, array in constants.items()],
        value_info=[
            helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in (between or {}).items()
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)
    inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
    del model.graph.output[:]
    model.graph.output.extend(inferred.graph.output)
    for value in model.graph.output:
        if not value.type.tensor_type.elem_type:  # onnx does not infer GroupNormalization
            value.type.CopyFrom(model.graph.input[0].type)
    onnx.checker.check_model(model, full_check=True)
    return model


def running(model: onnx.ModelProto, *, optimised: bool = True) -> Run:
    """A session of native ONNX Runtime, one thread: from inputs to all outputs, by name.

    Unless `optimised`, each node runs by its own kernel, as it stands.
    """
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    if not optimised:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return lambda feeds: dict(zip(names, session.run(names, dict(feeds)), strict=True))


def run(model: onnx.ModelProto, feeds: Arrays, *, optimised: bool = True) -> dict[str, np.ndarray[Any, Any]]:
    """All outputs, from native ONNX Runtime."""
    return running(model, optimised=optimised)(feeds)


def prove(
    model: onnx.ModelProto,
    feeds: Arrays,
    reference: Reference,
    *,
    wrt: Sequence[str] | None = None,
    constants: Arrays | None = None,
    differences: bool = True,
    rewritten: bool = False,
    seed: int = 1,
) -> None:
    """Check the gradients of a model's first output with respect to inputs (and initialisers) named in `wrt`.

    `reference` is called with torch tensors named as the model's: all of `feeds`, and those of `constants` that are in
    `wrt`. Floating tensors come in double precision. With `rewritten`, the forward half is not the model's own but
    written out in other operators; else its outputs stay the same to the bit.
    """
    targets = list(wrt if wrt is not None else [name for name, array in feeds.items() if array.dtype.kind == "f"])
    known = {**feeds, **{name: array for name, array in (constants or {}).items() if name in targets}}
    plain, kept = run(model, feeds), run(model, feeds, optimised=False)
    output = model.graph.output[0].name
    weights = np.random.default_rng(seed).standard_normal(plain[output].shape).astype(plain[output].dtype)
    by_torch = partial(_by_torch, reference, known, weights, targets)
    exact = by_torch()
    bounds = dict(zip(exact, allowed(lambda: list(by_torch().values()), list(exact.values())), strict=True))
    assert_close(_at_most_single(plain[output]), exact[""], bounds[""], "the reference is another function")
    for target in targets:
        compiled = gradient.compile(model, wrt=target)
        onnx.checker.check_model(compiled, full_check=True)
        seeded = {**feeds, "seed": weights}
        results = run(compiled, seeded)
        assert_close(_at_most_single(results[output]), exact[""], bounds[""], f"forward output {output}")
        assert_close(results[f"grad_{target}"], exact[target], bounds[target], target)
        for name, value in {} if rewritten else run(compiled, seeded, optimised=False).items():
            np.testing.assert_array_equal(value, kept.get(name, value), f"forward output {name} has changed")
        if differences and target in feeds:
            assert_slope(model, feeds, target, results[f"grad_{target}"], weights)


def _at_most_single(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Attributes are float32, and some kernels keep to that within: of the forward half, no more is asked."""
    return array.astype(np.float32) if array.dtype == np.float64 else array


def _by_torch(
    reference: Reference, known: Arrays, weights: np.ndarray[Any, Any], targets: Sequence[str]
) -> dict[str, np.ndarray[Any, Any]]:
    """The reference's output, named "", and its gradients by their targets' names."""
    tensors = {name: torch.tensor(array) for name, array in known.items()}
    tensors = {name: tensor.double() if tensor.is_floating_point() else tensor for name, tensor in tensors.items()}
    for target in targets:
        tensors[target].requires_grad_()
    y = reference(**tensors)
    gradients = torch.autograd.grad((y * torch.tensor(weights).double()).sum(), [tensors[name] for name in targets])
    return {"": y.detach().numpy()} | {name: part.numpy() for name, part in zip(targets, gradients, strict=True)}


def assert_slope(
    model: onnx.ModelProto, feeds: Arrays, target: str, found: np.ndarray[Any, Any], weights: np.ndarray[Any, Any]
) -> None:
    """The central difference of the forward graph along a random direction is the product of gradient and direction.

    To a hundredth, and to what rounding of the outputs makes of it.
    """
    step = 1e-3
    direction = np.asarray(np.random.default_rng(7).standard_normal(feeds[target].shape), np.float32)
    output = model.graph.output[0].name
    moved = [
        run(model, {**feeds, target: np.asarray(feeds[target] + np.float32(sign * step) * direction)})[output]
        for sign in (1, -1)
    ]
    measured = ((moved[0].astype(np.float64) - moved[1]) * weights).sum() / (2 * step)
    scale = float(np.linalg.norm(found) * np.linalg.norm(direction))
    rounding = 2 * np.finfo(np.float32).eps * np.linalg.norm(moved[0] * weights) / step
    assert abs(measured - (found.astype(np.float64) * direction).sum()) <= 1e-2 * max(scale, 1e-3) + rounding, (
        f"{target}: finite differences disagree"
    )
