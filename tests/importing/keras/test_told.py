"""What lies beside a model: labels and numbers of Teachable Machine and AUCMEDI, and what the first layers tell."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sitegen.errors import ModelError, SettingsError
from sitegen.importing.settings import ImportSettings, LabelSettings
from sitegen.importing.sources.keras_model import import_keras, questions
from sitegen.importing.sources.onnx_original import against_the_rest
from tests.helpers.importing.keras_models import SIDE, configuration, expected, save_hdf5, save_tfjs, weights

NOTHING = ImportSettings()
SAID = ImportSettings(labels=tuple(map(LabelSettings, ("Normal", "Effusion", "Mass"))))
NAMES = ["Normal", "Effusion", "Mass"]
AUCMEDI = {"analysis": "standard", "class_names": NAMES, "three_dim": False, "multi_label": False}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return save_tfjs(tmp_path, weights())


def beside(file: Path, name: str, content: Any) -> Path:
    (file.parent / name).write_text(content if isinstance(content, str) else json.dumps(content))
    return file


def test_teachable_machine_needs_no_settings(file: Path) -> None:
    about = {"tmVersion": "2.4.7", "packageName": "@teachablemachine/image", "labels": NAMES, "imageSize": SIDE}
    assert questions(beside(file, "metadata.json", about)) == []
    model = import_keras(file, NOTHING)
    assert [label.name for label in model.labels] == NAMES
    assert model.image.range == (-1, pytest.approx(1.007874016))  # 255 / 127 - 1
    assert (model.image.side, model.image.colour, model.image.fraction) == (SIDE, "rgb", 1.0)
    assert "Teachable Machine" in model.remarks[0]
    assert [entry["name"] for entry in model.provenance["beside"]] == ["metadata.json"]


def test_settings_win_over_what_is_told(file: Path) -> None:
    about = {"tmVersion": "2.4.7", "labels": NAMES, "imageSize": SIDE}
    mine = ImportSettings(labels=tuple(map(LabelSettings, "ABC")), image={"range": [0, 1]})
    model = import_keras(beside(file, "metadata.json", about), mine)
    assert ([label.name for label in model.labels], model.image.range) == (["A", "B", "C"], (0, 1))


@pytest.mark.parametrize("content", ["{", "[]", {"labels": NAMES}, {"tmVersion": "2", "labels": [1, ""]}])
def test_other_files_of_that_name_tell_nothing(file: Path, content: Any) -> None:
    assert len(questions(beside(file, "metadata.json", content))) == 4


def test_teachable_machines_export_for_keras(tmp_path: Path) -> None:
    pytest.importorskip("h5py", reason="HDF5 files are read with h5py: pip install h5py")
    file = save_hdf5(tmp_path / "keras_model.h5", weights())
    model = import_keras(beside(file, "labels.txt", "0 Normal\n1 Effusion left\n2 Mass\n"), NOTHING)
    assert [label.name for label in model.labels] == ["Normal", "Effusion left", "Mass"]
    assert model.image.range == (-1, 1)


@pytest.mark.parametrize(
    ("architecture", "low_high", "mean"),
    [
        ("MobileNetV2", (-1, 1), (0, 0, 0)),
        ("ResNet50V2", (-1, 1), (0, 0, 0)),
        ("DenseNet121", (0, 1), (0.485, 0.456, 0.406)),
        ("ResNet50", (0, 255), (123.68, 116.779, 103.939)),
        ("EfficientNetB0", (0, 255), (123.68, 116.779, 103.939)),
    ],
)
def test_aucmedi_by_its_architecture(file: Path, architecture: str, low_high: Any, mean: Any) -> None:
    model = import_keras(beside(file, "meta.training.json", {**AUCMEDI, "architecture": architecture}), NOTHING)
    assert [label.name for label in model.labels] == NAMES
    assert model.image.range == low_high
    assert model.image.mean == mean
    assert "squashes" in model.remarks[0]


def test_blue_before_red(file: Path, tmp_path: Path) -> None:
    model = import_keras(beside(file, "meta.training.json", {**AUCMEDI, "architecture": "VGG16"}), NOTHING)
    images = np.random.default_rng(1).normal(size=(2, 3, SIDE, SIDE)).astype(np.float32)
    wanted = np.array([against_the_rest(row) for row in expected(weights(), images[:, ::-1].copy())])
    assert model.original is not None
    assert np.abs(model.original.logits(images) - wanted).max() < 1e-6


def test_aucmedi_of_what_a_bundle_cannot_do(file: Path) -> None:
    with pytest.raises(ModelError, match="by its own mean and deviation"):
        import_keras(beside(file, "meta.training.json", {**AUCMEDI, "architecture": "Vanilla"}), NOTHING)
    with pytest.raises(ModelError, match="volumes"):
        import_keras(beside(file, "meta.training.json", {**AUCMEDI, "three_dim": True}), NOTHING)
    with pytest.raises(SettingsError, match=r"image\.range"):
        import_keras(beside(file, "meta.training.json", {**AUCMEDI, "architecture": "Mine"}), NOTHING)


def test_a_model_that_scales_images_by_functions(tmp_path: Path) -> None:
    """x / 127.5 - 1 between layers, as Keras 2 writes it."""
    document = configuration(2)
    for name, function, number, reads in (("divided", "truediv", 127.5, "given"), ("less", "subtract", 1.0, "divided")):
        config = {"name": name, "function": f"math.{function}"}
        nodes = [[[reads, 0, 0, {"y": number, "name": None}]]]
        layer = {"class_name": "TFOpLambda", "name": name, "config": config, "inbound_nodes": nodes}
        document["config"]["layers"].append(layer)
    document["config"]["layers"][1]["inbound_nodes"] = [[["less", 0, 0, {}]]]
    model = import_keras(save_tfjs(tmp_path, weights(), document=document), SAID)
    assert (model.image.range, model.image.std) == ((0, 255), (1, 1, 1))
    images = np.random.default_rng(1).uniform(0, 255, size=(2, 3, SIDE, SIDE)).astype(np.float32)
    wanted = np.array([against_the_rest(row) for row in expected(weights(), images / np.float32(127.5) - 1)])
    assert model.original is not None
    assert np.abs(model.original.logits(images) - wanted).max() < 1e-5


def test_a_model_that_scales_images_itself(tmp_path: Path) -> None:
    document = configuration(2)
    config = {"name": "scale", "scale": 1 / 255, "offset": 0.0}
    scale: dict[str, Any] = {"class_name": "Rescaling", "name": "scale", "config": config}
    scale["inbound_nodes"] = [[["given", 0, 0, {}]]]
    document["config"]["layers"].append(scale)
    document["config"]["layers"][1]["inbound_nodes"] = [[["scale", 0, 0, {}]]]
    file = save_tfjs(tmp_path, weights(), document=document)
    assert [question.key for question in questions(file)] == ["labels"]
    model = import_keras(file, ImportSettings(labels=tuple(map(LabelSettings, NAMES))))
    assert (model.image.range, model.image.std) == ((0, 255), (1, 1, 1))
    images = np.random.default_rng(1).uniform(0, 255, size=(2, 3, SIDE, SIDE)).astype(np.float32)
    wanted = np.array([against_the_rest(row) for row in expected(weights(), images / np.float32(255))])
    assert model.original is not None
    assert np.abs(model.original.logits(images) - wanted).max() < 1e-5
