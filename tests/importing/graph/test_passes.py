"""Each pass keeps what the graph computes and leaves behind what it says."""

from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from sitegen.importing.graph.folding import fold
from sitegen.importing.graph.layout import sink_transposes
from sitegen.importing.graph.passes import (
    drop_unused,
    merge_pads,
    name_nodes,
    rename,
    with_fixed_pads,
    with_plain_constants,
)
from sitegen.importing.graph.precision import to_float32
from tests.helpers.importing.onnx_models import graph, small, tensors

RANDOM = np.random.default_rng(1)
FIRST, LAST = [0, 3, 1, 2], [0, 2, 3, 1]


def node(operator: str, inputs: list[str], output: str, **others: Any) -> onnx.NodeProto:
    return helper.make_node(operator, inputs, [output], name=output, **others)


def run(model: onnx.ModelProto, images: np.ndarray | None = None) -> np.ndarray:
    onnx.checker.check_model(model)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    return session.run(None, {session.get_inputs()[0].name: tensors(1) if images is None else images})[0]


def operators(model: onnx.ModelProto) -> list[str]:
    return [each.op_type for each in model.graph.node]


def normal(*shape: int) -> np.ndarray:
    return RANDOM.normal(size=shape).astype(np.float32)


def channels_last(*nodes: onnx.NodeProto, output: tuple[int, ...], **weights: Any) -> onnx.ModelProto:
    """A model whose image is turned to channels last, then goes through the nodes from "t" to "y"."""
    return graph([node("Transpose", ["x"], "t", perm=LAST), *nodes], (1, 3, 8, 8), output, **weights)


def block(source: str, result: str, kernel: str, *between: onnx.NodeProto) -> list[onnx.NodeProto]:
    """A convolution of an image with channels last."""
    return [
        node("Transpose", [source], f"{result}_in", perm=FIRST),
        node("Conv", [f"{result}_in", kernel], f"{result}_made", pads=[1, 1, 1, 1]),
        node("Transpose", [f"{result}_made"], result, perm=LAST),
    ]


CHAINS = {
    "activation, bias and product": [
        *block("t", "a", "first"),
        node("Add", ["a", "bias"], "b"),
        node("Mul", ["factors", "b"], "m"),
        node("LeakyRelu", ["m"], "r", alpha=0.1),
        *block("r", "c", "second"),
        node("ReduceMean", ["c", "cells"], "y", keepdims=0),
    ],
    "shortcut": [
        *block("t", "a", "first"),
        node("Relu", ["a"], "r"),
        *block("r", "c", "second"),
        node("Add", ["r", "c"], "s"),
        node("ReduceMax", ["s", "cells"], "y", keepdims=0),
    ],
    "dense block": [
        *block("t", "a", "first"),
        node("Concat", ["a", "t"], "joined", axis=3),
        *block("joined", "c", "wide"),
        node("Concat", ["joined", "c"], "more", axis=-1),
        node("ReduceMean", ["more", "cells"], "y", keepdims=0),
    ],
    "padding, softmax over channels": [
        node("Pad", ["t", "pads"], "p"),
        *block("p", "a", "first"),
        node("Softmax", ["a"], "s", axis=-1),
        node("Clip", ["s", "low"], "l"),
        *block("l", "c", "second"),
        node("ReduceSum", ["c", "cells"], "y", keepdims=0),
    ],
    "squeezed and excited": [
        *block("t", "a", "first"),
        node("ReduceMean", ["a", "cells"], "mean", keepdims=1),
        node("Sigmoid", ["mean"], "gate"),
        node("Mul", ["a", "gate"], "m"),
        node("ReduceMean", ["m", "cells"], "kept", keepdims=1),
        node("Reshape", ["kept", "flat"], "y"),
    ],
}
WEIGHTS = {
    "first": normal(4, 3, 3, 3),
    "second": normal(4, 4, 3, 3),
    "wide": normal(4, 7, 3, 3),
    "bias": normal(4),
    "factors": normal(1, 1, 1, 4),
    "cells": np.array([1, 2]),
    "pads": np.array([0, 2, 0, 0, 0, 1, 3, 0]),
    "low": np.array(0.1, np.float32),
    "flat": np.array([1, -1]),
}


