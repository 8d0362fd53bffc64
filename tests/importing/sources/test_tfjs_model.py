"""TensorFlow.js graph models as graphs of a bundle: the same numbers, and no transposes between convolutions."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

from sitegen.errors import SettingsError
from sitegen.importing.graph.final_layer import last_map, write_final_layer
from sitegen.importing.sources.tfjs_model import import_tfjs, questions
from sitegen.importing.tfjs.files import read_tfjs
from sitegen.importing.tfjs.graph import literal
from sitegen.importing.tfjs.reference import evaluate
from tests.helpers.importing.onnx_models import settings, sigmoid
from tests.helpers.importing.tfjs_graphs import to_onnx
from tests.helpers.importing.tfjs_models import autoencoder, dense_classifier, mobile_classifier


def images(channels: int, side: int = 32, count: int = 3) -> np.ndarray:
    return np.random.default_rng(9).normal(size=(count, channels, side, side)).astype(np.float32)


def run(path: Any, shown: Any) -> np.ndarray:
    session = onnxruntime.InferenceSession(str(path) if not isinstance(path, bytes) else path)
    return np.concatenate([session.run(None, {"image": image[np.newaxis]})[0] for image in shown])


def operators(model: onnx.ModelProto) -> list[str]:
    return [node.op_type for node in model.graph.node]


@pytest.fixture(scope="module")
def dense(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return dense_classifier().save(tmp_path_factory.mktemp("tfjs") / "Chester's model", ["probabilities"])


def test_a_classifier_of_chesters_operators(dense: Path, tmp_path: Path) -> None:
    model = import_tfjs(dense, settings(18, colour="grey"))
    model.write(tmp_path)
    shown = images(1)
    made = run(tmp_path / "classifier.onnx", shown)
    graph = read_tfjs(dense)
    expected = np.concatenate([evaluate(graph, image[np.newaxis])["probabilities"] for image in shown])
    assert np.abs(sigmoid(made) - expected).max() < 1e-5
    assert np.abs(model.original.logits(shown) - made).max() < 1e-5
    assert np.ptp(expected, axis=0).max() > 0.1  # images make a difference
    assert model.original.gradients(shown[:1], 0) is None
    assert model.name == "chester-s-model"
    assert model.image.shape == (1, 1, 32, 32)
    assert [entry["name"] for entry in model.provenance["weights"]] == ["group1-shard1of1.bin"]


def test_no_transpose_is_left_in_a_densenet(dense: Path, tmp_path: Path) -> None:
    before = literal(read_tfjs(dense))
    import_tfjs(dense, settings(18, colour="grey")).write(tmp_path)
    after = onnx.load(str(tmp_path / "classifier.onnx"))
    # Ten convolutions and two poolings: two transposes of the file around each, and two of the literal translation.
    assert operators(before).count("Transpose") == 4 * 12
    assert operators(after).count("Transpose") == 0
    assert operators(after).count("Conv") == 10
    assert "Pad" not in operators(after)
    assert [value.name for value in (*after.graph.input, *after.graph.output)] == ["image", "logits"]


def test_the_last_layer_is_found(dense: Path, tmp_path: Path) -> None:
    import_tfjs(dense, settings(18, colour="grey")).write(tmp_path)
    described = write_final_layer(tmp_path)
    assert described.shape == (18, 23)
    assert last_map(tmp_path) == described.output


def test_a_classifier_of_keras_operators(tmp_path: Path) -> None:
    file = mobile_classifier().save(tmp_path / "mobile")
    model = import_tfjs(file.parent, settings(4, side=32))
    model.write(tmp_path)
    shown = images(3)
    made = run(tmp_path / "classifier.onnx", shown)
    graph = read_tfjs(file)
    expected = np.concatenate([evaluate(graph, image[np.newaxis].transpose(0, 2, 3, 1))["shares"] for image in shown])
    assert expected.sum(axis=1) == pytest.approx(1)
    assert np.abs(sigmoid(made) - expected).max() < 1e-6
    assert np.abs(model.original.logits(shown) - made).max() < 1e-5
    assert "Transpose" not in operators(onnx.load(str(tmp_path / "classifier.onnx")))


def test_an_autoencoder(tmp_path: Path) -> None:
    file = autoencoder().save(tmp_path / "autoencoder")
    model = to_onnx(file, (1, 1, 16, 16))
    onnx.checker.check_model(model, full_check=True)
    assert operators(model) == [
        *("Conv", "LeakyRelu", "Conv", "LeakyRelu", "Reshape", "MatMul", "MatMul", "Reshape"),
        *("ConvTranspose", "Relu", "ConvTranspose", "Tanh"),
    ]
    shown = images(1, 16)
    expected = np.concatenate([evaluate(read_tfjs(file), image[np.newaxis])["drawn"] for image in shown])
    made = run(model.SerializeToString(), shown)
    assert made.shape == (3, 1, 16, 16)
    assert np.abs(made - expected).max() < 1e-5
    assert expected.std() > 0.1


@pytest.mark.parametrize("kind", ["float16", "uint8", "uint16"])
def test_quantised_weights_are_what_their_file_says(tmp_path: Path, kind: str) -> None:
    plain, model = mobile_classifier(), mobile_classifier()
    model.quantised = {name: kind for name, values in model.weights.items() if values.dtype == np.float32}
    read = read_tfjs(model.save(tmp_path / "model"))
    for name in model.quantised:
        values, expected = read.weights[name], plain.weights[name].astype(np.float64)
        assert values.dtype == np.float32
        step = np.ptp(expected) / {"uint8": 255, "uint16": 65535, "float16": 1000}[kind]
        assert np.abs(values - expected).max() <= max(0.51 * step, 1e-3 * np.abs(expected).max() * (kind == "float16"))
    names = {name for name, values in plain.weights.items() if values.dtype == np.int32}
    assert all(read.weights[name].tolist() == plain.weights[name].tolist() for name in names)
    made = import_tfjs(tmp_path / "model", settings(4, side=32))
    made.write(tmp_path)
    assert np.abs(made.original.logits(images(3)) - run(tmp_path / "classifier.onnx", images(3))).max() < 1e-5


def test_numbers_of_one_byte_by_hand(tmp_path: Path) -> None:
    model = mobile_classifier()
    name = next(name for name, values in model.weights.items() if values.shape == (4,))
    model.weights[name] = np.array([-1.0, 0.0, 0.5, 1.5], np.float32)
    model.quantised = {name: "uint8"}
    values = read_tfjs(model.save(tmp_path / "model")).weights[name]
    # -1 + q · 2.5 / 255 for q = 0, 102, 153, 255
    assert values.tolist() == pytest.approx([-1.0, 0.0, 0.5, 1.5], abs=1e-7)


def test_weights_may_be_cut_into_shards_anywhere(tmp_path: Path) -> None:
    whole = read_tfjs(dense_classifier().save(tmp_path / "whole"))
    cut = read_tfjs(dense_classifier().save(tmp_path / "cut", shard=1001))
    assert len(cut.files) > 10
    assert all(np.array_equal(cut.weights[name], values) for name, values in whole.weights.items())


def test_what_the_file_says_is_not_asked(dense: Path, tmp_path: Path) -> None:
    asked = questions(dense)
    assert [question.key for question in asked] == ["labels", "image.range", "image.mean", "image.std"]
    assert "18 findings" in asked[0].asks
    opened = questions(mobile_classifier().save(tmp_path / "mobile"))
    assert [question.key for question in opened][:2] == ["labels", "image.side"]
    assert "4 findings" in opened[0].asks
    with pytest.raises(SettingsError, match=r"image\.side"):
        import_tfjs(tmp_path / "mobile", settings(4))
    with pytest.raises(SettingsError, match=r"14 label\(s\) are named, .* has 18"):
        import_tfjs(dense, settings(14, colour="grey"))
