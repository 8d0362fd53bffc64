"""One network in every form that Keras has: the same logits as PyTorch makes of the same weights."""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch.nn import functional

from sitegen.errors import ModelError, SettingsError
from sitegen.importing.keras.weights import role_of
from sitegen.importing.sources.keras_model import import_keras, questions
from sitegen.importing.sources.onnx_original import against_the_rest
from tests.helpers.importing.keras_models import (
    LABELS,
    SIDE,
    configuration,
    expected,
    quantised,
    save_archive,
    save_hdf5,
    save_tfjs,
    weights,
    write_lists,
    write_places,
)
from tests.helpers.importing.onnx_models import settings, softmax

IMAGES = np.random.default_rng(3).normal(size=(3, 3, SIDE, SIDE)).astype(np.float32)
SETTINGS = settings(LABELS)


def logits(path: Path, folder: Path) -> Any:
    """What the bundle's graph gives; the original has to give the same."""
    model = import_keras(path, SETTINGS)
    folder.mkdir()
    model.write(folder)
    session = onnxruntime.InferenceSession(str(folder / "classifier.onnx"))
    made = np.concatenate([session.run(None, {"image": image[np.newaxis]})[0] for image in IMAGES])
    assert model.original is not None
    assert np.abs(model.original.logits(IMAGES) - made).max() < 1e-4
    assert model.image.shape == (1, 3, SIDE, SIDE)
    return made


def wanted(given: Any) -> Any:
    return np.array([against_the_rest(row) for row in expected(given, IMAGES)])


def _archive(folder: Path) -> Path:
    return save_archive(folder / "model.keras", weights())


def _archive_of_2(folder: Path) -> Path:
    return save_archive(folder / "model.keras", weights(), configuration(2))


def _whole(folder: Path) -> Path:
    return save_hdf5(folder / "model.h5", weights())


def _whole_with_other_names(folder: Path) -> Path:
    """The weights of the model within have names that tell no layer of it: their order does."""
    return save_hdf5(folder / "model.hdf5", weights(), suffix="_1")


def _json_and_weights(folder: Path) -> Path:
    import h5py

    (folder / "model.json").write_text(json.dumps(configuration(3)))
    with h5py.File(folder / "model.weights.h5", "w") as file:
        write_places(file, weights())
    return folder / "model.json"


def _weights_and_json(folder: Path) -> Path:
    import h5py

    (folder / "net.json").write_text(json.dumps(configuration(2)))
    with h5py.File(folder / "best.h5", "w") as file:
        write_lists(file, weights())
    return folder / "best.h5"


@pytest.mark.parametrize(
    "save", [_archive, _archive_of_2, _whole, _whole_with_other_names, _json_and_weights, _weights_and_json]
)
def test_a_form_in_hdf5(tmp_path: Path, save: Callable[[Path], Path]) -> None:
    pytest.importorskip("h5py", reason="HDF5 files are read with h5py: pip install h5py")
    (tmp_path / "in").mkdir()
    assert np.abs(logits(save(tmp_path / "in"), tmp_path / "out") - wanted(weights())).max() < 1e-4


@pytest.mark.parametrize("save", [_archive, _whole, _whole_with_other_names])
def test_keras_reads_what_is_written_by_hand(tmp_path: Path, save: Callable[[Path], Path]) -> None:
    """So that the forms here are those that there are."""
    os.environ.setdefault("KERAS_BACKEND", "torch")
    keras = pytest.importorskip("keras", reason="compared with Keras on PyTorch: pip install keras h5py")
    model = keras.saving.load_model(save(tmp_path), compile=False)
    with torch.no_grad():
        shares = model(torch.from_numpy(IMAGES.transpose(0, 2, 3, 1).copy()), training=False).numpy()
    assert np.abs(shares - softmax(expected(weights(), IMAGES))).max() < 1e-6


@pytest.mark.parametrize("document", [configuration(2), configuration(3)])
def test_a_layers_model(tmp_path: Path, document: Any) -> None:
    file = save_tfjs(tmp_path / "in", weights(), document=document)
    assert np.abs(logits(file, tmp_path / "out") - wanted(weights())).max() < 1e-4
    assert np.ptp(wanted(weights()), axis=0).max() > 0.1  # images make a difference


def test_a_layers_model_with_8_bits(tmp_path: Path) -> None:
    file = save_tfjs(tmp_path / "in", weights(), "uint8")
    made = logits(file.parent, tmp_path / "out")
    assert np.abs(made - wanted(quantised(weights()))).max() < 1e-4
    assert np.abs(made - wanted(weights())).max() > 1e-3