@pytest.mark.parametrize("name", CHAINS)
def test_no_transpose_is_left_between_convolutions(name: str) -> None:
    nodes = CHAINS[name]
    used = {each for entry in nodes for each in entry.input}
    width = 11 if name == "dense block" else 4
    weights: dict[str, Any] = {key: value for key, value in WEIGHTS.items() if key in used}
    model = channels_last(*nodes, output=(1, width), **weights)
    shown = tensors(1, 3)
    before, turned = run(model, shown), operators(model).count("Transpose")
    sink_transposes(model)
    assert turned == 1 + 2 * operators(model).count("Conv")
    assert operators(model).count("Transpose") == 0
    assert run(model, shown) == pytest.approx(before, abs=1e-5)
    assert [value.name for value in model.graph.output] == ["y"]


def test_what_minds_the_order_keeps_its_transpose() -> None:
    nodes = [*block("t", "a", "first"), node("Relu", ["a"], "r"), node("Flatten", ["r"], "y")]
    model = channels_last(*nodes, output=(1, 256), first=WEIGHTS["first"])
    before = run(model, tensors(1, 3))
    sink_transposes(model)
    assert operators(model) == ["Conv", "Relu", "Transpose", "Flatten"]
    assert run(model, tensors(1, 3)).tolist() == before.tolist()


def test_an_output_with_channels_last_stays_so() -> None:
    model = channels_last(
        *block("t", "a", "first"), node("Tanh", ["a"], "y"), output=(1, 8, 8, 4), first=WEIGHTS["first"]
    )
    before = run(model, tensors(1, 3))
    sink_transposes(model)
    assert operators(model) == ["Conv", "Tanh", "Transpose"]
    assert run(model, tensors(1, 3)).tolist() == before.tolist()


def test_tensors_that_lie_differently_are_turned_before_they_meet() -> None:
    nodes = [
        node("Relu", ["t"], "r"),
        node("Transpose", ["x"], "other", perm=[0, 3, 2, 1]),
        node("Mul", ["r", "other"], "m"),
    ]
    nodes.append(node("Flatten", ["m"], "y"))
    model = channels_last(*nodes, output=(1, 192))
    before = run(model, tensors(1, 3))
    sink_transposes(model)
    assert run(model, tensors(1, 3)).tolist() == before.tolist()


def test_copies_go_and_outputs_stay() -> None:
    model = graph(
        [node("Identity", ["x"], "a"), node("Flatten", ["a"], "b"), node("Identity", ["b"], "y")], output=(1, 64)
    )
    sink_transposes(model)
    assert operators(model) == ["Flatten"]
    assert run(model).shape == (1, 64)
    passed = graph([node("Identity", ["x"], "y")], output=(1, 1, 8, 8))
    sink_transposes(passed)
    assert run(passed).tolist() == tensors(1).tolist()


def test_sizes_that_are_computed_in_the_graph_become_constants() -> None:
    nodes = [
        node("Shape", ["x"], "sizes"),
        node("Gather", ["sizes", "zero"], "batch"),
        node("Unsqueeze", ["batch", "zero"], "list"),
        node("Concat", ["list", "rest"], "form", axis=0),
        node("Reshape", ["x", "form"], "flat"),
        node("Cast", ["whole"], "real", to=TensorProto.FLOAT),
        node("MatMul", ["flat", "real"], "y"),
    ]
    weights: dict[str, Any] = {"zero": np.array(0), "rest": np.array([-1]), "whole": np.arange(128).reshape(64, 2)}
    weights["zero"] = np.array(0)
    nodes[2].input[1] = "first"
    model = graph(nodes, output=(1, 2), first=np.array([0]), **weights)
    before = run(model)
    fold(model)
    assert operators(model) == ["Reshape", "MatMul"]
    assert run(model).tolist() == before.tolist()


def test_constants_that_nodes_hold_become_weights() -> None:
    value = numpy_helper.from_array(normal(64, 2), "anything")
    matrix = helper.make_node("Constant", [], ["matrix"], value=value)
    model = graph(
        [matrix, node("Flatten", ["x"], "f"), node("MatMul", ["f", "matrix"], "z"), node("Add", ["z", "b"], "y")],
        output=(1, 2),
    )
    model.graph.initializer.append(helper.make_tensor("b", TensorProto.FLOAT, [2], [1.5, -2]))  # not as raw bytes
    model.graph.input.append(helper.make_tensor_value_info("b", TensorProto.FLOAT, [2]))
    before = run(model)
    with_plain_constants(model)
    assert operators(model) == ["Flatten", "MatMul", "Add"]
    assert [entry.name for entry in model.graph.input] == ["x"]
    assert all(tensor.HasField("raw_data") for tensor in model.graph.initializer)
    assert run(model).tolist() == before.tolist()


