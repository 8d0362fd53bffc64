"""Weights rounded to numbers that 16 bits hold, in the file that a graph keeps them in."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from sitegen.errors import ExportError
from sitegen.graphs.files import save_with_weights
from sitegen.graphs.half_weights import round_weights
from sitegen.site.weight_layout import HALVES, lay_out, layout_of
from tests.helpers.bundles import classifier

IMAGE = np.random.default_rng(5).uniform(0, 1, (1, 3, 32, 32)).astype(np.float32)


def written(folder: Path, model: onnx.ModelProto | None = None) -> Path:
    folder.mkdir(exist_ok=True)
    save_with_weights(model or classifier(channels=3, labels=40), folder / "classifier.onnx")
    return folder


def test_the_graph_is_the_model_with_rounded_weights(tmp_path: Path) -> None:
    folder = written(tmp_path / "rounded")
    assert round_weights(folder / "classifier.onnx") == 8 * 3 * 25 + 8 * 40
    model = classifier(channels=3, labels=40)
    for tensor in model.graph.initializer:
        if tensor.name != "bias":  # 160 bytes, which stay in the graph
            halved = numpy_helper.to_array(tensor).astype(np.float16).astype(np.float32)
            tensor.CopyFrom(numpy_helper.from_array(halved, tensor.name))
    expected: Any
    (expected,) = ReferenceEvaluator(model).run(None, {"image": IMAGE})
    session = onnxruntime.InferenceSession(str(folder / "classifier.onnx"), providers=["CPUExecutionProvider"])
    assert np.abs(session.run(None, {"image": IMAGE})[0] - expected).max() < 1e-5
    before: Any
    (before,) = ReferenceEvaluator(classifier(channels=3, labels=40)).run(None, {"image": IMAGE})
    assert np.abs(expected - before).max() > 1e-5


def test_sites_pack_it_with_16_bits(tmp_path: Path) -> None:
    folder = written(tmp_path / "rounded")
    round_weights(folder / "classifier.onnx")
    weights = (folder / "classifier.weights").read_bytes()
    assert layout_of(weights) == HALVES
    assert len(lay_out(weights, HALVES)) == 2 * (600 + 320)


def test_whole_numbers_stay_whole(tmp_path: Path) -> None:
    indices = np.arange(400, dtype=np.int64)[::-1].copy()
    values = np.linspace(-1, 1, 400).astype(np.float32)
    graph = helper.make_graph(
        [
            helper.make_node("Gather", ["values", "indices"], ["turned"]),
            helper.make_node("Add", ["image", "turned"], ["logits"]),
        ],
        "test",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [400])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [400])],
        [numpy_helper.from_array(values, "values"), numpy_helper.from_array(indices, "indices")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    folder = written(tmp_path / "whole", model)
    assert round_weights(folder / "classifier.onnx") == 400
    session = onnxruntime.InferenceSession(str(folder / "classifier.onnx"), providers=["CPUExecutionProvider"])
    (made,) = session.run(None, {"image": np.zeros(400, np.float32)})
    assert np.array_equal(made, values.astype(np.float16).astype(np.float32)[::-1])


def test_what_is_too_large_is_refused(tmp_path: Path) -> None:
    model = classifier(channels=3, labels=40)
    large = np.full((8, 40), 1e5, np.float32)
    next(each for each in model.graph.initializer if each.name == "linear").CopyFrom(
        numpy_helper.from_array(large, "linear")
    )
    folder = written(tmp_path / "large", model)
    with pytest.raises(ExportError, match=r"'linear' has values of up to 1e\+05, and 16 bits hold 65504 at most"):
        round_weights(folder / "classifier.onnx")
