"""The last layer, read from the graph: the logits follow from it and the feature map."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

from sitegen.importing.graph.final_layer import final_layer, last_map, write_final_layer
from sitegen.importing.graph.heads import as_logits
from sitegen.importing.sources.onnx_model import import_onnx
from tests.helpers.importing.onnx_models import export, graph, settings, small, tensors, written

RANDOM = np.random.default_rng(2)
MATRIX = RANDOM.normal(size=(3, 5)).astype(np.float32)
BIAS = RANDOM.normal(size=3).astype(np.float32)
KERNEL = RANDOM.normal(size=(5, 1, 3, 3)).astype(np.float32)


def node(operator: str, inputs: list[str], output: str, **others: Any) -> onnx.NodeProto:
    return helper.make_node(operator, inputs, [output], **others)


FLAT = node("Flatten", ["pooled"], "flat")
POOL = node("GlobalAveragePool", ["maps"], "pooled")
ENDINGS = {
    "gemm": [POOL, FLAT, node("Gemm", ["flat", "matrix", "bias"], "y", transB=1, alpha=0.5, beta=2.0)],
    "gemm without bias": [POOL, FLAT, node("Gemm", ["flat", "turned"], "y")],
    "product and sum": [POOL, FLAT, node("MatMul", ["flat", "turned"], "z"), node("Add", ["bias", "z"], "y")],
    "mean without axes kept": [
        node("ReduceMean", ["maps", "cells"], "flat", keepdims=0),
        node("MatMul", ["flat", "turned"], "z"),
        node("Sub", ["z", "bias"], "y"),
    ],
    "convolution of one cell": [
        POOL,
        node("Conv", ["pooled", "one", "bias"], "z"),
        node("Mul", ["z", "two"], "scaled"),
        node("Squeeze", ["scaled", "cells"], "y"),
    ],
    "average of a window as large as the map": [
        node("AveragePool", ["maps"], "pooled", kernel_shape=[6, 6]),
        node("Reshape", ["pooled", "form"], "flat"),
        node("Div", ["flat", "two"], "half"),
        node("Gemm", ["half", "matrix", "bias"], "y", transB=1),
    ],
}
CONSTANTS: dict[str, Any] = {
    "kernel": KERNEL,
    "matrix": MATRIX,
    "turned": MATRIX.T.copy(),
    "bias": BIAS,
    "cells": np.array([-1, 2]),
    "one": MATRIX.reshape(3, 5, 1, 1),
    "two": np.array(2, np.float32),
    "form": np.array([1, -1]),
}


def ending(nodes: list[onnx.NodeProto], **more: Any) -> onnx.ModelProto:
    """A model of one convolution, a rectifier, and these nodes."""
    first = [node("Conv", ["x", "kernel"], "convolved"), node("Relu", ["convolved"], "maps")]
    used = {name for each in [*first, *nodes] for name in each.input}
    return graph([*first, *nodes], **{name: value for name, value in (CONSTANTS | more).items() if name in used})


def found_in(model: onnx.ModelProto, folder: Path | None = None) -> tuple[np.ndarray, np.ndarray, str]:
    layer = final_layer(model, folder)
    assert layer is not None
    return layer


def run(model: onnx.ModelProto, outputs: list[str]) -> list[np.ndarray]:
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    known = {value.name for value in copy.graph.output}
    copy.graph.output.extend(
        helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs if name not in known
    )
    session = onnxruntime.InferenceSession(copy.SerializeToString())
    return session.run(outputs, {"x": tensors(1)})


@pytest.mark.parametrize("name", ENDINGS)
def test_logits_are_the_weights_times_the_averaged_map(name: str) -> None:
    model = ending(ENDINGS[name])
    weights, bias, features = found_in(model)
    maps, logits = run(model, [features, "y"])
    assert features == "maps"
    assert weights.shape == (3, 5)
    assert weights @ maps[0].mean((1, 2)) + bias == pytest.approx(logits[0], abs=1e-5)


def test_a_softmax_of_two_leaves_a_linear_layer() -> None:
    nodes = [
        node("Gemm", ["flat", "pair"], "z", transB=1),
        node("Softmax", ["z"], "y"),
    ]
    model = ending([POOL, FLAT, *nodes], pair=MATRIX[:2])
    model.graph.output[0].type.tensor_type.shape.dim[1].dim_value = 2
    made = as_logits(model, None)
    weights, bias, features = found_in(made)
    maps, logits = run(made, [features, "y"])
    assert weights == pytest.approx(np.array([MATRIX[0] - MATRIX[1], MATRIX[1] - MATRIX[0]]), abs=1e-6)
    assert weights @ maps[0].mean((1, 2)) + bias == pytest.approx(logits[0], abs=1e-5)


def test_maps_that_are_averaged_to_logits_are_their_own_feature_map() -> None:
    model = ending(
        [
            node("Conv", ["maps", "one"], "scores"),
            node("GlobalAveragePool", ["scores"], "p"),
            node("Flatten", ["p"], "y"),
        ]
    )
    weights, bias, features = found_in(model)
    assert (weights.tolist(), bias.tolist(), features) == (np.eye(3).tolist(), [0, 0, 0], "scores")


@pytest.mark.parametrize(
    "nodes",
    [
        [POOL, FLAT, node("Relu", ["flat"], "r"), node("Gemm", ["r", "matrix", "bias"], "y", transB=1)],
        [node("Flatten", ["maps"], "flat"), node("MatMul", ["flat", "wide"], "y")],
        [
            node("AveragePool", ["maps"], "p", kernel_shape=[3, 3], strides=[3, 3]),
            node("Flatten", ["p"], "f"),
            node("MatMul", ["f", "half"], "y"),
        ],
    ],
    ids=["a rectifier between", "no average", "the average of a part"],
)
def test_without_average_and_linear_layer_there_is_none(nodes: list[onnx.NodeProto]) -> None:
    wide = RANDOM.normal(size=(180, 3)).astype(np.float32)
    assert final_layer(ending(nodes, wide=wide, half=wide[:20])) is None


def test_the_file_is_as_bundles_have_it(tmp_path: Path) -> None:
    import_onnx(written(small(), tmp_path / "net.onnx"), settings(3, colour="grey")).write(tmp_path)
    described = write_final_layer(tmp_path)
    stored = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in small().graph.initializer}
    rows = np.fromfile(tmp_path / "final.weights", "<f4").reshape(3, 6)
    assert (described.shape, described.weights, described.output) == ((3, 6), "final.weights", "maps")
    assert rows.tolist() == np.concatenate([stored["matrix"], stored["bias"][:, np.newaxis]], 1).tolist()


def test_weights_may_lie_outside(tmp_path: Path) -> None:
    file = export("densenet", tmp_path / "net.onnx", opset=18)
    import_onnx(file, settings(5, colour="grey")).write(tmp_path)
    model = onnx.load(str(tmp_path / "classifier.onnx"))
    whole = found_in(model)
    weights, bias, features = found_in(onnx.load(str(tmp_path / "classifier.onnx"), load_external_data=False), tmp_path)
    assert (weights.tolist(), bias.tolist(), features) == (whole[0].tolist(), whole[1].tolist(), whole[2])
    assert last_map(tmp_path) == features


def test_an_older_file_goes_where_there_is_no_last_layer(tmp_path: Path) -> None:
    (tmp_path / "final.weights").write_bytes(b"old")
    nodes = [POOL, FLAT, node("Relu", ["flat"], "r"), node("Gemm", ["r", "matrix", "bias"], "y", transB=1)]
    onnx.save(ending(nodes), str(tmp_path / "classifier.onnx"))
    assert write_final_layer(tmp_path) is None
    assert not (tmp_path / "final.weights").exists()
    assert last_map(tmp_path) == "maps"


def test_attention_is_no_map(tmp_path: Path) -> None:
    import_onnx(export("vit", tmp_path / "net.onnx", opset=18), settings(5)).write(tmp_path)
    model = onnx.shape_inference.infer_shapes(onnx.load(str(tmp_path / "classifier.onnx")))
    name = last_map(tmp_path)
    (maker,) = [each for each in model.graph.node if name in each.output]
    assert maker.op_type == "Conv"  # of the patches: the only one there is


def test_without_convolutions_there_is_no_map(tmp_path: Path) -> None:
    nodes = [node("Flatten", ["x"], "flat"), node("MatMul", ["flat", "wide"], "y")]
    onnx.save(graph(nodes, wide=np.ones((64, 3), np.float32)), str(tmp_path / "classifier.onnx"))
    assert last_map(tmp_path) is None