@pytest.mark.parametrize("mode", ["SAME_UPPER", "SAME_LOWER", "VALID"])
@pytest.mark.parametrize("operator", ["Conv", "MaxPool", "AveragePool"])
def test_pads_are_written_out(operator: str, mode: str) -> None:
    settings = {"strides": [3, 2], "kernel_shape": [4, 3], "auto_pad": mode}
    if mode == "VALID" and operator != "AveragePool":  # ONNX Runtime has no dilations beside SAME
        settings["dilations"] = [1, 2]
    inputs = ["x", "kernel"] if operator == "Conv" else ["x"]
    model = graph([node(operator, inputs, "y", **settings)], output=(1, None, None, None), kernel=normal(2, 1, 4, 3))
    drop_unused(model)
    before = run(model)
    with_fixed_pads(model)
    assert "auto_pad" not in {entry.name for entry in model.graph.node[0].attribute}
    assert run(model).tolist() == before.tolist()


def test_convolutions_pad_themselves() -> None:
    nodes = [node("Pad", ["x", "around"], "p"), node("Conv", ["p", "kernel"], "y", pads=[1, 0, 0, 2])]
    weights: dict[str, Any] = {"around": np.array([0, 0, 1, 2, 0, 0, 3, 4]), "kernel": normal(1, 1, 3, 3)}
    model = graph(nodes, output=(1, 1, 11, 14), **weights)
    before = run(model)
    merge_pads(model)
    assert operators(model) == ["Conv"]
    assert list(model.graph.node[0].attribute[0].ints) == [2, 2, 3, 6]
    assert run(model) == pytest.approx(before, abs=1e-6)


@pytest.mark.parametrize(
    ("around", "others", "mode"),
    [
        ([0, 1, 1, 0, 0, 1, 0, 0], [], "constant"),
        ([0, 0, -1, 0, 0, 0, 0, 0], [], "constant"),
        ([0, 0, 1, 0, 0, 0, 0, 0], ["five"], "constant"),
        ([0, 0, 1, 1, 0, 0, 1, 1], [], "reflect"),
    ],
)
def test_other_paddings_stay(around: list[int], others: dict[str, Any], mode: str) -> None:
    nodes = [node("Pad", ["x", "around", *others], "p", mode=mode), node("Conv", ["p", "kernel"], "y")]
    width = 1 + 2 * (around[1] == 1)
    model = graph(
        nodes,
        output=(1, 1, None, None),
        around=np.array(around),
        kernel=normal(1, width, 3, 3),
        five=np.array(5, np.float32),
    )
    merge_pads(model)
    assert operators(model) == ["Pad", "Conv"]


def test_names_are_given_and_shared_ones_are_not_kept() -> None:
    model = small()
    before = run(model)
    for each in model.graph.node:
        each.name = "same"
    name_nodes(model)
    assert len({each.name for each in model.graph.node}) == len(model.graph.node)
    rename(model, {"x": "image", "flat": "maps", "y": "logits"})
    assert [value.name for value in (*model.graph.input, *model.graph.output)] == ["image", "logits"]
    assert run(model).tolist() == before.tolist()


def test_what_no_output_needs_goes() -> None:
    model = small()
    model.graph.node.append(node("Exp", ["maps"], "unused"))
    model.graph.initializer.append(numpy_helper.from_array(normal(3), "more"))
    drop_unused(model)
    assert "Exp" not in operators(model)
    assert len(model.graph.initializer) == 4


def test_types_of_casts_and_constants_follow() -> None:
    nodes = [
        node("Cast", ["x"], "wide", to=TensorProto.DOUBLE),
        helper.make_node("Constant", [], ["two"], value=numpy_helper.from_array(np.array(2.0), "two")),
        node("Mul", ["wide", "two"], "more"),
        node("Add", ["more", "huge"], "sum"),
        node("Cast", ["sum"], "y", to=TensorProto.FLOAT),
    ]
    model = graph(nodes, output=(1, 1, 8, 8), huge=np.array([-1e300]))
    assert to_float32(model) == ["float64"]
    assert run(model).max() == pytest.approx(np.finfo(np.float32).min)
    kinds = {tensor.data_type for tensor in model.graph.initializer} | {model.graph.node[1].attribute[0].t.data_type}
    assert kinds == {TensorProto.FLOAT}
    assert to_float32(small()) == []