def test_the_names_of_keras_1(tmp_path: Path) -> None:
    """Its classes, keys and names of weights: the strided convolution, a pooling and the linear layer."""
    given = weights()
    spaced = {"subsample": [2, 2], "border_mode": "same", "dim_ordering": "tf", "bias": True}
    conv = {"name": "conv", "nb_filter": 4, "nb_row": 3, "nb_col": 3, "activation": "relu", **spaced}
    layers = [
        {"class_name": "Convolution2D", "config": {**conv, "batch_input_shape": [None, SIDE, SIDE, 3]}},
        {"class_name": "BatchNormalization", "config": {"name": "norm", "axis": -1, "epsilon": 0.01, "mode": 0}},
        {"class_name": "GlobalAveragePooling2D", "config": {"name": "average", "dim_ordering": "tf"}},
        {"class_name": "Dropout", "config": {"name": "off", "p": 0.5}},
        {"class_name": "Dense", "config": {"name": "dense", "output_dim": LABELS, "bias": True}},
        {"class_name": "Activation", "config": {"name": "end", "activation": "sigmoid"}},
    ]
    old = {"kernel": "W", "bias": "b", "moving_mean": "running_mean", "moving_variance": "running_std"}
    parts = [(*role_of(name), values) for name, values in given.items()]
    named = {f"{layer}/{layer}_{old.get(role, role)}": values for layer, role, values in parts}
    document = {"class_name": "Sequential", "config": layers}
    model = import_keras(save_tfjs(tmp_path / "in", named, document=document), SETTINGS)
    w = {name: torch.from_numpy(values).double() for name, values in given.items()}
    x = torch.from_numpy(IMAGES).double()
    x = functional.conv2d(x, w["conv/kernel"].permute(3, 2, 0, 1), w["conv/bias"], stride=2, padding=1).relu()
    gamma, beta, mean, variance = (w[f"norm/{role}"] for role in ("gamma", "beta", "moving_mean", "moving_variance"))
    pooled = functional.batch_norm(x, mean, variance, gamma, beta, eps=0.01).mean(dim=(2, 3))
    assert model.original is not None
    assert model.provenance["output"] == "sigmoid"
    made = model.original.logits(IMAGES)
    assert np.abs(made - (pooled @ w["dense/kernel"] + w["dense/bias"]).numpy()).max() < 1e-6


def test_what_is_kept_of_a_layers_model(tmp_path: Path) -> None:
    model = import_keras(save_tfjs(tmp_path / "in", weights()), SETTINGS)
    (tmp_path / "out").mkdir()
    model.write(tmp_path / "out")
    graph = onnx.load(str(tmp_path / "out" / "classifier.onnx")).graph
    assert [node.op_type for node in graph.node].count("Transpose") == 0
    assert model.name == "in"
    assert model.provenance["form"] == "layers model of TensorFlow.js"
    assert [entry["name"] for entry in model.provenance["weights"]] == ["a.bin", "b.bin"]
    assert model.provenance["output"] == "softmax"


def test_what_is_asked(tmp_path: Path) -> None:
    file = save_tfjs(tmp_path / "in", weights())
    assert [question.key for question in questions(file)] == ["labels", "image.range", "image.mean", "image.std"]
    with pytest.raises(SettingsError, match="labels"):
        import_keras(file, replace(SETTINGS, labels=()))


def test_outputs_before_the_end(tmp_path: Path) -> None:
    file = save_tfjs(tmp_path / "in", weights())
    model = import_keras(file, replace(settings(4), outputs=("average",), output="logits"))
    assert model.original is not None
    assert model.original.logits(IMAGES).shape == (3, 4)


def test_a_layer_that_is_called_twice(tmp_path: Path) -> None:
    """x + f(x), and f of that: the same weights at both calls."""
    document = configuration(2)
    named = {layer["config"]["name"]: layer for layer in document["config"]["layers"]}
    named["inner"]["inbound_nodes"] = [[["six", 0, 0, {}]], [["sum", 0, 0, {}]]]
    named["average"]["inbound_nodes"] = [[["inner", 1, 0, {}]]]
    made = import_keras(save_tfjs(tmp_path / "in", weights(), document=document), SETTINGS)
    assert made.original is not None
    assert np.abs(made.original.logits(IMAGES) - wanted(weights())).max() > 0.01
    (tmp_path / "out").mkdir()
    made.write(tmp_path / "out")
    graph = onnx.load(str(tmp_path / "out" / "classifier.onnx")).graph
    assert [node.op_type for node in graph.node].count("Conv") == 4


@pytest.mark.parametrize(
    ("name", "content", "option"),
    [("model.tflite", b"\x1c\x00\x00\x00TFL3", "--tflite"), ("saved_model.pb", b"\x08\x01", "--saved-model")],
)
def test_other_formats_name_the_way_out(tmp_path: Path, name: str, content: bytes, option: str) -> None:
    (tmp_path / name).write_bytes(content)
    for path in (tmp_path, tmp_path / name):
        with pytest.raises(ModelError, match=rf"python -m tf2onnx.convert {option} .*{tmp_path.name}"):
            import_keras(path, SETTINGS)
