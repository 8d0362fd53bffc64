"""Weights stored with 16 bits: the same numbers as rounded ones, in every graph that shares them."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from sitegen import gradient
from sitegen.errors import ExportError
from sitegen.export.gradient_graph import export_cam, export_gradient, export_guided
from sitegen.graphs.files import save_with_weights
from sitegen.graphs.half_weights import round_weights, store_half, with_full_weights
from tests.helpers.bundles import classifier

FILES = ["classifier.onnx", "gradient.onnx", "cam.onnx", "guided.onnx"]
RANDOM = np.random.default_rng(5)
IMAGE = RANDOM.uniform(0, 1, (1, 3, 32, 32)).astype(np.float32)


def written(folder: Path, model: onnx.ModelProto | None = None) -> Path:
    folder.mkdir(exist_ok=True)
    save_with_weights(model or classifier(channels=3, labels=40), folder / "classifier.onnx")
    return folder


def graphs(folder: Path) -> Path:
    export_gradient(folder, "active")
    export_cam(folder, "active")
    export_guided(folder)
    return folder


def outputs(folder: Path, file: str) -> list[NDArray[np.float32]]:
    session = onnxruntime.InferenceSession(str(folder / file), providers=["CPUExecutionProvider"])
    seed = np.zeros((1, 40), np.float32)
    seed[0, 7] = 1
    feeds = {"image": IMAGE} if file == "classifier.onnx" else {"image": IMAGE, "seed": seed}
    return list(session.run(None, feeds))


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The reference, rounded and in float32, and the same with 16 bits."""
    folders = []
    for name in ("reference", "stored"):
        folder = written(tmp_path_factory.mktemp("half") / name)
        assert round_weights(folder / "classifier.onnx") == 8 * 3 * 25 + 8 * 40
        folders.append(graphs(folder))
    store_half(folders[1], FILES)
    return folders[0], folders[1]


@pytest.mark.parametrize("file", FILES)
def test_every_graph_gives_to_the_bit_what_the_rounded_one_gives(stored: tuple[Path, Path], file: str) -> None:
    for expected, made in zip(*(outputs(folder, file) for folder in stored), strict=True):
        assert np.array_equal(made, expected)


def test_the_reference_is_the_model_with_rounded_weights(stored: tuple[Path, Path]) -> None:
    model = classifier(channels=3, labels=40)
    for tensor in model.graph.initializer:
        if tensor.name != "bias":  # 160 bytes, which stay in the graph
            halved = numpy_helper.to_array(tensor).astype(np.float16).astype(np.float32)
            tensor.CopyFrom(numpy_helper.from_array(halved, tensor.name))
    expected: Any
    (expected,) = ReferenceEvaluator(model).run(None, {"image": IMAGE})
    assert np.abs(outputs(stored[1], "classifier.onnx")[0] - expected).max() < 1e-5
    before: Any
    (before,) = ReferenceEvaluator(classifier(channels=3, labels=40)).run(None, {"image": IMAGE})
    assert np.abs(expected - before).max() > 1e-5


def test_the_file_has_half_the_bytes(stored: tuple[Path, Path]) -> None:
    before, after = ((folder / "classifier.weights").stat().st_size for folder in stored)
    assert before == 4 * (600 + 320)
    assert after == 2 * (600 + 320)


def test_the_graph_as_it_was_comes_back(stored: tuple[Path, Path]) -> None:
    reference, given = (onnx.load(str(folder / "classifier.onnx")) for folder in stored)
    back = with_full_weights(given)
    assert [node.op_type for node in back.graph.node] == [node.op_type for node in reference.graph.node]
    weights = {tensor.name: numpy_helper.to_array(tensor) for tensor in back.graph.initializer}
    for tensor in reference.graph.initializer:
        assert np.array_equal(weights[tensor.name], numpy_helper.to_array(tensor))
    assert with_full_weights(reference) == reference


def test_gradients_are_compiled_of_stored_weights_too(stored: tuple[Path, Path]) -> None:
    compiled = gradient.compile(stored[1] / "classifier.onnx", wrt="image", seed="seed")
    onnx.save(compiled, stored[1] / "again.onnx")
    made = dict(zip([value.name for value in compiled.graph.output], outputs(stored[1], "again.onnx"), strict=True))
    signature = onnx.load(str(stored[0] / "gradient.onnx"), load_external_data=False).graph.output
    expected = dict(zip([value.name for value in signature], outputs(stored[0], "gradient.onnx"), strict=True))
    assert np.array_equal(made["grad_image"], expected["grad_image"])


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
    store_half(folder, ["classifier.onnx"])
    session = onnxruntime.InferenceSession(str(folder / "classifier.onnx"), providers=["CPUExecutionProvider"])
    (made,) = session.run(None, {"image": np.zeros(400, np.float32)})
    assert np.array_equal(made, values.astype(np.float16).astype(np.float32)[::-1])


def test_what_was_not_rounded_or_is_too_large_is_refused(tmp_path: Path) -> None:
    folder = written(tmp_path / "plain")
    with pytest.raises(ExportError, match="'kernel' was not rounded to 16 bits"):
        store_half(folder, ["classifier.onnx"])
    model = classifier(channels=3, labels=40)
    large = np.full((8, 40), 1e5, np.float32)
    next(each for each in model.graph.initializer if each.name == "linear").CopyFrom(
        numpy_helper.from_array(large, "linear")
    )
    folder = written(tmp_path / "large", model)
    with pytest.raises(ExportError, match=r"'linear' has values of up to 1e\+05, and 16 bits hold 65504 at most"):
        round_weights(folder / "classifier.onnx")
